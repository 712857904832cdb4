"""The output of `learn`: tables, JSON, and the result of `--check`."""

from __future__ import annotations

import json as json_module
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from shielded_function.policy.presets import PRESETS
from shielded_function_monitoring.filters import PLATFORM_PROGRAMS
from shielded_function_monitoring.learning import Denied, Heading, write_toml
from shielded_function_monitoring.learning.learner import ANY_TMP, ANY_TMP_MEANS
from shielded_function_monitoring.learning.writing import beside_entry

from . import terminal
from .learned_policy import TOLERATED, Result, accept_argument, fields_of, required_denials
from .naming_presets import PREFIX

_SOME: Final = 3


def as_json(result: Result) -> dict[str, Any]:
    """The result as JSON values."""
    learned = result.learned
    return {
        **learned.key._asdict(),
        "cold_starts": learned.cold_starts,
        "days": learned.days,
        "incomplete": learned.incomplete,
        "notes": learned.notes,
        "policy": result.fields,
        "entries": [asdict(each) for each in learned.entries],
        "presets": [asdict(each) for each in learned.presets],
        "settings": learned.settings,
        "offers": [asdict(each) for each in learned.offers],
        "decisions": [asdict(each) for each in learned.findings],
        "still_denied": [asdict(each) for each in result.denied],
        "lacking": [asdict(each) for each in result.lacking],
        "problem": result.problem,
        "complete": result.is_complete,
        "accept": list(result.accept),
        "undecided": [asdict(each) for each in result.undecided],
        "present": None if result.present is None else fields_of(result.present),
    }


def show_check(results: Sequence[Result], notes: Sequence[str], *, whole: bool, json: bool) -> bool:
    """Prints the entries that the present policies lack; True if they lack one, or may lack one.

    Args:
        results: one of each observed function.
        notes: further notes to print.
        whole: whether all of the log was read.
        json: print JSON.
    """
    unknown = [str(each.learned.key) for each in results if each.present is None]
    failing = {each.learned.key: [d for d in required_denials(each.lacking) if not _is_notice(d)] for each in results}
    unseen = {each.learned.key: _count_unknown_targets(each) for each in results}
    lacks = bool(unknown) or not whole or any(failing.values()) or any(unseen.values())
    if json:
        functions = [{**as_json(each), "lacking": [asdict(d) for d in failing[each.learned.key]]} for each in results]
        print(json_module.dumps({"lacks": lacks, "unknown": unknown, "notes": notes, "functions": functions}, indent=2))
        return lacks
    screen = terminal.console()
    for result in results:
        key, found = result.learned.key, failing[result.learned.key]
        if found:
            screen.print(denied_table(f"{key}: its policy lacks", found))
        for policy, count in unseen[key].items():
            text = f"{key}: {count:,} violations of {policy} were counted and not written: their targets are unknown"
            screen.print(terminal.cell(text))
        if result.undecided:
            title = f"{key}: its policy may admit this, by entries known only at deployment"
            screen.print(denied_table(title, result.undecided))
    for name in unknown:
        screen.print(terminal.cell(f"{name}: its policy is unknown"))
    if not lacks:
        screen.print(f"{len(results)} functions: their policies admit all that was observed")
    for note in notes:
        terminal.note(note)
    return lacks


def _is_notice(denied: Denied) -> bool:
    """Whether the program only describes the machine: its caller continues when it is denied."""
    return denied.policy == "create_child_process" and denied.target in PLATFORM_PROGRAMS


def _count_unknown_targets(result: Result) -> dict[str, int]:
    """Violations with unknown targets, against controls that the present policy does not allow as a whole."""
    if result.present is None:
        return {}
    policies = {name: count for name, count in result.learned.unknown.items() if name not in TOLERATED}
    return {name: count for name, count in policies.items() if getattr(result.present, name, None) != "allow"}


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
        screen.print(_summary(results, every=every))
    for result in shown:
        learned = result.learned
        screen.rule(terminal.cell(f"{learned.key}  {learned.key.region}".rstrip()), align="left")
        seen = f"{learned.cold_starts:,} cold starts, {learned.days:,} days observed"
        admitted = f"; {learned.admitted:,} violations that the present policy admits" if learned.admitted else ""
        screen.print(f"{seen}{admitted}")
        for reason in learned.incomplete:
            screen.print(terminal.cell(f"incomplete: {reason}"), style="yellow")
        if result.problem:
            screen.print(terminal.cell(f"the learned entries make no valid policy: {result.problem}"), style="red")
        for note in learned.notes:
            screen.print(terminal.cell(f"note: {note}"), style="yellow")
        rows = [
            (each.field, each.value, f"{each.evidence.count:,}", f"{each.evidence.days:,}", each.evidence.first[:10],
             each.evidence.last[:10], each.evidence.who, each.note)
            for each in learned.entries
        ]  # fmt: skip
        headings = ("field", "entry", "times", "days", "first", "last", "who", "note")
        if rows:
            screen.print(terminal.Listing("learned", headings, rows, ("times", "days"), most))
        elif not learned.presets:
            screen.print("nothing to add: the present policy admits all that can be learned")
        presets = [(each.value, f"{each.evidence.count:,}", each.settles, each.why) for each in learned.presets]
        if presets:
            headings = ("preset", "times", "settles", "the library")
            screen.print(terminal.Listing("presets, in place of entries", headings, presets, ("times",), most))
        offers = [
            (
                each.field,
                accept_argument(each.field, each.value),
                f"{each.covers:,}",
                f"{each.evidence.count:,}",
                ", ".join(each.examples),
                each.why,
            )
            for each in learned.offers
        ]
        headings = ("field", "entry", "names", "times", "such as", "why")
        if offers:
            title = "offered: for names that do not repeat (--accept ENTRY adds one)"
            screen.print(terminal.Listing(title, headings, offers, ("names", "times"), most))
        decisions = [
            (each.rule, each.target, f"{each.evidence.count:,}", each.evidence.who, each.reason,
             accept_argument(each.field, each.value) if each.value else "")
            for each in learned.findings
        ]  # fmt: skip
        headings = ("rule", "what", "times", "who", "why it is not learned", "the entry, if you want it")
        if decisions:
            screen.print(terminal.Listing("to decide", headings, decisions, ("times",), most))
        if result.denied:
            screen.print(denied_table("in block mode, the learned policy would still deny", result.denied, most))
            for text in completing_commands(result):
                screen.print(terminal.cell(text), style="yellow")
        else:
            screen.print("replayed: the learned policy denies no observed violation", style="green")
        text = write_toml(result.fields, Heading()) or "(the default policy)\n"
        if most is not None and (lines := text.count("\n")) > terminal.MOST:
            text = f"its policy has {lines:,} lines: --output FILE writes it, --all prints it\n"
        screen.print(text, markup=False)  # its strings are quoted, so they contain no terminal control sequences
    if len(shown) < len(results):
        left = f"{len(results) - len(shown):,} functions more: --function NAME shows one of them, --all shows all"
        screen.print(left)


def _summary(results: Sequence[Result], *, every: bool) -> terminal.Listing:
    rows = [
        (str(each.learned.key), *(f"{count:,}" for count in (each.learned.cold_starts, len(each.learned.entries),
         len(each.learned.offers), len(each.learned.findings), len(each.denied))))
        for each in results
    ]  # fmt: skip
    headings = ("function", "cold starts", "learned", "offered", "to decide", "still denied")
    return terminal.Listing("functions", headings, rows, headings[1:], None if every else terminal.MOST)


_FUNCTIONS: Final = 10
"""Functions shown in full without `--all`."""
_FEWEST: Final = 5
"""The least number of rows of each table, however many functions there are."""


def completing_commands(result: Result) -> list[str]:
    """The command that adds entries for the denied targets; empty where no more can be accepted."""
    if not result.accept:
        return []
    options = " ".join(f"--accept {shlex.quote(each)}" for each in result.accept)
    left = ", ".join(each.target or each.policy for each in result.then_denied[:_SOME])
    outcome = f"all but {left}" if left else "all of it"
    if result.then_unproven:
        outcome += f"; for {', '.join(result.then_unproven)} the log has one start, and another may use other names"
    lines = [f"{result.learned.key}: this command lets through {outcome}: {this_command()} {options}"]
    for name in (each.removeprefix(PREFIX) for each in result.accept if each.startswith(PREFIX)):
        if variables := [f"{key}={value}" for key, value in PRESETS[name].environment.items()]:
            lines.append(f"{name}: the function must set {' '.join(variables)}")
    any_tmp = accept_argument(*ANY_TMP)
    if any_tmp in result.accept:
        lines.append(ANY_TMP_MEANS)
    elif any(each.startswith("/tmp/") for each in result.accept):
        lines.append(f"in place of patterns in /tmp, --accept {any_tmp}: {ANY_TMP_MEANS}")
    return lines


def this_command() -> str:
    """The command line, quoted for a shell."""
    program, *arguments = sys.argv
    return shlex.join([Path(program).name.replace("__main__.py", "shielded-function"), *arguments])


def denied_table(title: str, denied: Sequence[Denied], most: int | None = None) -> terminal.Listing:
    """The targets that a policy denies, as a table."""
    rows = [
        (each.policy, each.target, f"{each.evidence.count:,}", beside_entry(each.evidence), each.allow)
        for each in denied
    ]
    headings = ("policy", "what", "times", "when, by whom", "the entry that would allow it")
    return terminal.Listing(title, headings, rows, ("times",), most)
