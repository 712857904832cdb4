"""Is a processor shared? A virtual one may be half of a core, whose other half is at times busy for somebody else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_LOOPS = 30_000  # a third of a millisecond
_SHARED = 1.25  # so much longer than at best: a core whose other half is busy takes up to twice as long
_TRIES = 3  # for each pair that is wanted

T = TypeVar("T")


@dataclass
class Pairs(Generic[T]):
    """What was measured of both sides in turn: (unshielded, shielded)."""

    kept: list[tuple[T, T]] = field(default_factory=list[tuple[T, T]])
    left_out: int = 0
    shared: int = 0  # of those that are kept

    def note(self, what: str) -> list[str]:
        """A line about what was left out, or would have been."""
        parts = [
            f"{self.left_out} pairs of {what} were left out" if self.left_out else "",
            f"{self.shared} pairs of {what} were kept all the same" if self.shared else "",
        ]
        said = "; ".join(part for part in parts if part)
        return [f"{said}: somebody else was at work on the processor"] if said else []


class Watch:
    """Tells whether a loop takes as long as at best on a processor."""

    def __init__(self, processor: int) -> None:
        self._processor = processor
        self._least = min(self._time() for _ in range(100))

    def _time(self) -> float:
        others = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {self._processor})
        began = time.perf_counter()
        for _ in range(_LOOPS):
            pass
        took = time.perf_counter() - began
        os.sched_setaffinity(0, others)
        return took

    def is_quiet(self) -> bool:
        """Is nobody else at work there now?"""
        took = self._time()
        self._least = min(self._least, took)
        return took < _SHARED * self._least

    def pairs(self, measure: Callable[[bool], T], wanted: int) -> Pairs[T]:
        """So many pairs of `measure(shielded)`, whose sides take turns in being the first; one more is made before.

        A pair is made again when somebody else was at work before, between or after its sides; in all, up to three
        times as many are made.
        """
        quiet: list[tuple[T, T]] = []
        others: list[tuple[T, T]] = []
        for turn in range(_TRIES * wanted + 1):
            sides: dict[bool, T] = {}
            looks = [self.is_quiet()]
            for shielded in (turn % 2 == 1, turn % 2 == 0):
                sides[shielded] = measure(shielded)
                looks.append(self.is_quiet())
            if turn:
                (quiet if all(looks) else others).append((sides[False], sides[True]))
            if len(quiet) == wanted:
                break
        missing = min(wanted - len(quiet), len(others))
        return Pairs(quiet + others[:missing], len(others) - missing, missing)
