"""The policy of a function in a template: its SHIELD_* variables, and the file that they name.

A value known only at deployment is a placeholder in the policy. Equal expressions have equal placeholders, so that two
templates can be compared. Rules about entries skip placeholders.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, Final

from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from shielded_function.policy.fields import MODES, NOT_POLICY
from shielded_function.policy.texts import BY
from shielded_function_monitoring.cfn.parts import expression, parts, with_known

PLACEHOLDER: Final = "known-at-deployment-"

_LISTS: Final = tuple(
    f"SHIELD_{f.name.upper()}" for f in fields(ShieldPolicy) if f.name.startswith(("allow_", "deny_"))
)
# The form of an entry that is only an expression, accepted by the core.
_FORMS: Final = {
    "SHIELD_ALLOW_OUTBOUND": "{}.invalid",
    "SHIELD_DENY_OUTBOUND": "{}.invalid",
    "SHIELD_ALLOW_TMP": "/tmp/{}",
    "SHIELD_ALLOW_CHILD_PROCESS": "/{}",
}
_NOT_POLICY: Final = (*NOT_POLICY, "SHIELD_POLICY_FILE")

# An entry of allow_outbound whose host alone is an expression: its protocol, star and port can be kept.
_HOST_ALONE: Final = re.compile(rf"((?:tcp|udp)://)?(\*\.)?({PLACEHOLDER}[0-9a-f]{{12}})(:\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class FunctionPolicy:
    """The known parts of a function's policy.

    Attributes:
        policy: the policy; None for none or a wrong one.
        error: why it is wrong; else empty.
        late: expressions known only at deployment, by variable.
        placeholders: the expression of each placeholder in the policy, or the text with placeholders in its place.
    """

    policy: ShieldPolicy | None = None
    error: str = ""
    late: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])
    placeholders: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False)

    def with_until(self, until: str) -> FunctionPolicy:
        """The policy with the end date that the function's construct recorded, as no variable holds it."""
        if not until or self.policy is None or not any(getattr(self.policy, mode) == "alert" for mode in MODES):
            return self
        return replace(self, policy=replace(self.policy, until=until))

    def show(self, text: str) -> str:
        """A text with expressions in place of their placeholders."""
        return _show(text, self.placeholders)

    def parts(self, text: str) -> Iterator[Any]:
        """The parts of a text: literal ones, and expressions in place of their placeholders."""
        return _parts(text, self.placeholders)


def read_policy(
    environment: Mapping[str, Any], lines: str = "", known: Mapping[str, str] | None = None
) -> FunctionPolicy:
    """The policy of a function.

    Args:
        environment: its variables; values may be intrinsics.
        lines: the text of its policy file. Lists in both are joined.
        known: values of `Ref` at deployment, unless overridden: pseudo parameters, and defaults of parameters.
    """
    settings: dict[str, str] = {}
    late: dict[str, list[str]] = {}
    shown: dict[str, Any] = {}
    for name, value in environment.items():
        if not name.startswith("SHIELD_") or name in _NOT_POLICY:
            continue
        text = _flatten(with_known(value, known or {}), shown)
        if PLACEHOLDER not in text:
            settings[name] = text
            continue
        entries = text.split(",") if name in _LISTS else [text]
        late[name] = [_show(entry, shown) for entry in entries if PLACEHOLDER in entry]
        if name in _LISTS:
            settings[name] = ",".join(_substitute(name, each, shown) for each in entries if _can_substitute(name, each))
            if name == "SHIELD_ALLOW_AWS" and not settings[name]:
                settings[name] = "none"
    if not settings and not late and not lines.strip():
        return FunctionPolicy()
    try:
        # Every setting is known only at deployment: the defaults hold.
        policy = _parsed(tuple(settings.items()), lines) if settings or lines.strip() else ShieldPolicy()
        return FunctionPolicy(policy, "", late, shown)
    except ShieldPolicyError as error:
        return FunctionPolicy(None, str(error), late)


@lru_cache
def _parsed(settings: Sequence[tuple[str, str]], lines: str) -> ShieldPolicy:
    """Parses a policy; cached, as many functions share one."""
    return ShieldPolicy.from_env(dict(settings), lines or None)


def _flatten(value: Any, shown: dict[str, Any]) -> str:
    """A value as text, with a placeholder for each part known only at deployment."""
    return "".join(part if isinstance(part, str) else _placeholder(part, shown) for part in parts(value))


def _placeholder(value: Any, shown: dict[str, Any]) -> str:
    text = json.dumps(value, sort_keys=True)
    key = PLACEHOLDER + hashlib.sha256(text.encode()).hexdigest()[:12]
    shown[key] = value
    return key


def _parts(text: str, shown: Mapping[str, Any]) -> Iterator[Any]:
    every = "|".join(sorted(map(re.escape, shown), key=len, reverse=True))
    for piece in re.split(f"({every})", text) if every else [text]:
        value = shown.get(piece)
        yield from _parts(value, shown) if isinstance(value, str) else [value or piece]


def _show(text: str, shown: Mapping[str, Any]) -> str:
    return "".join(part if isinstance(part, str) else expression(part) for part in _parts(text, shown))


def _can_substitute(name: str, entry: str) -> bool:
    # A placeholder cannot be a service name: the core knows all of them.
    return name != "SHIELD_ALLOW_AWS" or PLACEHOLDER not in entry


def _substitute(name: str, entry: str, shown: dict[str, Any]) -> str:
    """An entry with an expression, in a form that the core accepts."""
    if PLACEHOLDER not in entry:
        return entry
    if name == "SHIELD_ALLOW_OUTBOUND":
        host, by, packages = entry.strip().partition(BY)
        match = _HOST_ALONE.fullmatch(host)
        if match:
            shown[f"{match[3]}.invalid"] = shown[match[3]]
            return f"{match[1] or ''}{match[2] or ''}{match[3]}.invalid{match[4] or ''}{by}{packages}"
    if name == "SHIELD_ALLOW_TMP" and entry.strip().startswith("/tmp/"):
        return entry
    if name == "SHIELD_ALLOW_CHILD_PROCESS" and entry.strip().removeprefix("unshielded:").startswith("/"):
        return entry
    whole = _FORMS.get(name, "{}").format(PLACEHOLDER + hashlib.sha256(entry.encode()).hexdigest()[:12])
    shown[whole] = entry
    return whole
