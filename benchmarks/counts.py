"""System calls and page faults of a row's calls: what time cannot tell where a machine is busy.

Where a process happens to lie in memory may save it a call or cost it some (an address that is on the stack's own page
needs no look, a child's library may not fit where the parent's lay). So counts are the least of several processes.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from measure import Side
from rows import MeasurementError, Row

_MOST = 100  # calls are enough: each makes the same
_SECONDS = 60.0
_TRIES_AT_LEAST, _TRIES = 2, 16


@dataclass(frozen=True)
class Counts:
    """For each call of a row, or for a whole program."""

    calls: float
    faults: float

    def least(self, other: Counts) -> Counts:
        """Of each the smaller."""
        return Counts(min(self.calls, other.calls), min(self.faults, other.faults))

    def minus(self, other: Counts, divisor: int = 1) -> Counts:
        """The difference, shared among so many."""
        return Counts((self.calls - other.calls) / divisor, (self.faults - other.faults) / divisor)


def why_not(counter: Path) -> str:
    """Why counting is impossible here: ptrace(2) is refused in some containers. Empty where it works."""
    done = subprocess.run([str(counter), "1", "/bin/true"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 and done.stdout else done.stderr.strip() or "ptrace(2) is refused"


def count_row(counter: Path, side: Side, argv: Sequence[str], row: Row) -> Counts:
    """For each call of the row, once warm, in one process. Raises MeasurementError."""
    few = replace(row, count=max(row.threads, min(row.count, _MOST) // row.threads * row.threads))
    marks = _marks(counter, side, argv, f"{few.request}\n" * 2)
    if len(marks) != 3:
        raise MeasurementError(f"{side.name}: {row.name}: counted {len(marks)} times instead of 3")
    return marks[1].minus(marks[0], few.count)


def count_program(counter: Path, side: Side, argv: Sequence[str]) -> Counts:
    """From the exec of the wrapper, or the program, to its end. Raises MeasurementError."""
    return _marks(counter, side, argv, "")[-1]


def added(count: Callable[[Side], Counts], both: tuple[Side, Side], is_enough: Callable[[Counts], bool]) -> Counts:
    """What the shield adds, by the least of both sides: of some processes, or as many as it takes to be enough."""
    plain, shielded = count(both[0]), count(both[1])
    for tried in range(1, _TRIES):
        if tried >= _TRIES_AT_LEAST and is_enough(shielded.minus(plain)):
            break
        plain, shielded = plain.least(count(both[0])), shielded.least(count(both[1]))
    return shielded.minus(plain)


def _marks(counter: Path, side: Side, argv: Sequence[str], stdin: str) -> list[Counts]:
    reading, writing = os.pipe()
    try:
        done = subprocess.run(
            [str(counter), str(writing), *side.command(*argv)],
            env=dict(side.environment),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            pass_fds=(writing,),
            check=False,
        )
        os.close(writing)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or [""]
            raise MeasurementError(f"{side.name}: {' '.join(argv)}: exit status {done.returncode}: {said[-1]}")
        with os.fdopen(reading, closefd=False) as lines:
            return [Counts(*map(float, line.split())) for line in lines]
    finally:
        os.close(reading)
