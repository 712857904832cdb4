"""The values of options: the help lists them, a shell completes them, and any other value is an error."""

from __future__ import annotations

from typing import Literal

Architecture = Literal["x86_64", "arm64"]
"""Lambda's names."""
Event = Literal["connect", "udp", "resolve", "tmp", "tmp-at-start", "exec", "exec-static", "memory"]
"""The events of `ShieldPolicy.decide`."""
GroupedBy = Literal["target", "package", "policy", "function"]
"""The groupings of `alerts`."""
LearnFormat = Literal["table", "toml", "python", "diff"]
RenderFormat = Literal["env", "sam", "terraform", "json"]
