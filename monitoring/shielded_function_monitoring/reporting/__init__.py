"""Reports violations by function, control and target, with their times, the new ones, and the shielded functions.

Pure: observations become a `Report`, and that becomes a page, Markdown or JSON. An attacker may have chosen any text of
a line: `html` and `markdown` escape all of it, and show characters that do not print.
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
