"""Reports violations by function, control and target, with their times, the new ones, and the shielded functions.

Pure: observations become a `Report`, and that becomes a page or JSON. An attacker may have chosen any text of a line:
the page escapes all of it, and shows characters that do not print.
"""

from __future__ import annotations

from .building import build
from .html import to_html
from .model import Previous, Report, ReportError, previous_from_json, report_to_json

__all__ = [
    "Previous",
    "Report",
    "ReportError",
    "build",
    "previous_from_json",
    "report_to_json",
    "to_html",
]
