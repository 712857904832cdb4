"""The types of a rule, its context and its problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from ...globs import covers
from ...policy import ShieldPolicy
from ..finding import Severity
from ..templates import Assembly, LambdaFunction

T = TypeVar("T")

ENVIRONMENT: Final = "Properties.Environment.Variables"
"""The property with a function's variables."""


def variable(field: str) -> str:
    """The property that holds a field of the policy."""
    return f"{ENVIRONMENT}.SHIELD_{field.upper()}"


class Problem(NamedTuple):
    """A problem that a rule finds in a function.

    Attributes:
        text: the problem: a clause that can follow the construct's path and a colon.
        fix: the fix: a clause that can follow the problem and a colon.
        location: the property in question.
        severity: its own, where it is not the rule's.
    """

    text: str
    fix: str
    location: str = ""
    severity: Severity | None = None


@dataclass(frozen=True)
class Context:
    """The facts that a rule may read besides the function.

    Attributes:
        assembly: the synthesized app.
        production: path globs of production.
        perimeter: path globs of functions that a `ShieldPerimeter` must cover.
    """

    assembly: Assembly
    production: Sequence[str] = ()
    perimeter: Sequence[str] = ()
    _read: dict[Callable[[Assembly], Any], Any] = field(default_factory=dict, init=False)

    def is_production(self, function: LambdaFunction) -> bool:
        """Whether a function is configured as production."""
        return any(covers(glob, function.place.path) for glob in self.production)

    def read(self, reader: Callable[[Assembly], T]) -> T:
        """A reader's result on the assembly, cached for all functions."""
        if reader not in self._read:
            self._read[reader] = reader(self.assembly)
        return self._read[reader]


Check = Callable[[LambdaFunction, Context], Iterable[Problem]]
PolicyCheck = Callable[[LambdaFunction, ShieldPolicy, Context], Iterable[Problem]]


def of_policy(check: PolicyCheck) -> Check:
    """A check of functions whose policy is known."""

    def checked(function: LambdaFunction, context: Context) -> Iterable[Problem]:
        policy = function.policy.policy
        return () if policy is None else check(function, policy, context)

    return checked


def where(fits: Callable[[LambdaFunction], object], text: str, fix: str, location: str = "") -> Check:
    """A check that finds the same in each function that fits; its text has fields of the function: `{0.runtime}`."""
    return lambda function, _: [Problem(text.format(function), fix, location)] if fits(function) else []


@dataclass(frozen=True)
class Rule:
    """One rule about functions.

    Attributes:
        id: the stable id, `not-shielded`, for acknowledgements.
        severity: "error" or "warning".
        summary: a summary for a list of rules.
        check: the problems of one function.
        shielded_only: whether it applies only to shielded functions.
    """

    id: str
    severity: Severity
    summary: str
    check: Check
    shielded_only: bool = field(default=True)
