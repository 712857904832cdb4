"""A report as one page that needs nothing else: no script, style, font or picture from anywhere.

jinja2 escapes each value of the page, after `visible` has shown its characters that do not print. The page's
Content-Security-Policy admits its own script and style, by their hashes, and nothing more: if text of a line ever
became markup, a browser would not run it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from shielded_function_monitoring.alert import MODES
from shielded_function_monitoring.filters import COUNTED, SEVERITIES
from shielded_function_monitoring.queries import function_link
from shielded_function_monitoring.urgency import urgency
from shielded_function_monitoring.visible import visible

from .model import Coverage, Group, Period, Report

MAX_ROWS: Final = 5000
"""Rows of each table of the page, the first of them; `report --json` has all."""
_CLASSES: Final = frozenset((*COUNTED, *MODES, *SEVERITIES, "armed", "refused", "unshielded", "not-seen"))
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_MOST_PERIODS: Final = 800


class Bar(NamedTuple):
    """The violations of one control in one period, from `top - times` to `top`. `at` counts the periods."""

    begun: str
    policy: str
    times: int
    at: int
    top: int


def to_html(report: Report) -> str:
    """The page, as text."""
    style, script = _read("page.css"), _read("page.js")
    most, bars = _timeline(report.periods)
    return _template().render(
        report=report,
        style=Markup(style),
        script=Markup(script),
        security=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; "
        "form-action 'none'",
        bars=bars,
        most=most,
        groups=report.groups[:MAX_ROWS],
        functions=list(_functions(report))[:MAX_ROWS],
        with_violations=len({_place(each) for each in report.groups}),
        armed=sum(each.armed > 0 for each in report.coverage),
        violations=_sum(report.groups),
        not_written=_sum(each for each in report.groups if not each.written),
        kinds=sum(each.written for each in report.groups),
        new=sum(each.is_new for each in report.groups),
        by_severity={name: _sum(each for each in report.groups if each.severity == name) for name in SEVERITIES},
        policies=sorted({g.policy for g in report.groups}, key=lambda policy: (*urgency(policy, "block"), policy)),
    )


def _sum(groups: Iterable[Group]) -> int:
    return sum(each.evidence.count for each in groups)


@lru_cache(maxsize=1)
def _template() -> Template:
    options = {"undefined": StrictUndefined, "finalize": _shown, "trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(autoescape=True, loader=FunctionLoader(_read), **options)
    environment.filters |= {
        "number": "{:,}".format,
        "minute": lambda time: time[:16].replace("T", " "),
        "css": _class_of,
        "visible": visible,
    }
    return environment.get_template("page.html")


def _shown(value: Any) -> Any:
    """The value of an expression, before it is escaped."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@lru_cache
def _read(name: str) -> str:
    return resources.files("shielded_function_monitoring.reporting").joinpath(name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _class_of(name: str) -> str:
    """A class of the style sheet; text of a line cannot choose another."""
    name = name.replace(" ", "-")
    return name if name in _CLASSES else "start"


def _place(each: Group | Coverage) -> tuple[str, str, str]:
    return (each.function, each.region, each.account)


def _functions(report: Report) -> Iterator[tuple[Coverage, str, str, Counter[str]]]:
    """Each function with the link to it, the severity of its most severe violation, and its violations by control."""
    counts: dict[tuple[str, str, str], Counter[str]] = {}
    worst: dict[tuple[str, str, str], str] = {}
    for each in sorted(report.groups, key=lambda each: each.urgency):
        counts.setdefault(_place(each), Counter())[each.policy] += each.evidence.count
        worst.setdefault(_place(each), each.severity)
    for each in report.coverage:
        # A line can have any text for its function and region.
        is_named = _REGION.fullmatch(each.region) and _NAME.fullmatch(each.function)
        link = function_link(each.region, each.function) if is_named else ""
        yield each, link, worst.get(_place(each), ""), counts.get(_place(each), Counter())


def _timeline(periods: Sequence[Period]) -> tuple[int, list[Bar]]:
    """The most violations in a period, and the bars, stacked by control.

    The place of a bar is its time; where there are too many periods, its number.
    """
    counts, totals = Counter[tuple[str, str]](), Counter[str]()
    for each in periods:
        counts[each.begun, each.policy] += each.count
        totals[each.begun] += each.count
    most = max(totals.values(), default=0) or 1
    times = [datetime.strptime(each, "%Y-%m-%d %H:%M:%S.000") for each in sorted(totals)]
    step = 3600 if any(each.hour for each in times) else 86400
    places = [int((each - times[0]).total_seconds()) // step for each in times]
    at = dict(zip(sorted(totals), places if max(places, default=0) < _MOST_PERIODS else range(len(times)), strict=True))
    bars: list[Bar] = []
    tops = Counter[str]()
    for (begun, policy), count in sorted(counts.items()):
        tops[begun] += count
        bars.append(Bar(begun, policy, count, at[begun], tops[begun]))
    return most, bars
