"""How a case is declared.

A case is a function. It returns when the forbidden thing was done, with what it got by it, and raises OSError when it
was refused. What it left behind (files in /tmp, marks of programs that ran, packets) is looked at from outside.
"""

from __future__ import annotations

import errno
import functools
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

MACHINE = os.environ.get("CASES_MACHINE") or platform.machine()  # where cases are only listed, it may be another


@dataclass(frozen=True)
class Case:
    """What must happen. The function itself says nothing of modes.

    must        deny: refused in block mode; same: as unshielded in every mode
    refusal     the errno of a denial
    alerts      least and most alert lines; for `same` in each of the modes block and alert
    says        the policies that the lines name, when it is not the policy itself
    settings    further settings; `{mode}` in them is the mode
    box         where: lambda (the emulated sandbox), or unfiltered (without its seccomp filter)
    alone       in a process of its own
    scene       what /tmp holds beside the usual (outside: scene.py)
    attach      which ways of attaching make sense
    unless      why the thing may be impossible even unshielded: it does not count then
    not_in      modes in which it is not run, and why
    leaves      at most so many descriptors stay open where something is enforced, and only there: a written limit
    """

    name: str
    policy: str
    must: str = "deny"
    refusal: tuple[int, ...] = (errno.EACCES,)
    alerts: tuple[int, int] = (1, 1)
    says: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    box: str = "lambda"
    alone: bool = False
    scene: str = ""
    attach: tuple[str, ...] = ("wrapper", "late")
    unless: str = ""
    not_in: Mapping[str, str] = field(default_factory=dict[str, str])
    leaves: int = 0


Function = Callable[[], Any]
F = TypeVar("F", bound=Function)
CASES: dict[str, Case] = {}
FUNCTIONS: dict[str, Function] = {}


def _declare(policy: str, machine: str | None, **facts: Any) -> Callable[[F], F]:
    def keep(function: F) -> F:
        if machine in (None, MACHINE):
            assert function.__name__ not in CASES, function.__name__
            CASES[function.__name__] = Case(function.__name__, policy, **facts)
            FUNCTIONS[function.__name__] = function
        return function

    return keep


def attempt(policy: str, *, machine: str | None = None, **facts: Any) -> Callable[[F], F]:
    """Must be denied in block mode, done and reported in alert mode, done in allow mode."""
    return _declare(policy, machine, must="deny", **facts)


def unchanged(policy: str, *, machine: str | None = None, **facts: Any) -> Callable[[F], F]:
    """Must come to the same in every mode as unshielded."""
    facts.setdefault("alerts", (0, 0))
    return _declare(policy, machine, must="same", **facts)


def effects(declare: Callable[[Function], object], /, **functions: Function) -> None:
    """Declares expressions as `each` does whose value tells nothing: what they leave behind has to be seen."""

    def without_value(function: Function) -> Function:
        @functools.wraps(function)
        def case() -> None:
            function()

        return case

    from ways import each  # not there for who only wants to know what a case is

    each(declare, **{name: without_value(function) for name, function in functions.items()})
