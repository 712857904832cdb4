"""The words that an option takes: the help lists them, a shell completes them, and any other word is an error."""

from __future__ import annotations

from typing import Literal

Architecture = Literal["x86_64", "arm64"]
"""As Lambda calls it."""
Event = Literal["connect", "udp", "resolve", "tmp", "tmp-at-start", "exec", "exec-static", "memory"]
"""As `ShieldPolicy.decide` takes it."""
GroupedBy = Literal["target", "package", "policy", "function"]
"""By what `alerts` groups."""
LearnFormat = Literal["table", "toml", "yaml", "json", "python", "diff"]
RenderFormat = Literal["env", "sam", "terraform", "json"]
ReportFormat = Literal["html", "md", "json", "csv"]
