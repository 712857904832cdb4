"""A report as one page that needs nothing else: no script, style, font or picture from anywhere.

The page's Content-Security-Policy admits its own script and style, by their hashes, and nothing more: if text of a line
ever became markup, a browser would not run it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from importlib import resources

from shielded_function_monitoring.filters import SEVERITIES

from .model import Report
from .parts import class_of, text
from .sections import coverage, functions, matrix, packages, reach, violations
from .timeline import timeline


def to_html(report: Report) -> str:
    """The page, as text."""
    style, script = _file("page.css"), _file("page.js")
    security = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(security)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            "<title>Report of the shield</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body><main>",
            *_head(report),
            *timeline(report.periods),
            *violations(report),
            *matrix(report.groups),
            *packages(report),
            *functions(report),
            *reach(report.reach),
            *coverage(report.coverage),
            "</main>",
            f"<script>{script}</script>",
            "</body></html>",
            "",
        ]
    )


@lru_cache(maxsize=2)
def _file(name: str) -> str:
    return resources.files("shielded_function_monitoring.reporting").joinpath(name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _head(report: Report) -> Iterable[str]:
    yield "<h1>Report of the shield</h1>"
    asked = f"{text(report.since)} to {text(report.until)}. " if report.since else ""
    yield f'<p class="quiet">{asked}Made {text(report.made)}. {text(", ".join(report.sources))}</p>'
    yield '<div class="figures">'
    if report.previous:
        yield _figure(f"{len(report.new):,}", f"new since {report.previous}", "is-new")
    for severity in SEVERITIES:
        count = sum(each.count for each in report.groups if each.severity == severity)
        yield _figure(f"{count:,}", severity, class_of(severity) if count else "")
    functions_with = {(each.function, each.region, each.account) for each in report.groups}
    armed = sum(each.state == "armed" for each in report.coverage)
    yield _figure(f"{report.violations:,}", f"violations of {report.kinds:,} kinds")
    yield _figure(f"{len(functions_with):,}", "functions with violations")
    all_armed = armed == len(report.coverage)
    yield _figure(f"{armed:,} of {len(report.coverage):,}", "functions armed", "" if all_armed else "refused")
    yield "</div>"
    places = [("list", "Violations"), ("by-function", "By function"), ("by-package", "By package")]
    places += [("blast-radius", "Blast radius")] if report.reach else []
    links = [f'<a href="#{place}">{name}</a>' for place, name in (*places, ("coverage-of", "Coverage"))]
    yield f"<nav>{' · '.join(links)}</nav>"
    yield from (f'<p class="note">Not whole: {text(note)}.</p>' for note in report.notes)


def _figure(figure: str, label: str, kind: str = "") -> str:
    return f'<div><b class="{kind}">{text(figure)}</b>{text(label)}</div>'
