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
from collections.abc import Iterable, Sequence
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

from .model import Coverage, Group, Report
from .timeline import timeline

MAX_ROWS: Final = 5000
"""Rows of each table of the page, the first of them; `report --json` has all."""
_CLASSES: Final = frozenset((*COUNTED, *MODES, *SEVERITIES, "armed", "refused", "unshielded", "not-seen"))
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class _Function(NamedTuple):
    """One row of the table of functions.

    Attributes:
        covered: whether it was shielded.
        anchor: the id of the row, which a link can name; empty behind the first row of a name.
        worst: the severity of its most severe violation; empty for none.
        counts: violations by control.
    """

    covered: Coverage
    anchor: str
    worst: str
    counts: Counter[str]

    @property
    def link(self) -> str:
        """To the console, where its region and name are such: a line can have any text for them."""
        region, name = self.covered.region, self.covered.function
        return function_link(region, name) if _REGION.fullmatch(region) and _NAME.fullmatch(name) else ""


def to_html(report: Report) -> str:
    """The page, as text."""
    style, script = _read("page.css"), _read("page.js")
    return _template().render(
        report=report,
        style=Markup(style),
        script=Markup(script),
        security=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; "
        "form-action 'none'",
        timeline=timeline(report.periods),
        groups=report.groups[:MAX_ROWS],
        functions=_functions(report)[:MAX_ROWS],
        with_violations=len({_place(each) for each in report.groups}),
        armed=sum(each.armed > 0 for each in report.coverage),
        by_severity={name: sum(g.evidence.count for g in report.groups if g.severity == name) for name in SEVERITIES},
        choices=_choices(report.groups[:MAX_ROWS]),
        policies=_in_order(each.policy for each in report.groups),
        most=MAX_ROWS,
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(_read),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": "{:,}".format,
        "minute": lambda time: time[:16].replace("T", " "),
        "css": _class_of,
        "rank": lambda group: ".".join(f"{part:02d}" for part in group.urgency),
        "in_order": _in_order,
        "anchor": anchor,
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


def _in_order(policies: Iterable[str]) -> list[str]:
    """Controls, the most urgent first."""
    return sorted(set(policies), key=lambda policy: (*urgency(policy, "block"), policy))


def _choices(groups: Sequence[Group]) -> dict[str, list[str]]:
    """The filters of the list, with their values."""
    found = {each.severity for each in groups}
    return {
        "severity": [each for each in SEVERITIES if each in found],
        "function": sorted({each.function for each in groups}),
        "policy": _in_order(each.policy for each in groups),
        "mode": sorted({each.mode for each in groups} - {""}),
    }


def _place(each: Group | Coverage) -> tuple[str, str, str]:
    return (each.function, each.region, each.account)


def _functions(report: Report) -> list[_Function]:
    """The functions, those first that did not arm."""
    counts: dict[tuple[str, str, str], Counter[str]] = {}
    worst: dict[tuple[str, str, str], str] = {}
    for each in sorted(report.groups, key=lambda each: each.urgency):
        counts.setdefault(_place(each), Counter())[each.policy] += each.evidence.count
        worst.setdefault(_place(each), each.severity)
    found: set[str] = set()
    rows: list[_Function] = []
    for each in report.coverage:
        name = "" if each.function in found else anchor(each.function)
        found.add(each.function)
        rows.append(_Function(each, name, worst.get(_place(each), ""), counts.get(_place(each), Counter())))
    return rows


def anchor(function: str) -> str:
    """The id of a function's row.

    >>> anchor("Shop-Checkout"), anchor("a/b")
    ('function-Shop-Checkout', 'function-a~2f~b')
    """
    return "function-" + re.sub(r"[^A-Za-z0-9_-]", lambda found: f"~{ord(found[0]):x}~", function)
