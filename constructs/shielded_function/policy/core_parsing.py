"""Parses a policy's settings with the core; errors name fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from shielded_function_runtime import core

from ..errors import ShieldPolicyError
from .fields import KINDS, UNSET, field_of
from .texts import without_packages


@lru_cache(maxsize=64)
def parse(lines: str, in_file: bool = False, beside: str = "") -> core.Policy:
    """Parses `NAME=value` lines with the core.

    Args:
        in_file: whether the lines are a file's, so that errors contain line numbers.
        beside: the lines of the environment besides this file; lists in both are joined.

    Raises:
        ShieldPolicyError: a setting is wrong.
    """
    try:
        return core.parse(beside, lines) if beside else core.parse(lines)
    except core.PolicyError as error:
        raise _translate(str(error), in_file) from error


_MODE_TO_SET = re.compile("set SHIELD_OUTBOUND_CONNECTIVITY to (allow|block)")
_CORE_ERROR = re.compile(r"(?:line (?P<line>\d+): )?(?:(?P<setting>SHIELD_\w+): )?(?P<reason>.*)", re.DOTALL)


def _translate(message: str, in_file: bool) -> ShieldPolicyError:
    """The core names variables and lines; a Python error names the field."""
    found = _CORE_ERROR.fullmatch(message)
    assert found is not None  # the last group takes anything
    line, setting, reason = found["line"], found["setting"], found["reason"]
    if not in_file:
        reason = _MODE_TO_SET.sub(r'write outbound_connectivity="\1"', reason)
        reason = reason.replace("SHIELD_DENY_OUTBOUND", "deny_outbound")
    field = field_of(setting) if setting else ""
    where = [f"line {line}"] if in_file and line else []
    if field:
        where.append(f"environment variable {setting}")
    elif setting:
        reason = f"{setting}: {reason}"
    return ShieldPolicyError(field, f"{reason} ({', '.join(where)})" if where else reason)


def write_lines(settings: Mapping[str, str]) -> str:
    """`NAME=value` lines."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def read_lines(lines: str) -> dict[str, str]:
    """The settings of canonical lines."""
    # Not splitlines(): a path may contain its other line separators.
    return dict(line.split("=", 1) for line in lines.split("\n") if line)


def read_fields(settings: Mapping[str, str]) -> dict[str, Any]:
    """The fields of canonical settings."""
    values: dict[str, Any] = dict(UNSET)
    for setting, value in settings.items():
        field = field_of(setting)
        kind = KINDS.get(field)
        if kind == "list" or (kind == "aws" and value not in ("all", "none")):
            values[field] = tuple(value.split(",")) if value else ()
        elif kind == "switch":
            values[field] = value == "on"
        elif kind:
            values[field] = value
    return values


class Outbound(NamedTuple):
    """The parts of an entry of `allow_outbound`: the host is a name, `*.domain`, an address or a network."""

    protocol: str
    host: str
    port: str


_OUTBOUND = re.compile(r"(?:(tcp|udp)://)?(?:\[(.*)\](?::(\d+))?|([^:]*)(?::(\d+))?|(.*))")


def read_outbound(entry: str) -> Outbound:
    """The parts of an entry in canonical form; empty for those that it does not have."""
    found = _OUTBOUND.fullmatch(without_packages(entry))
    assert found is not None  # the last group takes anything
    return Outbound(found[1] or "", found[2] or found[4] or found[6] or "", found[3] or found[5] or "")
