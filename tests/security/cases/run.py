"""`make cases`: every case in every mode, for each way of attaching, with its effect seen.

Prints a table, and writes `tests/security/cases/latest.json`. Exit status 1: something is not as it must be.
2: nothing could be run.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from security.cases.catalogue import MODES, WAYS, Case, cases
from security.cases.suite import Result, Suite
from security.cases.verdicts import GOOD, NOT_RUN
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import SandboxError
from shielded_function_runtime.build.native import BINARIES, BuildError, build

LATEST = Path(__file__).parent / "latest.json"


def _cell(result: Result, mode: str) -> str:
    word = result.verdicts.get(mode, NOT_RUN)
    if word in GOOD:
        return f"[green]{word}[/]"
    return "[yellow]-[/]" if word.startswith(NOT_RUN) else "[red]wrong[/]"


def _line(result: Result) -> str:
    found = result.impossible or ", ".join(f"{mode}: {word}" for mode, word in result.verdicts.items())
    return f"{'' if result.as_expected else 'WRONG '}{result.case.name}, {result.way}: {found}"


def _table(results: Sequence[Result]) -> Table:
    table = Table(title="What must happen, and what did", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("case", "policy", "attach", *MODES):
        table.add_column(heading, no_wrap=True)
    for result in results:
        cells = [_cell(result, mode) for mode in MODES] if result.counts else ["[yellow]cannot be tried[/]"]
        table.add_row(result.case.name, result.case.policy, result.way, *cells)
    return table


def _wrong(results: Sequence[Result]) -> list[str]:
    """What is wrong, in full."""
    return [
        f"{result.case.name}, {result.way}, {mode}: {word}"
        for result in results
        if not result.as_expected
        for mode, word in ({"unshielded": result.impossible} if result.impossible else result.verdicts).items()
        if word not in GOOD and not word.startswith(NOT_RUN)
    ]


def _summary(results: Sequence[Result]) -> list[str]:
    counted = [r for r in results if r.counts and r.case.section != "network"]
    names = {r.case.name for r in counted}
    attempts = {r.case.name for r in counted if r.case.must != "same"}
    sections = Counter(r.case.section for r in results if r.way == results[0].way)
    wrong = [r for r in results if not r.as_expected]
    reasons = [
        f"not counted: {r.case.name}: {r.impossible} ({r.case.unless or 'no reason is known: a failure'})"
        for r in results
        if r.impossible is not None and r.way == results[0].way
    ]
    reasons += [
        f"not run: {r.case.name} in mode {mode}: {why}"
        for r in results
        if r.way == results[0].way
        for mode, why in r.case.not_in.items()
        if mode in MODES
    ]
    return [
        *reasons,
        "cases by section: " + ", ".join(f"{section} {n}" for section, n in sections.items()),
        f"{len(names)} distinct cases without the network's, {len(attempts)} of them attempts that must be denied",
        f"{len(results) - len(wrong)} of {len(results)} rows as expected",
    ]


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs the cases.")
    parser.add_argument("names", nargs="*", help="only these; globs are understood")
    parser.add_argument("--json", action="store_true", help="print the results as JSON instead of a table")
    parser.add_argument("--list", action="store_true", help="print the cases' names and stop")
    parser.add_argument("--failures", action="store_true", help="print only the rows that are not as expected")
    parser.add_argument("--rows", action="store_true", help="print each row in a line as soon as it is known, as well")
    parser.add_argument("--attach", choices=WAYS, action="append", help="only this way of attaching")
    parser.add_argument("--mode", choices=MODES, action="append", help="only this mode")
    parser.add_argument("--layer", type=Path, help="a layer that is there, instead of the one that is built now")
    return parser.parse_args(argv)


def _chosen(patterns: Sequence[str]) -> list[Case]:
    return [case for case in cases() if not patterns or any(fnmatch.fnmatch(case.name, p) for p in patterns)]


def _layer(given: Path | None) -> Path:
    if given:
        return given
    build([f"layer/{architecture()}"])
    return BINARIES / "layer" / architecture()


def main(argv: Sequence[str] | None = None) -> int:
    options = _arguments(argv)
    console, errors = Console(width=None if sys.stdout.isatty() else 160), Console(stderr=True)
    chosen = _chosen(options.names)
    if options.list:
        print("\n".join(case.name for case in chosen))
        return 0
    if not chosen:
        errors.print("no case has such a name")
        return 2
    began = time.monotonic()
    try:
        layer = _layer(options.layer)
        with errors.status("starting") as status:

            def progress(case: Case, way: str, mode: str) -> None:
                status.update(f"{case.name}: {mode}, {way}")

            with Suite(layer, progress) as suite:
                results: list[Result] = []
                for result in suite.run(chosen, options.attach or WAYS, options.mode or MODES):
                    results.append(result)
                    if options.rows:
                        print(_line(result), flush=True)
    except (BuildError, SandboxError) as error:
        errors.print(f"the cases could not be run: {error}")
        return 2
    rows = {"cases": [result.row() for result in results]}
    if not (options.names or options.attach or options.mode):
        LATEST.write_text(json.dumps(rows, indent=1) + "\n")
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        shown = [r for r in results if not (options.failures and r.as_expected)]
        console.print(_table(shown))
        for line in _wrong(results):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        for line in _summary(results):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        console.print(f"{time.monotonic() - began:.0f} s")
    return 0 if all(result.as_expected for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
