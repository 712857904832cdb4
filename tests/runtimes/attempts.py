"""What an attempt is, what it came to, and whether that is what must happen. The same for every language.

An attempt is a function in the language that has its name. In the sandbox it is run with all the others of a function,
one after the other; the lines that the shield writes meanwhile are its own.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shielded_function_monitoring import Alert
from shielded_function_monitoring.alert import Policy

UNSHIELDED: Final = "unshielded"
BLOCK: Final = "block"
ALERT: Final = "alert"
ALLOW: Final = "allow"
MODES: Final = (UNSHIELDED, BLOCK, ALERT, ALLOW)


@dataclass(frozen=True)
class Attempt:
    """One thing that a program may try.

    Attributes:
        section: the file that it is in, where the language has several.
        name: of the function that does it.
        policy: what must stop it; None: it must work as unshielded in every mode, without an alert.
        code: what the language calls the error of a denial, or the error that is its cause.
        says: a pattern of the error's message, where it has no code.
        allow: globs of the entries that the alerts propose: of the first one at least one, of the others there may be
            where the attempt gets further; of `{id}` each has its own.
        seen: whether unshielded something of it is to be seen outside: at a server, at the name server, in /tmp.
        since: the first version of the language's runtime that has it.
        lacks: later versions that do not have it here.
        module_since: the same, where the handler is an ES module.
        threads: whether it is tried in a thread of its own too.
    """

    section: str
    name: str
    policy: Policy | None = None
    code: Sequence[str | int] = ()
    allow: Sequence[str] = ()
    seen: bool = False
    since: int = 0
    module_since: int = 0
    threads: bool = False
    says: str = ""
    lacks: Sequence[int] = ()

    @property
    def id(self) -> str:
        """Its name among all attempts; what it leaves outside is called so."""
        return f"{self.section}-{self.name}" if self.section else self.name


@dataclass(frozen=True)
class Outcome:
    """What an attempt came to in one mode.

    Attributes:
        ok: what it gave back, where it did not fail.
        error: what the program caught: `code`, `message`, and more; None: nothing.
        alerts: the shield's lines meanwhile.
        told: policy, mode and entry of all lines of the run: of one violation there is a line in a second.
        seen: whether something of it was seen outside.
    """

    ok: Any = None
    error: dict[str, Any] | None = None
    alerts: Sequence[Alert] = field(default_factory=tuple[Alert, ...])
    told: frozenset[tuple[str, str, str]] = frozenset()
    seen: bool = False


def problems(attempt: Attempt, id: str, outcomes: Mapping[str, Outcome]) -> list[str]:
    """What is not as it must be, in all modes: one line each. Nothing: all is well. `id`: the attempt's, or that of its
    repetition in a thread."""
    unshielded = outcomes[UNSHIELDED]
    if unshielded.error is not None:
        return [f"unshielded it fails, so that it proves nothing: {unshielded.error}"]
    found = []
    if unshielded.seen != attempt.seen:
        found.append(f"unshielded: seen outside: {unshielded.seen}")
    for mode, outcome in outcomes.items():
        denied = mode == BLOCK and attempt.policy is not None
        told = _not_denied(attempt, outcome) if denied else _unlike(unshielded, outcome)
        reported = attempt.policy is not None and mode in (BLOCK, ALERT)
        told += _alerts(attempt, id, mode, outcome) if reported else [f"alert: {a}" for a in outcome.alerts]
        found += [f"{mode}: {problem}" for problem in told]
    return found


def complaints(
    attempts: Iterable[Attempt],
    plain: Mapping[str, Outcome],
    made: Mapping[str, Outcome],
    mode: Callable[[Attempt], str] | str,
) -> dict[str, list[str]]:
    """What is not as it must be in one run, by the attempts' ids. `plain`: the run without the shield. `mode`: as which
    an attempt is treated."""
    found: dict[str, list[str]] = {}
    for a in attempts:
        treated = mode if isinstance(mode, str) else mode(a)
        if told := problems(a, a.id, {UNSHIELDED: plain[a.id], treated: made[a.id]}):
            found[a.id] = told
    return found


def _unlike(unshielded: Outcome, outcome: Outcome) -> list[str]:
    if outcome.error is not None:
        return [f"it fails: {outcome.error}"]
    found = []
    if outcome.ok != unshielded.ok:
        found.append(f"{outcome.ok!r} instead of {unshielded.ok!r}")
    if outcome.seen != unshielded.seen:
        found.append(f"seen outside: {outcome.seen}")
    return found


def _not_denied(attempt: Attempt, outcome: Outcome) -> list[str]:
    found = []
    if outcome.error is None:
        found.append(f"let through: {outcome.ok!r}")
    elif not _is_denial(attempt, outcome.error):
        found.append(f"not the error that it must be: {outcome.error}")
    if outcome.seen:
        found.append("it happened")
    return found


def _is_denial(attempt: Attempt, error: Mapping[str, Any]) -> bool:
    if attempt.says:
        return re.search(attempt.says, error["message"]) is not None
    return error.get("code", (error.get("cause") or {}).get("code")) in attempt.code


TOLD_ONCE: Final[Policy] = "read_handler"
"""Of each file a process tells once a minute: a test looks whether any attempt was told."""


def _alerts(attempt: Attempt, id: str, mode: str, outcome: Outcome) -> list[str]:
    found = [f"alert: {a}" for a in outcome.alerts if (a.policy, a.mode) != (attempt.policy, mode)]
    if attempt.policy == TOLD_ONCE and not outcome.alerts:
        return found
    proposed = {a.allow or "" for a in outcome.alerts}
    wanted = [entry.format(id=id) for entry in attempt.allow or ("",)]
    elsewhere = {allow for policy, told, allow in outcome.told if (policy, told) == (attempt.policy, mode)}
    strange = [p for p in sorted(proposed) if not any(fnmatch.fnmatchcase(p, entry) for entry in wanted)]
    if strange or not fnmatch.filter(proposed | elsewhere, wanted[0]):
        found.append(f"alerts that propose {sorted(proposed)} instead of {wanted}")
    return found
