"""Lets the dependency try everything that it does. Event: {"secret": text}."""

from __future__ import annotations

from typing import Any

import leftpad_plus  # pyright: ignore[reportMissingImports]  # the CDK app puts it beside this file


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Returns what became of each deed: `succeeded: ...` or `failed: ...`."""
    return leftpad_plus.deeds(event["secret"])
