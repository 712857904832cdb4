"""The values of a policy's fields: the known ones as settings for the core, and those known only at deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ShieldPolicyError
from .aws_names import is_service, service_meant
from .core_parsing import parse, read_fields, read_lines, write_lines
from .fields import GRANTED, KINDS, UNSET, setting_of
from .texts import BY, check_program, check_scripts, check_text, replace_dummy, to_ascii
from .unknown import check_unknown, is_unknown

_SCOPES = ("all", "none", GRANTED)


@dataclass(frozen=True)
class Values:
    """The fields' values in two parts.

    Attributes:
        known: settings for the core, in the order of the fields.
        unknown: for each field with entries, those known only at deployment.
    """

    known: Mapping[str, str]
    unknown: Mapping[str, tuple[Any, ...]]


def read_values(fields: Mapping[str, object]) -> Values:
    """The fields' values, with unknown entries checked, and known ones in the core's form.

    Raises:
        ShieldPolicyError: a value cannot be written as a setting, or the known part of an entry is wrong.
    """
    known: dict[str, str] = {}
    unknown: dict[str, tuple[Any, ...]] = {}
    for field, kind in KINDS.items():
        value = fields[field]
        if kind in ("list", "aws"):
            setting, unknown[field] = _read_entries(field, value)
        else:
            setting = _to_setting(field, value)
        if setting is not None:
            known[setting_of(field)] = setting
    return Values(known, unknown)


def canonical(values: Values) -> Values:
    """The values with canonical settings.

    Raises:
        ShieldPolicyError: a setting is wrong.
    """
    return Values(read_lines(parse(write_lines(values.known)).lines()), values.unknown)


def fields_of(values: Values) -> dict[str, Any]:
    """The fields in a policy's form: known entries, then unknown ones."""
    fields = read_fields(values.known)
    for field, unknown in values.unknown.items():
        if unknown:
            listed = fields[field] if isinstance(fields[field], tuple) else ()  # else "none"
            fields[field] = (*listed, *unknown)
    if fields["allow_aws"] == (GRANTED,):
        fields["allow_aws"] = GRANTED
    return fields


def _to_setting(field: str, value: object) -> str | None:
    """The value of a field's variable. None: the variable is omitted."""
    if KINDS[field] == "switch":
        if not isinstance(value, bool):
            raise ShieldPolicyError(field, f"{value!r} is not a boolean; use True or False")
        return "on" if value else "off"
    if field in UNSET and value is None:
        return None
    return check_text(field, value)


def _read_entries(field: str, value: object) -> tuple[str | None, tuple[Any, ...]]:
    if field == "allow_aws" and value is None:
        return None, ()
    if field == "allow_aws" and isinstance(value, str):
        text = check_text(field, value)
        if text not in _SCOPES:
            raise ShieldPolicyError(
                field, f'{text!r} is not "all", "none" or "granted"; write services as a list: [{text!r}]'
            )
        return ("none", (GRANTED,)) if text == GRANTED else (text, ())
    entries = _check_list(field, value)
    if field == "deny_outbound" and (late := [entry for entry in entries if is_unknown(field, entry)]):
        raise ShieldPolicyError(field, f"{late[0]!r} is known only at deployment; write hosts and networks as texts")
    unknown = [check_unknown(field, entry) for entry in entries if is_unknown(field, entry)]
    known = ",".join(_check_entry(field, entry) for entry in entries if not is_unknown(field, entry))
    without = "none" if field == "allow_aws" else None if field in UNSET else ""
    return known or without, tuple(dict.fromkeys(unknown))


def _check_list(field: str, value: object) -> Sequence[object]:
    if isinstance(value, str):
        raise ShieldPolicyError(field, f"{value!r} is one text; write a list: [{value!r}]")
    if not isinstance(value, Sequence):
        raise ShieldPolicyError(field, f"{value!r} is not a list of texts")
    return value


def _check_entry(field: str, entry: object) -> str:
    text = check_text(field, entry)
    host, by, packages = text.partition(BY) if field == "allow_outbound" else (text, "", "")
    text = replace_dummy(field, host)
    if field in ("allow_outbound", "deny_outbound"):
        check_scripts(field, text)
        text = to_ascii(field, text) + by + packages
    if field == "allow_child_process":
        check_program(field, text.strip(" \t"))
    if field == "allow_aws" and text in ("all", "none"):
        raise ShieldPolicyError(field, f"{entry!r} is not a service; write {field}={entry!r}, without a list")
    if not text.strip(" \t"):
        raise ShieldPolicyError(field, "an entry is empty; leave it out")
    if "," in text:
        others = "write or between packages" if by else "write one entry for each"
        fix = "use ? in its place" if field == "allow_tmp" else others
        raise ShieldPolicyError(field, f"{entry!r} has a comma, which separates entries; {fix}")
    if field == "allow_aws" and not is_service(text) and (meant := service_meant(text)):
        raise ShieldPolicyError(field, f"{entry!r} is not an AWS service as botocore calls them; {meant}")
    return text


def unknown_entries(values: Values) -> tuple[tuple[str, Any], ...]:
    """(field, entry) of entries known only at deployment."""
    return tuple((field, entry) for field, entries in values.unknown.items() for entry in entries)
