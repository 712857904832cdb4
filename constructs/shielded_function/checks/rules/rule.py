"""The types of a rule, its context and its problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from ..finding import Severity
from ..model import Assembly, LambdaFunction

T = TypeVar("T")

ENVIRONMENT: Final = "Properties.Environment.Variables"
"""The property with a function's variables."""


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

    def read(self, reader: Callable[[Assembly], T]) -> T:
        """A reader's result on the assembly, cached for all functions."""
        if reader not in self._read:
            self._read[reader] = reader(self.assembly)
        return self._read[reader]


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
    check: Callable[[LambdaFunction, Context], Iterable[Problem]]
    shielded_only: bool = field(default=True)
