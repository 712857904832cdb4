"""One module, unshielded and in every mode: what differs, and whether it goes away when it is tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.conformance.by_design import is_meant
from lab.conformance.outcomes import UNSHIELDED, Difference, Run, compare
from lab.conformance.suites import Runner

RERUNS = 2


@dataclass
class ModuleResult:
    """One module: its runs by mode, and the differences by mode."""

    module: str
    runs: dict[str, Run]
    differences: dict[str, list[Difference]]

    @property
    def complaints(self) -> list[str]:
        """Lines of the shield that should not be: it tells each start, and nothing at all of what is allowed."""
        found: list[str] = []
        for mode, run in self.runs.items():
            armed = {"armed": run.starts}
            expected = {UNSHIELDED: {}, "allow": armed}.get(mode, {**run.alerts, **armed})
            if run.events != expected:
                found.append(f"{mode}: {self.module}: the shield wrote {dict(run.events)}, expected {dict(expected)}")
        return found

    @property
    def standing(self) -> list[Difference]:
        """The differences that did not go away, and are not meant."""
        return [d for mode, found in self.differences.items() for d in found if d.stands and not _is_meant(mode, d)]

    @property
    def meant(self) -> list[Difference]:
        """Those that are (by_design.py)."""
        return [d for mode, found in self.differences.items() for d in found if d.stands and _is_meant(mode, d)]

    @property
    def flaky(self) -> list[Difference]:
        """Those that did."""
        return [d for found in self.differences.values() for d in found if not d.stands]


def _is_meant(mode: str, difference: Difference) -> bool:
    return all(is_meant(mode, difference.test, outcome) for outcome in difference.shielded)


def run_module(runner: Runner, module: str, modes: Sequence[str]) -> ModuleResult:
    """Runs a module unshielded and in every mode, and once more, alone, each test that differs."""
    runs = {mode: runner.run(module, mode) for mode in (UNSHIELDED, *modes)}
    differences = {mode: compare(runs[UNSHIELDED], runs[mode]) for mode in modes}
    for mode, found in differences.items():
        _repeat(runner, module, mode, found)
    return ModuleResult(module, runs, differences)


def _repeat(runner: Runner, module: str, mode: str, found: Sequence[Difference]) -> None:
    if not found:
        return
    tests = [d.test for d in found]
    for _ in range(RERUNS):
        unshielded, shielded = (runner.run(module, each, tests) for each in (UNSHIELDED, mode))
        for difference in found:
            difference.unshielded.append(unshielded.of(difference.test))
            difference.shielded.append(shielded.of(difference.test))
