"""Runs cases in every mode and way: those that can share a process do, as starting one takes longer than most cases."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from security.cases.catalogue import WAYS, Case
from security.cases.session import UNSHIELDED, Outcome, Session
from security.cases.verdicts import GOOD, NOT_RUN, impossible, verdict
from security.cases.world import World


@dataclass
class Result:
    """A verdict for each mode."""

    case: Case
    verdicts: dict[str, str] = field(default_factory=dict[str, str])
    impossible: str | None = None

    @property
    def not_tried(self) -> str:
        """Why none of it was run."""
        words = [*self.verdicts.values()]
        if self.impossible is not None and self.case.unless:
            return f"{self.impossible} ({self.case.unless})"
        return words[0] if words and all(word.startswith(NOT_RUN) for word in words) else ""

    @property
    def as_expected(self) -> bool:
        words = self.verdicts.values()
        return self.impossible is None and all(word in GOOD or word.startswith(NOT_RUN) for word in words)


class Suite:
    """Sandboxes are made when they are first needed, and end with the stack."""

    def __init__(self, layer: Path, stack: ExitStack) -> None:
        self._layer, self._stack = layer, stack
        self._worlds: dict[bool, World] = {}
        self._unshielded: dict[str, Outcome] = {}

    def _world(self, case: Case) -> World:
        filtered = case.box == "lambda"
        if filtered not in self._worlds:
            self._worlds[filtered] = self._stack.enter_context(World(self._layer, filtered))
        return self._worlds[filtered]

    def run(self, cases: Sequence[Case], way: str, modes: Sequence[str]) -> Iterator[Result]:
        """What comes of cases that are attached in one way."""
        waiting = [case for case in cases if case.name not in self._unshielded]
        for kind in dict.fromkeys((case.box, case.ready) for case in waiting):
            alike = [case for case in waiting if (case.box, case.ready) == kind]
            self._unshielded |= self._batch(alike, UNSHIELDED, WAYS[0])
        for batch in _batches(cases):
            results = {case.name: Result(case) for case in batch}
            for case in batch:
                results[case.name].impossible = impossible(case, self._unshielded[case.name])
            possible = [case for case in batch if results[case.name].impossible is None]
            for mode in modes:
                self._mode(possible, mode, way, results)
            yield from results.values()

    def _mode(self, cases: Sequence[Case], mode: str, way: str, results: dict[str, Result]) -> None:
        here = [case for case in cases if mode not in case.not_in]
        for case in cases:
            if mode in case.not_in:
                results[case.name].verdicts[mode] = f"{NOT_RUN}: {case.not_in[mode]}"
        for name, outcome in self._batch(here, mode, way):
            results[name].verdicts[mode] = verdict(results[name].case, mode, self._unshielded[name], outcome)

    def _batch(self, cases: Sequence[Case], mode: str, way: str) -> Iterator[tuple[str, Outcome]]:
        """The cases of a batch in one process; in another one after a case that ended it."""
        waiting = list(cases)
        while waiting:
            world = self._world(waiting[0])
            world.prepare(waiting[0].scene)
            session = Session(world, waiting[0], mode, way)
            if session.began.ended is not None:
                yield from ((case.name, session.began) for case in waiting)
                session.close()
                return
            while waiting:
                case = waiting.pop(0)
                outcome = session.run(case)
                yield case.name, outcome
                if outcome.ended is not None or (way == "late" and session.tells_once(case)):
                    break
            session.close()


def _batches(cases: Iterable[Case]) -> list[list[Case]]:
    """Cases that need the same process, together."""
    batches: dict[str, list[Case]] = {}
    for case in cases:
        key = json.dumps([case.box, case.ready, case.settings_in("{mode}"), dict(case.settings)], sort_keys=True)
        batches.setdefault(f"{key} {case.name}" if case.alone else key, []).append(case)
    return list(batches.values())
