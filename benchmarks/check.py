"""`python benchmarks/check.py [--record]` (`make bench-check`): finds rows that became clearly worse than recorded.

Compares with `recorded.json`, which stands in the repository: a creep is seen in the change that makes it. The
figures tolerate a busy machine: system calls and page faults are counted, and times are the processor's, taken in
pairs. A row whose time is worse is measured twice more, and is worse only if it is each time. `--record` writes the
file: for a change that is meant to cost more, or made something cheaper. The exit status is 1 when a row became worse.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import place
from comparison import Figures, is_slower, ratio_and_interval, worse
from counts import Counts, added, count_program, count_row, why_not
from measure import Side, check_armed, pairs_of_processes, sides
from network import served
from programs import CALLS as CALLS_SOURCES
from programs import build_shield, compile_program, machine
from rich.console import Console
from rows import CALLS, NETWORK_CALLS, SIZE, STARTUP, MeasurementError, Need, Row

_RECORDED = Path(__file__).resolve().with_name("recorded.json")
_ROUNDS, _PROCESSES = 60, 6
_TRIES = 3
_BUDGET = 75.0  # seconds, for times: where a machine is so busy that they run out, rows are only counted
_SHORTER = 4  # rounds of fewer calls: an interrupted round is one of many
# So many more calls or faults say nothing. How often a lookup waits is the name server's doing. A denied one reads the
# code behind each word on the stack that points into code.
_SLACK = 0.2
_SLACKS = {STARTUP.name: 8.0, "lookup": 3.0, "denied_lookup": 60.0}
_PASS = (sys.executable, "-S", "-c", "pass")
# Most of what these take is the name server's, or another's whose turn it is.
_NOT_TIMED = frozenset({"denied_lookup", "lookup", "everything"})


@dataclass(frozen=True)
class Checked:
    """The programs and the place of a check."""

    both: tuple[Side, Side]
    program: Path
    counter: Path | None
    has: frozenset[Need]

    def rows(self) -> list[Row]:
        """The rows of calls that the place has all for."""
        return [row for row in (*CALLS, *NETWORK_CALLS) if row.needs <= self.has and row.name != "everything"]

    def count(self, row: Row, recorded: Figures) -> Figures:
        """The shield's cost of one call; nothing where counting is impossible."""
        if self.counter is None:
            return Figures()
        counter = self.counter
        return self._added(lambda side: count_row(counter, side, [str(self.program)], row), recorded, row)

    def count_start(self, recorded: Figures) -> Figures:
        """The shield's cost of a start of Python."""
        if self.counter is None:
            return Figures()
        counter = self.counter
        return self._added(lambda side: count_program(counter, side, _PASS), recorded, STARTUP)

    def _added(self, count: Callable[[Side], Counts], recorded: Figures, row: Row) -> Figures:
        def is_enough(found: Counts) -> bool:
            return recorded.calls is not None and not worse(recorded, _figures(found), _SLACKS.get(row.name, _SLACK))

        return _figures(added(count, self.both, is_enough))

    def time(self, row: Row) -> Figures:
        """The ratio of the processor's time."""
        count = max(row.threads, row.count // _SHORTER // row.threads * row.threads)
        short = replace(row, count=count, rounds=_ROUNDS, processes=_PROCESSES)
        ratio, interval = ratio_and_interval(pairs_of_processes(short, self.both, (str(self.program), "--cpu")))
        return Figures(ratio=round(ratio, 4), interval=(round(interval[0], 4), round(interval[1], 4)))


def _figures(found: Counts) -> Figures:
    return Figures(calls=round(found.calls, 2), faults=round(found.faults, 2))


def _measure(checked: Checked, recorded: Mapping[str, Figures], status: Console) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    until = time.monotonic() + _BUDGET
    for row in checked.rows():
        status.print(f"checking {row.name}", highlight=False)
        known = recorded.get(row.name, Figures())
        figures = checked.count(row, known)
        if row.name not in _NOT_TIMED and (not recorded or time.monotonic() < until):
            timed = checked.time(row)
            for _ in range(_TRIES - 1):
                if not is_slower(known, timed):
                    break
                timed = checked.time(row)
            figures = replace(timed, calls=figures.calls, faults=figures.faults)
        found[row.name] = figures
    found[STARTUP.name] = checked.count_start(recorded.get(STARTUP.name, Figures()))
    return found


def _report(recorded: Mapping[str, Figures], found: Mapping[str, Figures]) -> list[str]:
    lines: list[str] = []
    for name, figures in found.items():
        became = worse(recorded.get(name, Figures()), figures, _SLACKS.get(name, _SLACK))
        lines += [f"{name}: {what}" for what in became]
    return lines


@dataclass(frozen=True)
class Record:
    """The contents of the file: the machine, and its rows."""

    architecture: str
    rows: Mapping[str, Figures]

    @classmethod
    def read(cls, file: Path) -> Record:
        """Raises MeasurementError."""
        try:
            found = json.loads(file.read_text())
        except FileNotFoundError as error:
            raise MeasurementError(f"there is no {file}: make it with --record") from error
        return cls(found["architecture"], {name: Figures.from_json(row) for name, row in found["rows"].items()})

    def write(self, file: Path) -> None:
        """With what else tells why figures may differ."""
        report = {
            "architecture": self.architecture,
            "machine": f"Linux {platform.release()}, {' '.join(platform.libc_ver())}, load {os.getloadavg()[0]:.1f}",
            "rows": {name: figures.as_json() for name, figures in self.rows.items()},
        }
        file.write_text(json.dumps(report, indent=1) + "\n")


def _run(record: bool, file: Path) -> int:
    progress = Console(stderr=True, quiet=not sys.stderr.isatty())
    began = time.monotonic()
    known = Record(machine(), {}) if record else Record.read(file)
    if known.architecture != machine():
        print(f"bench-check: nothing is recorded for {machine()}: compared nothing")
        return 0
    here = place.enter([*sys.argv, "--recorded", place.reachable(file)])
    place.pin()
    shield = build_shield()
    both = sides(shield, here.has)
    check_armed(both[1])
    program, counter = compile_program("calls", *CALLS_SOURCES), compile_program("count", "count.c")
    refusal = why_not(counter)
    checked = Checked(both, program, None if refusal else counter, here.has)
    with served(program.with_name("authority.pem"), here.has):
        found = _measure(checked, known.rows, progress)
    found[SIZE.name] = Figures(size=round(shield.with_name("libshield.so").stat().st_size / 1024, 1))
    if record:
        Record(machine(), found).write(file)
        print(f"bench-check: recorded {len(found)} rows in {file.name}")
        return 0
    lines = _report(known.rows, found)
    untimed = [
        name for name, row in found.items() if row.ratio is None and name in known.rows and known.rows[name].ratio
    ]
    new, gone = sorted(found.keys() - known.rows.keys()), sorted(known.rows.keys() - found.keys())
    notes = [
        *([f"not recorded yet: {', '.join(new)}"] if new else []),
        *([f"recorded, but not measured: {', '.join(gone)}"] if gone else []),
        *([f"no time was left to time: {', '.join(untimed)}"] if untimed else []),
        *([f"calls and faults were not counted: {refusal}"] if refusal else []),
        *(f"rows that need {need.value} were not checked" for need in Need if need not in here.has),
    ]
    for line in (*notes, *lines):
        print(f"bench-check: {line}")
    print(f"bench-check: {len(found)} rows, {len(lines)} figures became worse ({time.monotonic() - began:.0f} s)")
    return 1 if lines else 0


def main() -> int:
    """Measures and compares; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write the figures instead of comparing with them")
    parser.add_argument("--recorded", type=Path, default=_RECORDED, metavar="FILE", help="default: %(default)s")
    options = parser.parse_args()
    try:
        return _run(options.record, options.recorded)
    except MeasurementError as error:
        print(f"bench-check: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
