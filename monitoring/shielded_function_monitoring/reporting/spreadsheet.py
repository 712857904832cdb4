"""A report as CSV (RFC 4180): one row for each kind of violation, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Final

from shielded_function_monitoring.visible import visible

from .model import Group, Report

HEADINGS: Final = (
    "new", "severity", "function", "region", "account", "policy", "mode", "target", "times", "first", "last",
    "first_version", "last_version", "who", "place", "allow",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@")


def to_csv(report: Report) -> str:
    """The report. A text that a spreadsheet would take for a formula has an apostrophe in front."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    for each in report.groups:
        writer.writerow([_cell(value) for value in _values(each)])
    return text.getvalue()


def _values(each: Group) -> tuple[str, ...]:
    return (
        "new" if each.is_new else "",
        each.severity,
        each.function,
        each.region,
        each.account,
        each.policy,
        each.mode,
        each.target,
        str(each.count),
        each.first,
        each.last,
        each.first_version,
        each.last_version,
        ", ".join(each.who),
        each.place,
        each.allow,
    )


def _cell(value: str) -> str:
    shown = visible(value)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown
