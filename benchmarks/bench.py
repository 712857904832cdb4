"""`python benchmarks/bench.py [--json] [--quick]` (`make bench`): what the shield costs, on this machine, now.

Each row is measured unshielded and shielded in turns, in one run. The table shows medians, their ratio and
difference, and whether the target is met; `benchmarks/latest.json` holds the same. The exit status is 1 only when
something could not be measured: a missed target is a result.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path

import place
from measure import MeasurementError, check_armed, measure, sides
from rich import box
from rich.console import Console
from rich.table import Table
from rows import CLIENTS, NETWORK_CALLS, Result

from shielded_function_runtime.build import native

_HERE = Path(__file__).resolve().parent
_LATEST = _HERE / "latest.json"
_WIDTH_WITHOUT_TERMINAL = 120
_CALLS = (_HERE / "calls.c", _HERE / "network_calls.c")
_OUTPUT = _HERE.parent / ".zig-cache" / "benchmarks" / "calls"


def machine() -> str:
    """This machine's architecture. Raises MeasurementError where the shield does not run."""
    name = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())
    if sys.platform != "linux" or name not in native.ARCHITECTURES:
        raise MeasurementError(f"the shield runs on Linux, x86_64 or aarch64; this is {sys.platform}, {name}")
    return name


def _prepare(architecture: str) -> tuple[Path, Path]:
    """Brings the wrapper, its library and `calls.c` up to date. Returns the wrapper and the compiled calls."""
    layer = f"layer/{architecture}/shielded-function"
    try:
        native.build([layer])
    except native.BuildError as error:
        raise MeasurementError(str(error)) from error
    _OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-o", str(_OUTPUT), *map(str, _CALLS)]
    command = [sys.executable, "-m", "ziglang", "cc", "-target", f"{architecture}-linux-gnu.2.17", *flags]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MeasurementError(f"{' or '.join(file.name for file in _CALLS)} does not compile: {done.stderr.strip()}")
    return native.BINARIES / layer / "shield", _OUTPUT


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}" if value < 100 else f"{value:.1f}"


def _verdict(result: Result) -> str:
    doubt = "" if result.is_sure else "?"
    return {True: f"[green]met{doubt}[/]", False: f"[red]missed{doubt}[/]", None: "-"}[result.met]


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
            _number(result.unshielded),
            _number(result.shielded),
            "-" if result.ratio is None else f"{result.ratio:.3f}x",
            f"{'+' if result.difference >= 0 else '-'}{_number(abs(result.difference))}",
            str(result.row.target or "-"),
            _verdict(result),
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


def _run(as_json: bool, quick: bool, output: Path) -> None:
    progress = Console(stderr=True)
    architecture = machine()
    here = place.enter([*sys.argv, "--output", place.reachable(output)])
    where = [here.note, place.pin()]
    shield, program = _prepare(architecture)
    armed = json.loads(check_armed(sides(shield)[1]))
    with progress.status("measuring") as status:
        results = measure(
            shield,
            program,
            with_network=here.network,
            rounds=lambda rounds: max(5, rounds // 10) if quick else rounds,
            report=lambda result: status.update(f"measured {result.row.name}"),
        )
    need_network = {row.name: row.what for row in (*NETWORK_CALLS, *CLIENTS)}
    notes = [
        f"Linux {platform.release()}, {architecture}, Python {platform.python_version()}; {'; '.join(where)}",
        f"armed in {armed['micros'] / 1000:.1f} ms: {armed['patched']} of {armed['sites']} sites patched",
        *(f"{result.row.what}: {result.note}" for result in results if result.note),
        *(
            f"{result.row.what}: from {result.spread[0]:.3f}x to {result.spread[1]:.3f}x, by pair of processes"
            for result in results
            if result.spread and result.row.name in need_network
        ),
        *([] if here.network else [f"not measured without a network namespace: {', '.join(need_network)}"]),
        *(["--quick: a tenth of the rounds, so the numbers are rough"] if quick else []),
    ]
    report: dict[str, object] = {"rows": [result.as_json() for result in results], "notes": notes}
    _write(report, output)
    if as_json:
        print(json.dumps(report, indent=1))
    else:
        show(table("What the shield costs (medians)", results, notes))


def main() -> int:
    """Measures and reports; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print latest.json instead of the table")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    parser.add_argument("--output", type=Path, default=_LATEST, help="where the JSON goes (default: %(default)s)")
    options = parser.parse_args()
    try:
        _run(options.json, options.quick, options.output)
    except MeasurementError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
