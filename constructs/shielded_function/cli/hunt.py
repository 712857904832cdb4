"""`shielded-function hunt`: finds functions that ever asked for a host on a list."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from shielded_function.policy.denied_presets import entries_of, is_preset
from shielded_function_monitoring.alert import DENIED
from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.learning import Observed, observed_of
from shielded_function_monitoring.learning.hunting import OUTBOUND, Sighting, hunt
from shielded_function_monitoring.learning.questions import Question
from shielded_function_runtime import core

from . import terminal
from .errors import NOT_WHOLE, CliError
from .log_groups import Where
from .sources import source_of

FOUND: Final = 1
"""Exit status: a function asked for a host on the list."""
INCOMPLETE: Final = 3
"""Exit status: nothing was found, and the log has only counts of some violations."""
DEFAULT: Final = "preset:exfiltration"
SINCE: Final = "90d"
_AT_ONCE: Final = 256
"""Entries of one policy (MAX_DENIED of the core)."""


def run(where: Where, listed: Sequence[str], *, json: bool, every: bool = False) -> int:
    """Hunts, and prints the sightings.

    Args:
        where: the logs.
        listed: files with an entry in each line, or `preset:NAME`; empty for `preset:exfiltration`.
        json: print JSON.
        every: print all rows.

    Returns:
        1 if something was found; 0 if nothing; 2 where a limit of Logs Insights left out lines, and 3 where the log has
        only counts of some violations, and nothing was found in the rest.

    Raises:
        CliError: a list or a log cannot be read, or the shield wrote no line.
    """
    entries = read_list(listed or [DEFAULT])
    source = source_of(where, SINCE)
    answer = source.ask([queries.observed])
    observed = observed_of(answer.rows[0])
    if not observed.functions:
        raise CliError("; ".join([*answer.notes, "the shield wrote no line: are the functions shielded?"]))
    found = hunt(observed, matcher(entries))
    notes = [*answer.notes, *_unread(observed)]
    if json:
        functions = len(observed.functions)
        print(
            json_module.dumps({"notes": notes, "functions": functions, "found": [_as_json(f) for f in found]}, indent=2)
        )
    else:
        _print(found, observed, len(entries), every)
        for text in notes:
            terminal.note(text)
    if found:
        return FOUND
    if not (answer.whole and observed.whole):
        return NOT_WHOLE
    return INCOMPLETE if any(log.unknown.get(OUTBOUND) for log in observed.functions.values()) else 0


def read_list(listed: Sequence[str]) -> tuple[str, ...]:
    """The entries of files and presets, in canonical form. A file has one entry a line; `#` starts a comment.

    Raises:
        CliError: a file cannot be read, or an entry is malformed.
    """
    entries: dict[str, None] = {}
    for name in listed:
        for place, line in _lines_of(name):
            try:
                written = entries_of(line) if is_preset(line) else [line]
                entries |= dict.fromkeys(str(each) for each in ShieldPolicy(deny_outbound=written).deny_outbound)
            except ShieldPolicyError as error:
                raise CliError(f"{place}: {str(error).partition(': ')[2]}") from error
    if not entries:
        raise CliError(f"--list {', '.join(listed)}: it has no entry")
    return tuple(entries)


def _lines_of(name: str) -> Iterator[tuple[str, str]]:
    if is_preset(name):
        yield f"--list {name}", name
        return
    try:
        lines = Path(name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise CliError(f"--list {name} cannot be read: {reason}") from error
    for number, line in enumerate(lines, 1):
        if entry := line.partition("#")[0].strip():
            yield f"--list {name}, line {number}", entry


def matcher(entries: Sequence[str]) -> Callable[[Question], str]:
    """A function that finds the entry that matches a question, as `deny_outbound` would; empty for none."""
    parts = [entries[at : at + _AT_ONCE] for at in range(0, len(entries), _AT_ONCE)]
    policies = [core.parse(ShieldPolicy(allow_aws="none", deny_outbound=part).to_lines()) for part in parts]

    @lru_cache(maxsize=65536)
    def find(question: Question) -> str:
        event: Any
        event, target = question
        for policy in policies:
            try:
                decision = policy.decide(event, target)
            except ValueError:  # not a host: a forged line
                return ""
            if decision.reason == DENIED:
                return decision.entry
        return ""

    return find


def _unread(observed: Observed) -> Iterator[str]:
    if observed.malformed:
        yield f"{observed.malformed:,} lines of the shield do not match its schema: not read"
    for log in sorted(observed.functions.values(), key=lambda log: log.key):
        if count := log.unknown.get(OUTBOUND):
            yield f"{log.key}: {count:,} violations were counted and not written: their targets are unknown"


def _as_json(found: Sighting) -> dict[str, Any]:
    evidence = found.evidence
    return {
        **found.key._asdict(),
        "target": found.target,
        "entry": found.entry,
        "mode": found.mode,
        "violations": evidence.count,
        "first_seen": evidence.first,
        "last_seen": evidence.last,
        "who": evidence.who,
    }


def _print(found: Sequence[Sighting], observed: Observed, entries: int, every: bool) -> None:
    searched = f"{len(observed.functions):,} functions, {entries:,} entries"
    if not found:
        print(f"nothing found ({searched})")
        return
    headings = ("function", "target", "entry", "mode", "times", "first", "last", "who")
    rows = [
        (
            str(each.key),
            each.target,
            each.entry,
            each.mode,
            f"{each.evidence.count:,}",
            each.evidence.first[:16],
            each.evidence.last[:16],
            each.evidence.who,
        )
        for each in found
    ]
    listing = terminal.Listing(f"found ({searched})", headings, rows, ("times",), None if every else terminal.MOST)
    terminal.console().print(listing)
