"""The lines as a JSON Schema, for readers in other languages: `docs/reference/alert-line.schema.json`.

python -m shielded_function_monitoring.schema > docs/reference/alert-line.schema.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .alert import DENIED, DETAILS, EVENTS, MODES, ORIGIN, POLICIES, SCHEMA_VERSION, START
from .filters import PACKAGE, SEVERITIES
from .frames import MAX_THROUGH

_TYPES: Final[Mapping[type, Mapping[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer", "minimum": 0},
    list: {"type": "array", "items": {"type": "string"}},
}
_COUNT: Final = {"type": "integer", "minimum": 1}
_COMMON: Final[Mapping[str, Any]] = {
    "function_shield": {"const": True},
    "v": {"const": SCHEMA_VERSION},
    **{name: {"type": "string"} for name in ORIGIN},
    "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"},
    "level": {"enum": ["INFO", "WARN", "ERROR"]},
}
_REQUIRED: Final = ("function_shield", "v", "timestamp", "level")
_POLICY: Final = {"enum": list(POLICIES)}
_MODE: Final = {"enum": list(MODES)}
_PID: Final = {"type": "integer", "minimum": 0}

_SEVERITY: Final = {"enum": list(SEVERITIES)}
_COUNTED: Final[Mapping[str, Any]] = {
    "policy": _POLICY,
    "mode": _MODE,
    "severity": _SEVERITY,
    "count": _COUNT,
    "details": {
        "type": "object",
        "properties": {name: _TYPES[kind] for name, kind in DETAILS.items()},
        "additionalProperties": False,
    },
    "allow": {"type": "string", "minLength": 1},
    "reason": {"enum": [PACKAGE, DENIED]},
    "pid": _PID,
}
_ALERT: Final[Mapping[str, Any]] = {
    **_COUNTED,
    "caller": {
        "type": "object",
        "properties": {
            "object": {"type": "string"},
            "function": {"type": "string"},
            "file": {"type": "string"},
            "line": {"type": "integer", "minimum": 0},
            "package": {"type": "string"},
            "through": {"type": "array", "items": {"type": "string"}, "maxItems": MAX_THROUGH},
        },
        "additionalProperties": False,
    },
    "trace": {"type": "string"},
}
_FAILED_START: Final[Mapping[str, Any]] = {
    "policy": {"const": START},
    "severity": _SEVERITY,
    "count": _COUNT,
    "reason": {"type": "string"},
    "shield_version": {"type": "string"},
    "engine": {"type": "string"},
    "pid": _PID,
}
_KERNEL: Final[Mapping[str, Any]] = {
    "kernel": {"type": "array", "items": {"enum": ["file-growth", "programs"]}},
    "kernel_off": {"type": "object", "additionalProperties": {"type": "string"}},
}
# Event -> its fields, and which of them are always there.
_EVENTS: Final[Mapping[str, tuple[Mapping[str, Any], Sequence[str]]]] = {
    "armed": (
        {
            "shield_version": {"type": "string"},
            "engine": {"type": "string"},
            "modes": {
                "type": "object",
                "properties": {name: {"enum": [*MODES, "allow"]} for name in POLICIES if name != "self_protection"},
                "additionalProperties": False,
            },
            "aws": {"type": "string", "minLength": 1},
            "buckets": _COUNT,
            "hosts": _COUNT,
            "sites": {"type": "integer", "minimum": 0},
            "patched": {"type": "integer", "minimum": 0},
            "handler_files": {"type": "integer", "minimum": 0},
            "micros": {"type": "integer", "minimum": 0},
            "tmp_times": {"enum": ["birth", "change"]},
            **_KERNEL,
            "pid": _PID,
        },
        ("shield_version", "engine", "modes", "pid"),
    ),
    "refused": (_FAILED_START, ("policy", "count", "reason")),
    "unshielded": (_FAILED_START, ("policy", "count", "reason")),
    "folded": (
        {**_COUNTED, "entries": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}},
        ("policy", "mode", "count", "pid"),
    ),
    "repeated": (_COUNTED, ("policy", "mode", "count", "pid")),
    "tightened": (
        {
            "shield_version": {"type": "string"},
            "engine": {"type": "string"},
            "modes": {"type": "object", "additionalProperties": {"enum": [*MODES, "allow"]}},
            "tmp_times": {"enum": ["birth", "change"]},
            "reason": {"type": "string"},
            **_KERNEL,
            "pid": _PID,
        },
        ("pid",),
    ),
    "native": (
        {
            "bridges": {"type": "array", "items": {"type": "string"}},
            "objects": {"type": "array", "items": {"type": "string"}},
            "count": {"type": "integer", "minimum": 0},
            "pid": _PID,
        },
        ("bridges", "objects", "count", "pid"),
    ),
    "kernel": ({**_KERNEL, "pid": _PID}, ("kernel", "pid")),
}
assert set(_EVENTS) == set(EVENTS)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of every line that the shield writes."""
    alert = _object({**_COMMON, **_ALERT}, (*_REQUIRED, "policy", "mode", "count", "details", "pid"))
    alert["anyOf"] = [{"properties": {"count": {"const": 1}}}, {"properties": {"policy": {"const": "read_handler"}}}]
    events = [
        _object({**_COMMON, "event": {"const": event}, **fields}, (*_REQUIRED, "event", *required))
        for event, (fields, required) in _EVENTS.items()
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of shielded-function",
        "oneOf": [alert, *events],
    }


def _object(properties: Mapping[str, Any], required: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2))
