"""A report of what happened: functions by control by target, when, what is new, and which functions were shielded.

Pure: from what was observed to a `Report`, and from that to a page, Markdown or JSON. Everything in a line may have
been chosen by an attacker: `html` and `markdown` escape all of it, and show what does not print.
"""

from __future__ import annotations

from .building import build
from .html import to_html
from .markdown import to_markdown
from .model import Coverage, Group, PackageGroup, Period, Reach, Report, ReportError, report_from_json, report_to_json
from .spreadsheet import to_csv

__all__ = [
    "Coverage",
    "Group",
    "PackageGroup",
    "Period",
    "Reach",
    "Report",
    "ReportError",
    "build",
    "report_from_json",
    "report_to_json",
    "to_csv",
    "to_html",
    "to_markdown",
]
