"""Helpers: the observations in lines, and the policies that are learned from them."""

from __future__ import annotations

from collections.abc import Iterable

from shielded_function.cli.learned_policy import aws_services
from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.insights.lines import Lines
from shielded_function_monitoring.insights.records import Tally, records
from shielded_function_monitoring.learning import FunctionLog, Known, Learned, Observed, learn, observed_of

URLLIB3 = ("urllib3", "requests", "app")


def read(lines: Iterable[str]) -> Observed:
    """As the command line reads a file."""
    query, tally = queries.observed(), Tally()
    table = Lines([query])
    table.add(records(lines, tally))
    observed = observed_of(table.rows(query))
    observed.malformed += tally.unread.total()
    return observed


def log_of(*lines: str) -> FunctionLog:
    (found,) = read(lines).functions.values()
    return found


def learned_of(*lines: str, **options: object) -> Learned:
    return learn(log_of(*lines), Known(services=aws_services(), **options))  # type: ignore[arg-type]


def entries(learned: Learned) -> list[tuple[str, str]]:
    return [(each.field, each.value) for each in learned.entries]


def rules(learned: Learned) -> list[tuple[str, str, str]]:
    return [(each.rule, each.target, each.value) for each in learned.findings]
