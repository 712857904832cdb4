"""`python benchmarks/bench_peers.py [--quick] [--untimed]` (`make bench-peers`): the shield beside what else there is.

The rows that a peer has something to do with, native, shielded and under each peer, all asked in every round in an
order that is drawn anew, on one processor: a supervisor shares it with what it supervises. Then the same twenty
attempts under each, and a start where Lambda's restrictions are emulated. Writes `peers.json` and, unless told
otherwise, the tables in README.md.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import peer_attacks
import peer_in_lambda
import peer_sides
import peer_table
import place
from measure import Caller, Side, milliseconds
from programs import CALLS as CALLS_SOURCES
from programs import HERE, compile_program
from rich.console import Console
from rows import CALLS, STARTUP, MeasurementError, Need, Row

_LATEST = HERE / "peers.json"
_NAMES = ("getppid", "stat", "openat_close", "open_layer", "connect_tcp", "connect_udp", "spawn")
_FEWER = 5  # calls in a round: a supervisor takes many times as long
_PYTHON = (Row("py_open", "Python's open", "us", None, 100, count=200, scale=1e-3),)
_NODE = (Row("js_open", "fs.openSync", "us", None, 100, count=200, scale=1e-3),)
_START_NODE = Row("start_node", "start of Node.js", "ms", None, rounds=20)
Values = dict[str, list[float]]


@dataclass(frozen=True)
class Group:
    """Rows, how they are asked, and under what."""

    sides: Sequence[Side]
    argv: tuple[str, ...]
    rows: Sequence[Row]


def _in_turn(rounds: int, sides: dict[str, Callable[[], float]]) -> Values:
    """One more round, not counted, warms up."""
    draw = random.Random(0)
    values: Values = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name in draw.sample(list(sides), len(sides)):
            value = sides[name]()
            if number:
                values[name].append(value)
    return values


def _ask(row: Row, group: Group, rounds: int) -> Values:
    values: Values = {side.name: [] for side in group.sides}
    for _ in range(row.processes):
        with ExitStack() as stack:
            callers = {side.name: stack.enter_context(Caller(side, group.argv)) for side in group.sides}
            asked = _in_turn(max(2, rounds // row.processes), {n: lambda c=c: c.ask(row) for n, c in callers.items()})
        for name, found in asked.items():
            values[name] += found
    return values


def _start(row: Row, group: Group, rounds: int) -> Values:
    return _in_turn(rounds, {side.name: lambda s=side: milliseconds(s, group.argv) for side in group.sides})


def _summary(row: Row, values: Values) -> dict[str, object]:
    """Medians; ratios to native of the same round, with their quartiles."""
    native = values[peer_sides.NATIVE]
    sides: dict[str, object] = {}
    for name, found in values.items():
        ratios = [mine / plain for mine, plain in zip(found, native, strict=True)]
        low, _, high = quantiles(ratios, n=4)
        sides[name] = {
            "median": round(median(found), 4),
            "ratio": round(median(ratios), 4),
            "quartiles": [round(low, 4), round(high, 4)],
        }
    return {"name": row.name, "what": row.what, "unit": row.unit, "sides": sides}


def _measure(built: peer_sides.Built, has: frozenset[Need], quick: bool, report: Callable[[str], None]) -> list[object]:
    program = str(compile_program("calls", *CALLS_SOURCES))
    named = {row.name: row for row in CALLS}
    calls = [named[name] for name in _NAMES if named[name].needs <= has]
    python = peer_sides.of_python(built)
    asked = [
        Group(peer_sides.any_language(built), (program,), [_shorter(row) for row in calls]),
        Group(python, (sys.executable, str(peer_sides.PEERS / "calls_python.py")), _PYTHON),
        Group(peer_sides.of_node(built), (str(peer_sides.PEERS / "calls.cjs"),), _NODE),
    ]
    started = [
        Group(python, (sys.executable, "-c", "pass"), (STARTUP,)),
        Group(peer_sides.of_node(built), (str(peer_sides.PEERS / "nothing.cjs"),), (_START_NODE,)),
    ]
    found: list[object] = []
    for measure, groups in ((_ask, asked), (_start, started)):
        for group in groups:
            for row in group.rows:
                report(row.name)
                found.append(_summary(row, measure(row, group, max(8, row.rounds // (8 if quick else 1)))))
    return found


def _shorter(row: Row) -> Row:
    """In microseconds, as most take several."""
    in_ns = row.unit == "ns"
    return Row(
        row.name,
        row.what,
        "us" if in_ns else row.unit,
        None,
        row.rounds,
        count=max(1, row.count // _FEWER),
        scale=1e-3 if in_ns else row.scale,
        needs=row.needs,
    )


def _run(quick: bool, untimed: bool, write: bool, output: Path) -> None:
    here = place.enter([*sys.argv, "--output", place.reachable(output)])
    if here.has != frozenset(Need):
        raise MeasurementError("needs a network namespace and a mount namespace of its own: run it as root")
    notes = [f"Linux {platform.release()}, Python {platform.python_version()}; {here.note}; {place.pin()}"]
    built = peer_sides.build()
    progress = Console(stderr=True)
    with progress.status("measuring") as status:
        report = {
            "rows": []
            if untimed
            else _measure(built, here.has, quick, lambda name: status.update(f"measuring {name}")),
            "attacks": peer_attacks.attack(built, lambda name: status.update(f"attacking under {name}")),
            "in_lambda": peer_in_lambda.try_all(built),
            "notes": notes,
        }
    output.write_text(json.dumps(report, indent=1) + "\n")
    text = peer_table.text_of(report)
    print(text)
    if write and not quick:
        peer_table.replace_section(HERE / "README.md", text)


def main() -> int:
    """Measures and reports; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="an eighth of the rounds; README.md is not written")
    parser.add_argument("--untimed", action="store_true", help="only the attempts and the start in Lambda")
    parser.add_argument("--no-write", action="store_true", help="leave README.md as it is")
    parser.add_argument("--output", type=Path, default=_LATEST, help="where the JSON goes (default: %(default)s)")
    options = parser.parse_args()
    try:
        _run(options.quick, options.untimed, not options.no_write, options.output)
    except MeasurementError as error:
        print(f"bench-peers: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
