"""Exceptions with an end date (alert mode, acknowledgements and other reasons), and the expired ones. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shielded_function_monitoring.cfn.template import Place

from ..errors import ShieldError
from ..policy.dates import split_reason
from ..policy.fields import MODES
from .finding import Finding, Severity
from .templates import Assembly, LambdaFunction

EXPIRED: Final = "expired"

_LATER: Final = "give it a later day"


@dataclass(frozen=True)
class Temporary:
    """A temporary setting.

    Attributes:
        place: the construct.
        what: the setting, in words.
        until: the first day on which it is a finding; empty for alert mode without an end.
        reason: its reason.
        fix: the change that ends it.
        error: why its date is unreadable; empty for a readable one.
    """

    place: Place
    what: str
    until: str
    reason: str
    fix: str
    error: str = ""

    def is_expired(self, today: str) -> bool:
        """Whether its date is reached, or is unreadable."""
        return bool(self.error) or "" < self.until <= today


def read_exceptions(assembly: Assembly) -> list[Temporary]:
    """The exceptions of an assembly by end date; those without an end last."""
    found = [each for function in assembly.functions for each in _of_function(function)]
    for other in assembly.others:
        found += _of_reason(other.place, other.left_out, "left out of shielding", "shield it, or take it out")
    for rule, reasons in assembly.acknowledged.items():
        for path, reason in reasons.items():
            found += _of_reason(Place(path), reason, f"acknowledgement of {rule}", "solve the problem")
    return sorted(found, key=lambda each: (each.until or "~", each.place.path, each.what))


def find_expired(exceptions: list[Temporary], today: str, severity: Severity) -> Iterator[Finding]:
    """The findings of expired exceptions."""
    for each in exceptions:
        if each.is_expired(today):
            why = f" ({each.reason})" if each.reason else ""
            problem = f"{each.what}: {each.error or f'to end by {each.until}{why}'}"
            yield Finding(
                EXPIRED, severity, each.place, problem, each.fix if each.error else f"{each.fix}, or {_LATER}"
            )


def _of_function(function: LambdaFunction) -> Iterator[Temporary]:
    yield from _of_reason(function.place, function.left_out, "left out of shielding", "shield it")
    policy = function.policy.policy if function.is_shielded else None
    if policy is None:
        return
    alerting = [mode for mode in MODES if getattr(policy, mode) == "alert"]
    if alerting:
        yield Temporary(
            function.place,
            f"alert mode of {', '.join(alerting)}",
            str(policy.until or ""),
            "",
            "set block, with the entries that `shielded-function learn` prints",
        )


def _of_reason(place: Place, reason: str, what: str, fix: str) -> Iterator[Temporary]:
    try:
        until, rest = split_reason(reason)
    except ShieldError:
        fix = "begin it as in `until 2027-01-31: ...`"
        yield Temporary(place, what, "", reason, fix, f"its reason has an unreadable date: {reason!r}")
        return
    if until:
        yield Temporary(place, what, until, rest, fix)
