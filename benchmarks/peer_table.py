"""The tables of README.md: what `bench_peers.py` found, and what was found before of the peers that it does not run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from peer_attacks import ATTEMPTS, EVERY, MISSED, REPORTED
from peer_sides import AUDIT, INTERPOSER, NATIVE, NODE, NOTIFY, SHIELD
from rows import MeasurementError

BEGIN, END = "<!-- made by make bench-peers -->", "<!-- end -->"
# What each cannot see, by its design.
_BLIND: Mapping[str, str] = {
    SHIELD: "machine code that goes around it (see the threat model)",
    INTERPOSER: "`syscall()` and other functions of libc, links, a child without LD_PRELOAD, DNS by hand",
    AUDIT: "ctypes, native code, links, children; Python only",
    NODE: "hosts, DNS; the handler must be readable; addons are off; Node.js only",
    NOTIFY: "what DNS asks, links, arguments that change after the look",
}
# Measured on 2026-11-28 on such a machine, in one run with the above. They need tools of half a gigabyte, so
# `make bench-peers` does not run them.
_ELSEWHERE: Sequence[tuple[str, ...]] = (
    (
        "sandlock 0.9.0",
        "no: PR_SET_PDEATHSIG, EPERM",
        "what DNS asks; without a callback all programs",
        "17.9x",
        "2.68x",
        "1.85x",
        "13; 18",
    ),
    (
        "Landlock ABI 7",
        "no: ENOSYS on 5.10",
        "addresses, names, UDP; the loader; memfd",
        "1.23x",
        "1.02x",
        "1.00x",
        "13",
    ),
    (
        "bubblewrap 0.8.0",
        "no: PR_SET_NO_NEW_PRIVS, EPERM",
        "hosts, programs, the handler",
        "0.98x",
        "1.01x",
        "0.97x",
        "5; 10",
    ),
    ("gVisor, systrap", "no: fork/exec, EPERM", "isolates; has no such policy", "13.0x", "6.38x", "14.4x", "-"),
    (
        "FunctionShield 2.0.16",
        "loads; without a token all passes",
        "whatever is not a hooked function of libc",
        "1.01x",
        "1.29x",
        "6.16x",
        "0",
    ),
)


def text_of(report: Mapping[str, Any]) -> str:
    """Markdown."""
    return "\n".join(
        [
            _who(report),
            "Native as it is; else the ratio to native in the same round, ± half the distance between the quartiles:\n",
            _costs(report["rows"]),
            "Of five attempts for each policy, those that were stopped (\\*: and reported, all of them):\n",
            _stops(report["attacks"]),
            "Not run by `make bench-peers`, but on 28 November 2026 on such a machine, in the same way:\n",
            _table(("", "in Lambda", "blind to", "open+close", "TCP connect", "spawn", "stopped of 20"), _ELSEWHERE),
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


def _who(report: Mapping[str, Any]) -> str:
    def of_20(name: str) -> str:
        found = [results for side, results in report["attacks"].items() if side.partition(", ")[0] == name]
        return "; ".join(str(sum(results[what] != MISSED for what in EVERY)) for results in found)

    rows = [(_bold(name), report["in_lambda"][name], of_20(name), blind) for name, blind in _BLIND.items()]
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
