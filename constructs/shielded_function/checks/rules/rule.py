"""The types of a rule, its context and its problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from ..finding import Severity
from ..model import Assembly, LambdaFunction

T = TypeVar("T")

ENVIRONMENT: Final = "Properties.Environment.Variables"
"""Where a function's variables are in its resource."""


class Problem(NamedTuple):
    """A problem that a rule finds in a function.

    Attributes:
        text: what is wrong: a clause that can follow the construct's path and a colon.
        fix: what to do: a clause that can follow the problem and a colon.
        location: the property that it is about.
    """

    text: str
    fix: str
    location: str = ""


@dataclass(frozen=True)
class Context:
    """The facts that a rule may read beside the function.

    Attributes:
        assembly: everything that is deployed together.
        production: path globs of production.
        perimeter: path globs of what a `ShieldPerimeter` has to cover.
    """

    assembly: Assembly
    production: Sequence[str] = ()
    perimeter: Sequence[str] = ()
    _read: dict[Callable[[Assembly], Any], Any] = field(default_factory=dict, init=False)

    def read(self, reader: Callable[[Assembly], T]) -> T:
        """A reader's result on the assembly: read once for all functions."""
        if reader not in self._read:
            self._read[reader] = reader(self.assembly)
        return self._read[reader]


@dataclass(frozen=True)
class Rule:
    """One rule about functions.

    Attributes:
        id: the stable id, `not-shielded`: what people acknowledge.
        severity: "error" or "warning".
        summary: what it finds, for a list of rules.
        check: the problems of one function.
        shielded_only: it is asked of shielded functions only.
    """

    id: str
    severity: Severity
    summary: str
    check: Callable[[LambdaFunction, Context], Iterable[Problem]]
    shielded_only: bool = field(default=True)
