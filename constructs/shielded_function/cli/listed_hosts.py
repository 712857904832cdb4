"""The lists of `alerts --hosts`: hosts that a violation of `outbound_connectivity` may have asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from shielded_function.policy.denied_presets import entries_of, is_preset
from shielded_function_monitoring.alert import DENIED
from shielded_function_monitoring.insights.queries import Row, number_of
from shielded_function_monitoring.learning.questions import Question, decide, questions_of
from shielded_function_monitoring.learning.rows import observation_of

from .failures import CliError, read_file

EXFILTRATION: Final = "preset:exfiltration"
_AT_ONCE: Final = 256
"""Entries of one policy (MAX_DENIED of the core)."""


class ListedHosts:
    """Chooses the rows of hosts on a list.

    Attributes:
        unknown: violations whose targets no line names, by function; complete behind the last row.
    """

    def __init__(self, listed: Sequence[str]) -> None:
        """Reads the list.

        Args:
            listed: files with an entry in each line, or `preset:NAME`.

        Raises:
            CliError: a list cannot be read.
        """
        self._find = matcher(read_list(listed))
        self.unknown: Counter[str] = Counter()

    def choose(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows of `queries.alerts_by("target")` whose host is on the list, with the entry as `listed`."""
        for row in rows:
            if row.get("policy") != "outbound_connectivity":
                continue
            event, seen = row.get("event", ""), observation_of(row)
            is_told = not event or (event == "repeated" and seen.describe() != "")
            violations, lines = (int(number_of(row.get(name, "0"))) for name in ("violations", "lines"))
            if unknown := violations if not is_told else 0 if event else max(0, violations - lines):
                self.unknown[row.get("function", "")] += unknown
            if is_told and (entry := next(filter(None, map(self._find, questions_of(seen))), "")):
                yield {**row, "listed": entry}

    @property
    def notes(self) -> list[str]:
        """The violations that may be of a host on the list."""
        said = "violations were counted and not written: their targets are unknown"
        return [f"{name}: {count:,} {said}" for name, count in sorted(self.unknown.items())]


def read_list(listed: Sequence[str]) -> tuple[str, ...]:
    """The entries of files and presets, in canonical form. A file has one entry a line; `#` starts a comment.

    Raises:
        CliError: a file cannot be read, or an entry is malformed.
    """
    entries: dict[str, None] = {}
    for name in listed:
        lines = [name] if is_preset(name) else read_file(f"--hosts {name}", name).splitlines()
        for number, line in enumerate(lines, 1):
            entry = line.partition("#")[0].strip()
            try:
                written = entries_of(entry) if is_preset(entry) else filter(None, [entry])
                entries |= dict.fromkeys(str(each) for each in ShieldPolicy(deny_outbound=list(written)).deny_outbound)
            except ShieldPolicyError as error:
                place = "" if is_preset(name) else f", line {number}"
                raise CliError(f"--hosts {name}{place}: {str(error).partition(': ')[2]}") from error
    if not entries:
        raise CliError(f"--hosts {', '.join(listed)}: it has no entry")
    return tuple(entries)


def matcher(entries: Sequence[str]) -> Callable[[Question], str]:
    """A function that finds the entry that matches a question, as `deny_outbound` would; empty for none."""
    parts = [entries[at : at + _AT_ONCE] for at in range(0, len(entries), _AT_ONCE)]
    policies = [ShieldPolicy(allow_aws="none", deny_outbound=part).to_lines() for part in parts]

    @lru_cache(maxsize=65536)
    def find(question: Question) -> str:
        decisions = (decide(lines, question) for lines in policies)
        return next((each.entry for each in decisions if each and each.reason == DENIED), "")

    return find
