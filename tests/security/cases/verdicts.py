"""Is what a case came to what must happen? Every sentence here that is not one of the two good words is a failure."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from security.cases.catalogue import Case
from security.cases.session import Outcome

DENIED, SAME = "denied", "as unshielded"
NOT_RUN = "not run"
_MEMORY = "executable_memory"
GOOD = (DENIED, SAME)


def _named(number: int | None) -> str:
    return "done" if number is None else errno.errorcode.get(number, str(number))


def impossible(case: Case, outcome: Outcome) -> str | None:
    """Why an attempt proves nothing here: it fails, or does nothing, without a shield."""
    if outcome.ended is not None or outcome.error:
        return f"unshielded it ends the process ({outcome.ended}): {outcome.error}"
    denies = case.must == "deny"
    if denies and outcome.errno is not None:
        return f"unshielded it fails with {_named(outcome.errno)}"
    nothing = outcome.evidence is None or outcome.evidence is False
    if denies and not outcome.effects and nothing:
        return "unshielded it has no effect that could be seen"
    return None


def _lines(case: Case, mode: str, outcome: Outcome) -> str | None:
    """What is wrong with the alert lines."""
    if outcome.broken:
        return outcome.broken
    least, most = case.alerts if mode != "allow" else (0, 0)
    told = {(alert["policy"], alert["mode"]) for alert in outcome.alerts}
    if not least <= outcome.reported <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        return f"{outcome.reported} alerts instead of {wanted}: {_summary(outcome)}"
    says = set(case.says or (case.policy,))
    if case.must == "deny" and (wrong := {t for t in told if t[0] not in says or t[1] != mode}):
        return f"the line says {sorted(wrong)}"
    return None


def _summary(outcome: Outcome) -> str:
    told = [line for line in (*outcome.alerts, *outcome.events) if "policy" in line]
    return "; ".join(f"{line.get('event', '')} {line['policy']} {line.get('details')}" for line in told[:4])


def _unlike(unshielded: Outcome, outcome: Outcome, leaves: int) -> str | None:
    """How an outcome differs from the unshielded one, which leaves one to so many descriptors open, or none for 0."""
    if outcome.errno != unshielded.errno:
        return f"{_named(outcome.errno)} ({outcome.evidence}) instead of {_named(unshielded.errno)}"
    if outcome.evidence != unshielded.evidence:
        return f"{outcome.evidence!r} instead of {unshielded.evidence!r}"
    if outcome.effects != unshielded.effects:
        return f"effects {outcome.effects} instead of {unshielded.effects}"
    if outcome.left_open is not None and not bool(leaves) <= outcome.left_open - (unshielded.left_open or 0) <= leaves:
        return f"{outcome.left_open} descriptors left open instead of {unshielded.left_open}"
    return None


def verdict(case: Case, mode: str, unshielded: Outcome, outcome: Outcome) -> str:
    """One of GOOD, or what is wrong."""
    if outcome.ended is not None:
        return f"the process ended with {outcome.ended}: {outcome.error}"
    if outcome.error:
        return f"failed: {outcome.error}"
    if mode == "block" and case.must == "deny":
        return _denied(case, unshielded, outcome) or DENIED
    leaves = 0 if mode == "allow" else case.leaves
    return _unlike(unshielded, outcome, leaves) or _lines(case, mode, outcome) or SAME


def _denied(case: Case, unshielded: Outcome, outcome: Outcome) -> str | None:
    if outcome.errno is None:
        return f"let through: {outcome.evidence!r} {outcome.effects}"
    # What is denied there is the mapping; that a file was written first is nobody's business.
    happened = {kind: what for kind, what in outcome.effects.items() if kind != "tmp" or case.policy != _MEMORY}
    if happened:
        return f"refused, but it happened: {happened}"
    if outcome.errno not in case.refusal:
        return f"refused with {_named(outcome.errno)} instead of {_names(case.refusal)}"
    if (outcome.left_open or 0) > max(unshielded.left_open or 0, 0):
        return f"{outcome.left_open} descriptors left open"
    return _lines(case, "block", outcome)


def _names(numbers: Sequence[int]) -> str:
    return " or ".join(_named(number) for number in numbers)
