"""A report as Markdown, for a ticket or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from shielded_function_monitoring.visible import visible

from .model import PackageGroup, Report


def to_markdown(report: Report) -> str:
    """The report; the text of each cell is escaped."""
    parts = [f"# Report of the shield\n\nMade {_cell(report.made)}" + _asked(report) + "."]
    new = len(report.new)
    summary = f"{report.violations:,} violations of {report.kinds:,} kinds, in {len(report.coverage):,} functions"
    parts.append(
        f"**{summary}**" + (f", **{new:,} new since {_cell(report.previous)}**" if report.previous else "") + "."
    )
    parts += [f"Not whole: {_cell(note)}." for note in report.notes]
    rows = [
        ("new" if each.is_new else "", each.severity, each.function, each.policy, each.mode, each.target,
         f"{each.count:,}", each.first[:16], each.last[:16], each.versions,
         " at ".join(filter(None, (", ".join(each.who), each.place))), each.allow)
        for each in report.groups
    ]  # fmt: skip
    headings = ("", "severity", "function", "policy", "mode", "target", "times", "first", "last", "version", "who",
                "entry that would allow it")  # fmt: skip
    parts.append("## Violations\n\n" + (_table(headings, rows) if rows else "None."))
    if report.packages:
        parts.append("## By package\n\n" + _table(*_packages(report.packages)))
    if report.reach:
        rows = [
            (
                each.function,
                each.data_can_go_to,
                *map(", ".join, (each.reads, each.writes, each.receivers, each.narrower)),
            )
            for each in report.reach
        ]
        headings = ("function", "data can go to", "reads", "writes", "anybody's data", "a narrower policy takes away")
        parts.append("## Blast radius\n\n" + _table(headings, rows))
    covered = [
        (
            each.state,
            each.function,
            each.region,
            f"{each.armed:,}",
            each.last_armed[:16],
            f"{each.folded:,}",
            each.reason,
        )
        for each in report.coverage
    ]
    headings = ("state", "function", "region", "cold starts", "last armed", "counted, not written", "reason")
    parts.append("## Coverage\n\n" + (_table(headings, covered) if covered else "No function."))
    return "\n\n".join(parts) + "\n"


def _packages(packages: Sequence[PackageGroup]) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    policies = sorted({policy for each in packages for policy in each.counts})
    rows = [
        (each.name, ", ".join(each.functions), *(f"{each.counts[p]:,}" if p in each.counts else "" for p in policies))
        for each in packages
    ]
    return ("package", "functions", *policies), rows


def _asked(report: Report) -> str:
    time = f", for {_cell(report.since)} to {_cell(report.until)}" if report.since else ""
    return time + (f", from {_cell(', '.join(report.sources))}" if report.sources else "")


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(headings)} |", "|" + "---|" * len(headings)]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    """A text that every renderer shows as it is: HTML, links, emphasis and the table's own sign are escaped."""
    escaped = re.sub(r"([\\`*_{}\[\]()#+!|~<>&@])", r"\\\1", visible(text))
    # Renderers make a link of a bare address too; a word joiner's escape would be visible, an entity is not.
    return re.sub(r"(?i)\b(https?|ftp|www)(?=[:.])", r"\1&#8203;", escaped)
