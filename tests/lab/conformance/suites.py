"""What a suite of tests is to those who run and compare it: a list of modules, and something that runs one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.conformance.outcomes import Run

# The network again, with `localhost` at an address that is not loopback: then connections are judged, not let pass.
# A module's name may end so, in the lists and on the command line.
OUTWARD = "@outward"


class SuiteError(Exception):
    """There is nothing to run, or nothing to run it with; one line says what to do about it."""


@dataclass(frozen=True)
class Conditions:
    """How modules are run.

    Attributes:
        layer: the folder that is a function's /opt.
        filtered: with Lambda's seccomp filter.
        seconds: the longest that a module (Node.js: a test) may take in one mode.
        runtime: what runs the tests, as the suite understands it; empty for its own choice.
    """

    layer: Path
    filtered: bool
    seconds: float
    runtime: str = ""


class Runner(Protocol):
    """Runs the modules of one suite."""

    def has(self, module: str) -> bool:
        """Whether there are tests of that name here."""
        ...

    def run(self, module: str, mode: str, tests: Sequence[str] = ()) -> Run:
        """One module, or some of its tests, in a new sandbox.

        Raises:
            SandboxError: there is no sandbox, or the shield did not arm.
        """
        ...


@dataclass(frozen=True)
class Suite:
    """A third party's tests of a runtime.

    Attributes:
        title: whose tests they are.
        full, quick: the modules; the longest first, since two run side by side.
        seconds: of `Conditions`, if nobody says otherwise.
        prepare: gets what is needed, once; raises SuiteError.
    """

    title: str
    full: Sequence[str]
    quick: Sequence[str]
    seconds: float
    prepare: Callable[[Conditions], Runner]
