"""The output of `learn`: tables, JSON, and the result of `--check`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from shielded_function_monitoring.filters import PLATFORM_PROGRAMS
from shielded_function_monitoring.learning.evidence import times
from shielded_function_monitoring.learning.learned import ACCEPT_ANY_TMP, ANY_TMP_MEANS, Finding, unknown_targets

from . import terminal
from .learned_policy import TOLERATED, Result, fields_of, required_denials

_SOME: Final = 3
_FUNCTIONS: Final = 10
"""Functions shown in full without `--all`."""
_FEWEST: Final = 5
"""The least number of rows of each table, however many functions there are."""

# Of each table: the headings, and the attributes in their columns.
_ENTRIES: Final = {
    "field": "field", "entry": "value", "times": "evidence.count", "days": "evidence.days", "when": "evidence.when",
    "who": "evidence.who", "note": "note",
}  # fmt: skip
_OFFERS: Final = {
    "field": "field", "entry": "accept", "names": "covers", "times": "evidence.count", "such as": "examples",
    "why": "why",
}  # fmt: skip
_DECISIONS: Final = {
    "rule": "rule", "what": "target", "times": "evidence.count", "who": "evidence.who",
    "why it is not learned": "reason", "the entry, if you want it": "accept",
}  # fmt: skip
_DENIED: Final = {
    "policy": "policy", "what": "target", "times": "evidence.count", "when, by whom": "evidence.summary",
    "the entry that would allow it": "value",
}  # fmt: skip
_SEEN: Final = {
    "function": "name", "cold starts": "learned.cold_starts", "learned": "learned.entries",
    "offered": "learned.offers", "to decide": "learned.findings", "still denied": "denied",
}  # fmt: skip
_NUMBERS: Final = ("times", "days", "names", *list(_SEEN)[1:])


def _listing(title: str, columns: Mapping[str, str], every: Sequence[Any], most: int | None) -> list[terminal.Listing]:
    """A table; none without a row."""
    rows = [list(map(_cell, attrgetter(*columns.values())(each))) for each in every]
    numbers = [each for each in columns if each in _NUMBERS]
    return [terminal.Listing(title, list(columns), rows, numbers, most)] if rows else []


def _cell(value: Any) -> str:
    """A text, a number, some examples, or how many there are."""
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{len(value) if isinstance(value, list) else value:,}" if not isinstance(value, str) else value


def as_json(result: Result) -> dict[str, Any]:
    """The result as JSON values."""
    learned = asdict(result.learned)
    lists = {"still_denied": result.denied, "lacking": result.lacking, "undecided": result.undecided}
    return {
        **learned.pop("key")._asdict(),
        "decisions": learned.pop("findings"),
        **learned,
        "policy": result.fields,
        **{name: [asdict(each) for each in every] for name, every in lists.items()},
        "problem": result.problem,
        "complete": result.is_complete,
        "accept": list(result.accept),
        "present": None if result.present is None else fields_of(result.present),
    }


def show_check(results: Sequence[Result], notes: Sequence[str], *, json: bool) -> bool:
    """Prints the entries that the present policies lack; True if they lack one, or may lack one."""
    without = [each.name for each in results if each.present is None]
    failing = [list(filter(_is_needed, result.lacking)) for result in results]
    missing = [f"{each.name}: {text}" for each in results for text in unknown_targets(_unknown(each))]
    missing += [f"{name}: its policy is unknown" for name in without]
    lacks = bool(missing or any(failing))
    if json:
        needed = [{"lacking": list(map(asdict, found))} for found in failing]
        functions = [as_json(result) | found for result, found in zip(results, needed, strict=True)]
        return show_lacking(lacks, notes, told={"unknown": without, "functions": functions})
    listings: list[terminal.Listing] = []
    for result, found in zip(results, failing, strict=True):
        listings += _listing(f"{result.name}: its policy lacks", _DENIED, found, None)
        title = f"{result.name}: its policy may admit this, by entries known only at deployment"
        listings += _listing(title, _DENIED, result.undecided, None)
    enough = [] if lacks else [f"{len(results)} functions: their policies admit all that was observed"]
    return show_lacking(lacks, notes, [*listings, *missing, *enough])


def show_lacking(
    lacks: bool,
    notes: Sequence[str],
    shown: Sequence[terminal.Listing | str] = (),
    told: Mapping[str, Any] | None = None,
) -> bool:
    """Prints the result of `--check`, which it returns: `told` as JSON where it is given, or else the lines."""
    if told is not None:
        terminal.print_json({"lacks": lacks, **told, "notes": notes})
        return lacks
    screen = terminal.console()
    for each in shown:
        screen.print(terminal.cell(each) if isinstance(each, str) else each)
    terminal.note(*notes)
    return lacks


def _is_needed(denied: Finding) -> bool:
    """Not a program that only describes the machine, whose caller continues when it is denied."""
    is_notice = denied.policy == "create_child_process" and denied.target in PLATFORM_PROGRAMS
    return bool(required_denials([denied])) and not is_notice


def _unknown(result: Result) -> dict[str, int]:
    """Violations with unknown targets, against controls that the present policy does not allow as a whole."""
    present, counts = result.present, result.learned.unknown.items()
    tolerated = {*TOLERATED, *(name for name, _ in counts if getattr(present, name, None) == "allow")}
    return {name: count for name, count in counts if present is not None and name not in tolerated}


def print_results(results: Sequence[Result], *, every: bool = False) -> None:
    """Prints tables: a summary of several functions first, then the rows of each that fit on a screen.

    Args:
        results: one of each observed function.
        every: print all rows of all functions.
    """
    screen = terminal.console()
    shown = results if every else results[:_FUNCTIONS]
    most = None if every else max(_FEWEST, terminal.MOST // max(1, len(shown)))
    if len(results) > 1:
        screen.print(*_listing("functions", _SEEN, results, None if every else terminal.MOST))
    for result in shown:
        learned = result.learned
        screen.rule(terminal.cell(f"{result.name}  {learned.key.region}".rstrip()), align="left")
        seen = f"{times(learned.cold_starts, 'cold start')}, {times(learned.days, 'day')} observed"
        if learned.admitted:
            seen += f"; {times(learned.admitted, 'violation')} that the present policy admits"
        screen.print(seen)
        for reason in learned.incomplete:
            screen.print(terminal.cell(f"incomplete: {reason}"), style="yellow")
        if result.problem:
            screen.print(terminal.cell(f"the learned entries make no valid policy: {result.problem}"), style="red")
        for note in learned.notes:
            screen.print(terminal.cell(f"note: {note}"), style="yellow")
        for title, columns, rows in (
            ("learned", _ENTRIES, [*learned.entries, *learned.presets]),
            ("offered: for names that do not repeat (--accept ENTRY adds one)", _OFFERS, learned.offers),
            ("to decide", _DECISIONS, learned.findings),
            ("in block mode, the learned policy would still deny", _DENIED, result.denied),
        ):
            for listing in _listing(title, columns, rows, most):
                screen.print(listing)
        if not (learned.entries or learned.presets):
            screen.print("nothing to add: the present policy admits all that can be learned")
        for text in completing_commands(result):
            screen.print(terminal.cell(text), style="yellow")
        if not result.denied:
            screen.print("replayed: the learned policy denies no observed violation", style="green")
    if len(shown) < len(results):
        left = f"{len(results) - len(shown):,} functions more: --function NAME shows one of them, --all shows all"
        screen.print(left)
    screen.print("the policy: --format toml prints it, --output FILE writes it")


def completing_commands(result: Result) -> list[str]:
    """The command that adds entries for the denied targets; empty where no more can be accepted."""
    if not (result.accept and result.then):
        return []
    program, *arguments = sys.argv
    command = shlex.join([Path(program).name.replace("__main__.py", "shielded-function"), *arguments])
    options = " ".join(f"--accept {shlex.quote(each)}" for each in result.accept)
    left = ", ".join(each.target or each.policy for each in required_denials(result.then.denied)[:_SOME])
    outcome = f"all but {left}" if left else "all of it"
    if unproven := ", ".join(result.then.learned.unproven):
        outcome += f"; for {unproven} the log has one start, and another may use other names"
    lines = [f"{result.name}: this command lets through {outcome}: {command} {options}"]
    if any(each.startswith(("/tmp/", ACCEPT_ANY_TMP)) for each in result.accept):
        lines.append(f"in place of patterns in /tmp, --accept {ACCEPT_ANY_TMP}: {ANY_TMP_MEANS}")
    return lines
