"""Policies derived from others: with all modes set, or with added lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from ..errors import ShieldPolicyError
from .fields import ENTRIES, GRANTED, KINDS, MODES, Mode


def with_modes(fields: Mapping[str, Any], mode: Mode) -> dict[str, Any]:
    """The fields of the policy with every mode set, except those that are "allow".

    A mode that is left to the runtime (executable_memory=None) stays.

    Raises:
        ShieldPolicyError: there is no such mode.
    """
    if mode not in get_args(Mode):
        raise ShieldPolicyError("", f"with_mode: {mode!r} is not a mode; use block, alert or allow")
    modes = (field for field in MODES if fields[field] not in ("allow", None))
    return {**fields, **dict.fromkeys(modes, mode)}


def add(base: Mapping[str, Any], more: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `base` with the lists and the presets of `more` added.

    Raises:
        ShieldPolicyError: `more` sets a field that is no list.
    """
    for field in (*KINDS, "until"):
        if field not in ENTRIES and more[field] != defaults[field]:
            raise ShieldPolicyError(
                field,
                f"{more[field]!r} cannot be added: only the lists of the right policy are; set it on the left one, "
                f"with dataclasses.replace(policy, {field}={more[field]!r})",
            )
    lists = {field: (*base[field], *more[field]) for field in ENTRIES if field != "allow_aws"}
    lists["presets"] = (*base["presets"], *more["presets"])
    return {**base, **lists, "allow_aws": _add_aws(base["allow_aws"], more["allow_aws"])}


def _add_aws(base: Any, more: Any) -> Any:
    # NAME=value lines without SHIELD_ALLOW_AWS have "all" too.
    if base == "all" or more in ("all", "none", None):
        return base
    services = [(value,) if isinstance(value, str) else value for value in (base or GRANTED, more) if value != "none"]
    return tuple(entry for entries in services for entry in entries)
