"""`python benchmarks/bench.py [--json] [--quick] [--only ROW ...]` (`make bench`): what the shield costs here, now.

Each row is measured unshielded and shielded in turns, in one run. The table shows medians, their ratio and
difference, and whether the target is met; `benchmarks/latest.json` holds the same. The exit status is 1 only when
something could not be measured: a missed target is a result.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from fnmatch import fnmatch
from pathlib import Path

import place
from growth import Grown, measure_growth
from measure import check_armed, measure, sides
from programs import CALLS as CALLS_SOURCES
from programs import build_shield, compile_program, machine
from rich import box
from rich.console import Console
from rich.table import Table
from rows import CALLS, CLIENTS, IMPORT, NETWORK_CALLS, MeasurementError, Need, Result

_HERE = Path(__file__).resolve().parent
_LATEST = _HERE / "latest.json"
_WIDTH_WITHOUT_TERMINAL = 120


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}" if value < 100 else f"{value:.1f}"


def _verdict(result: Result) -> str:
    doubt = "" if result.is_sure else "?"
    return {True: f"[green]met{doubt}[/]", False: f"[red]missed{doubt}[/]", None: "-"}[result.met]


def _figures(result: Result) -> tuple[str, str, str, str]:
    return (
        _number(result.unshielded),
        _number(result.shielded),
        "-" if result.ratio is None else f"{result.ratio:.3f}x",
        f"{'+' if result.difference >= 0 else '-'}{_number(abs(result.difference))}",
    )


def table(title: str, results: list[Result], notes: list[str]) -> Table:
    """A row for each result, with the notes below."""
    rows = Table(
        title=title,
        caption="\n".join(notes),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    rows.add_column("", no_wrap=True)
    for heading in ("without", "with", "ratio", "added", "target", ""):
        rows.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        rows.add_row(
            f"{result.row.what}, {result.row.unit}",
            *_figures(result),
            str(result.row.target or "-"),
            _verdict(result),
        )
    return rows


def growth_table(grown: list[Grown]) -> Table:
    """A row for each size, with a verdict beside the last."""
    rows = Table(title="The cost of growth (medians)", box=box.SIMPLE_HEAD, pad_edge=False)
    rows.add_column("", no_wrap=True)
    for heading in ("without", "with", "ratio", "added", ""):
        rows.add_column(heading, justify="right", no_wrap=True)
    for growth in grown:
        for result in growth.results:
            is_last = result is growth.results[-1]
            verdict = "[green]flat[/]" if growth.is_flat else f"[red]grows{'' if growth.is_sure else '?'}[/]"
            rows.add_row(
                f"{result.row.what}, {result.row.unit}",
                *_figures(result),
                verdict if is_last else "",
                end_section=is_last,
            )
    return rows


def show(rows: Table) -> None:
    """Prints a table, as wide as it needs to be where no terminal says how wide that may be."""
    console = Console()
    (console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL)).print(rows)


def _write(report: dict[str, object], to: Path) -> None:
    new = to.with_suffix(".new")
    new.write_text(json.dumps(report, indent=1) + "\n")
    new.replace(to)


def _run(as_json: bool, quick: bool, only: list[str], output: Path) -> None:
    progress = Console(stderr=True)
    machine()  # before anything is made
    here = place.enter([*sys.argv, "--output", place.reachable(output)])
    where = [here.note, place.pin()]
    shield, program = build_shield(), compile_program("calls", *CALLS_SOURCES)
    both = sides(shield, here.has)
    armed = json.loads(check_armed(both[1]))

    def rounds(number: int) -> int:
        return max(5, number // 10) if quick else number

    def wanted(name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in only)

    with progress.status("measuring") as status:
        results = measure(
            shield,
            program,
            has=here.has,
            rounds=rounds,
            wanted=wanted,
            report=lambda result: status.update(f"measured {result.row.name}"),
        )
    every = (*CALLS, *NETWORK_CALLS, *CLIENTS, IMPORT)
    with progress.status("measuring growth") as status:
        grown = measure_growth(both, program, has=here.has, rounds=rounds, wanted=wanted, report=status.update)
    notes = [
        f"Linux {platform.release()}, {machine()}, Python {platform.python_version()}; {'; '.join(where)}",
        f"armed in {armed['micros'] / 1000:.1f} ms: {armed['patched']} of {armed['sites']} sites patched",
        *(f"{result.row.what}: {result.note}" for result in results if result.note),
        *(
            f"{result.row.what}: from {result.spread[0]:.3f}x to {result.spread[1]:.3f}x, by pair of processes"
            for result in results
            if result.spread and Need.NETWORK in result.row.needs
        ),
        *(
            f"not measured without {need.value}: {', '.join(row.what for row in every if need in row.needs)}"
            for need in Need
            if need not in here.has
        ),
        *(["--quick: a tenth of the rounds, so the numbers are rough"] if quick else []),
    ]
    report: dict[str, object] = {
        "rows": [result.as_json() for result in results],
        "growth": [growth.as_json() for growth in grown],
        "notes": notes,
    }
    _write(report, output)
    if as_json:
        print(json.dumps(report, indent=1))
    else:
        show(table("What the shield costs (medians)", results, notes))
        show(growth_table(grown))


def main() -> int:
    """Measures and reports; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print latest.json instead of the table")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    parser.add_argument("--only", nargs="+", metavar="ROW", help="these rows (open_*; grow_* for those of growth)")
    parser.add_argument("--output", type=Path, default=_LATEST, help="where the JSON goes (default: %(default)s)")
    options = parser.parse_args()
    try:
        _run(options.json, options.quick, options.only or ["*"], options.output)
    except MeasurementError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
