"""What `bench_peers.py` found, as the tables of README.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from peer_attacks import ATTEMPTS, EVERY, MISSED, REPORTED
from peer_sides import AUDIT, INTERPOSER, NATIVE, NODE, NOTIFY, SHIELD
from rows import MeasurementError

BEGIN, END = "<!-- made by make bench-peers -->", "<!-- end -->"
# Attacks that each peer cannot see, by design.
_BLIND: Mapping[str, str] = {
    SHIELD: "machine code that goes around it (see the threat model)",
    INTERPOSER: "`syscall()` and other functions of libc, links, a child without LD_PRELOAD, DNS by hand",
    AUDIT: "ctypes, native code, links, children; Python only",
    NODE: "hosts, DNS; the handler must be readable; addons are off; Node.js only",
    NOTIFY: "what DNS asks, links, arguments that change after the look",
}


_COSTS = "Native as it is; else the ratio to native in the same round, ± half the distance between the quartiles:\n"


def text_of(report: Mapping[str, Any]) -> str:
    """Markdown."""
    return "\n".join(
        [
            _who(report),
            *([_COSTS, _costs(report["rows"])] if report["rows"] else []),
            "Of five attempts for each policy, those that were stopped (\\*: and reported, all of them):\n",
            _stops(report["attacks"]),
            " ".join(report["notes"]) + ".\n",
        ]
    )


def replace_section(page: Path, text: str) -> None:
    """Puts the text between the marks of a page. Raises MeasurementError where there are none."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise MeasurementError(f"{page.name} has no section between {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{text}{END}{after}")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _bold(name: str) -> str:
    return f"**{name}**" if name == SHIELD else name


def _of_20(attacks: Mapping[str, Mapping[str, str]], name: str) -> str:
    """In Python, and in JavaScript, where they differ."""
    found = [results for side, results in attacks.items() if side.rpartition(", ")[0] == name]
    return "; ".join(dict.fromkeys(str(sum(results[what] != MISSED for what in EVERY)) for results in found))


def _who(report: Mapping[str, Any]) -> str:
    rows = [
        (_bold(name), report["in_lambda"][name], _of_20(report["attacks"], name), blind)
        for name, blind in _BLIND.items()
    ]
    return _table(("", "in Lambda (emulated)", "stopped of 20 (Python; JavaScript)", "blind to"), rows)


def _costs(rows: Sequence[Mapping[str, Any]]) -> str:
    def cell(row: Mapping[str, Any], name: str) -> str:
        side = row["sides"].get(name)
        if not side:
            return "-"
        low, high = side["quartiles"]
        return f"{side['ratio']:.2f} ±{(high - low) / 2:.2f}"

    names = [name for name in _BLIND if any(name in row["sides"] for row in rows)]
    table = [
        (
            row["what"],
            f"{row['sides'][NATIVE]['median']:.2f} {row['unit']}",
            *(cell(row, name) for name in names),
        )
        for row in rows
    ]
    return _table(("", NATIVE, *map(_bold, names)), table)


def _stops(attacks: Mapping[str, Mapping[str, str]]) -> str:
    def cell(results: Mapping[str, str], names: Sequence[str]) -> str:
        stopped = [results[name] for name in names if results[name] != MISSED]
        return f"{len(stopped)}{'*' if stopped and all(one == REPORTED for one in stopped) else ''}"

    table = [
        (
            _bold(side) if side.startswith(SHIELD) else side,
            *(cell(results, names) for names in ATTEMPTS.values()),
            ", ".join(what for what in EVERY if results[what] == MISSED) or "nothing",
            results["allowed"],
        )
        for side, results in attacks.items()
        if not side.startswith(NATIVE)
    ]
    return _table(("", *ATTEMPTS, "missed", "of what is allowed"), table)
