"""Reads a shielded function's lines: `parse_line` tells an alert or an event, `json_schema` describes both.

It needs neither AWS nor the CDK. The names in `__all__` are the interface. The other modules (filter patterns, alarms,
queries, a simulated CloudWatch) serve the constructs and the commands, and may change.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .alert import Alert, AlertError, ShieldEvent, parse_line
    from .errors import ShieldError
    from .schema import json_schema

__all__ = ["Alert", "AlertError", "ShieldError", "ShieldEvent", "json_schema", "parse_line"]

_MODULES = {"ShieldError": "errors", "json_schema": "schema"}


def __getattr__(name: str) -> Any:
    if name in __all__:
        value = getattr(importlib.import_module(f".{_MODULES.get(name, 'alert')}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
