"""Detects a shared processor: a virtual one may be half of a core, whose other half is at times busy for others."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

_LOOPS = 30_000  # a third of a millisecond
_SHARED = 1.25  # so much longer than at best: a core whose other half is busy takes up to twice as long
_PAUSE = 0.05  # seconds

T = TypeVar("T")


@dataclass(frozen=True)
class Pairs(Generic[T]):
    """What was measured of both sides in turn: (unshielded, shielded)."""

    kept: list[tuple[T, T]]
    left_out: int
    shared: int  # of those that are kept

    def note(self, what: str) -> list[str]:
        """A line about the pairs during which another program used the processor."""
        parts = {"left out": self.left_out, "kept all the same": self.shared}
        said = [f"{count} pairs of {what} were {came_to}" for came_to, count in parts.items() if count]
        return [f"{'; '.join(said)}: another program used the processor"] if said else []


class Watch:
    """Knows how long a loop takes at best on a processor."""

    pauses = 10  # that a pair waits at most for quiet: a neighbour is busy for seconds at a time

    def __init__(self, processor: int) -> None:
        self._processor = processor
        self._least = min(self.look() for _ in range(100))

    def look(self) -> float:
        """How long the loop takes now, in seconds."""
        others = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {self._processor})
        began = time.perf_counter()
        for _ in range(_LOOPS):
            pass
        took = time.perf_counter() - began
        os.sched_setaffinity(0, others)
        return took

    def pairs(self, measure: Callable[[bool], T], wanted: int, tries: int) -> Pairs[T]:
        """So many pairs of `measure(shielded)`, whose sides take turns in being the first; one more is made before.

        A pair begins when the processor is quiet, or after half a second. It is made again when it was busy before,
        between or after its sides, up to `tries` times as many in all; those whose slowest look was the quickest are
        kept.
        """
        made: list[tuple[float, tuple[T, T]]] = []
        for turn in range(tries * wanted + 1):
            sides: dict[bool, T] = {}
            looks = [self._wait_for_quiet()]
            for shielded in (turn % 2 == 1, turn % 2 == 0):
                sides[shielded] = measure(shielded)
                looks.append(self.look())
            made += [(max(looks), (sides[False], sides[True]))] if turn else []
            self._least = min(self._least, *looks)
            if self._quiet(made) >= wanted:
                break
        made.sort(key=lambda pair: pair[0])
        kept = made[:wanted]
        return Pairs([pair for _, pair in kept], len(made) - len(kept), len(kept) - self._quiet(kept))

    def _wait_for_quiet(self) -> float:
        """The last look, which found the processor quiet unless it never was."""
        for _ in range(self.pauses):
            look = self.look()
            if self._is_quiet(look):
                return look
            time.sleep(_PAUSE)
        return self.look()

    def _is_quiet(self, look: float) -> bool:
        return look < _SHARED * self._least

    def _quiet(self, made: list[tuple[float, tuple[T, T]]]) -> int:
        return sum(self._is_quiet(slowest) for slowest, _ in made)
