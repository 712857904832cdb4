"""The sections of a page: violations, by function and control, each function, by package, blast radius, coverage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shielded_function_monitoring.filters import SEVERITIES
from shielded_function_monitoring.queries import function_link

from .model import Coverage, Group, PackageGroup, Reach, Report
from .parts import Cell, code, in_order, minute, number, table, tag, text

MAX_ROWS: Final = 5000
"""Violations in the page, the first of them; the rest is in `--format json` and `csv`."""
_FUNCTIONS: Final = 200
_SOME: Final = 5
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_HEADINGS: Final = (
    "severity",
    "function",
    "policy",
    "mode",
    "target",
    "times",
    "first",
    "last",
    "version",
    "who",
    "to allow it",
)


def violations(report: Report) -> Iterable[str]:
    """The list, with its search and filters."""
    groups = report.groups[:MAX_ROWS]
    yield '<h2 id="list">Violations</h2>'
    if not groups:
        yield '<p id="violations">None.</p><p id="shown" hidden></p>'
        return
    yield '<div class="controls">'
    yield '<input type="search" id="search" placeholder="Search: host, path, package, ..." aria-label="Search">'
    yield _select("severity", "every severity", [each for each in SEVERITIES if each in {g.severity for g in groups}])
    yield _select("function", "every function", sorted({each.function for each in groups}))
    yield _select("policy", "every control", in_order(each.policy for each in groups))
    yield _select("mode", "every mode", sorted({each.mode for each in groups} - {""}))
    headings = "".join(f'<option value="{at}">by {name}</option>' for at, name in enumerate(_HEADINGS))
    yield f'<select id="sort" aria-label="sort by"><option value="">sort: as listed</option>{headings}</select>'
    if report.previous:
        yield '<label><input type="checkbox" id="new"> new only</label>'
    yield '<span class="quiet" id="shown" role="status"></span></div>'
    if len(report.groups) > MAX_ROWS:
        first = "new, then the most severe" if report.previous else "most severe"
        yield f'<p class="note">The {MAX_ROWS:,} {first} of {len(report.groups):,} rows; --format csv has all.</p>'
    yield from table("violations", _HEADINGS, map(_row, groups))
    yield '<p><button type="button" id="more" hidden></button></p>'
    yield _totals(report)


def _totals(report: Report) -> str:
    said = f"{report.violations:,} violations in all"
    if report.not_written:
        said += (
            f". Of these, {report.not_written:,} were counted and not written, because there were too many at once: "
            "their targets are not known, and each control of a function has one row for them"
        )
    return f'<p class="quiet">{said}.</p>'


def _row(each: Group) -> tuple[str, Mapping[str, Cell]]:
    new = ' <span class="tag is-new">new</span>' if each.is_new else ""
    order = ".".join(f"{part:02d}" for part in each.urgency)
    who = code(each.who, "who")
    place = f'<span class="quiet">{text(each.place)}</span>' if each.place else ""
    cells = {
        "severity": Cell(tag(each.severity) + new, "word", order),
        "function": Cell(_anchored(each.function) + _region(each.region), sort=each.function),
        "policy": Cell(text(each.policy).replace("_", "_<wbr>"), "policy", each.policy),
        "mode": Cell(tag(each.mode), "word"),
        "target": code([each.target]),
        "times": number(each.count),
        "first": Cell(text(minute(each.first)), "time"),
        "last": Cell(text(minute(each.last)), "time"),
        "version": Cell(text(each.versions), "word"),
        "who": who._replace(html=f"{who.html} {place}".strip()),
        "to allow it": code([each.allow]),
    }
    data = "".join(
        f' data-{name}="{text(value)}"'
        for name, value in (
            ("severity", each.severity),
            ("function", each.function),
            ("policy", each.policy),
            ("mode", each.mode),
        )
    )
    return f'class="{"new" if each.is_new else ""}"{data} data-count="{each.count}"', cells


def _select(name: str, every: str, values: Sequence[str]) -> str:
    options = "".join(f'<option value="{text(value)}">{text(value or "(not named)")}</option>' for value in values)
    return f'<select id="{name}" aria-label="{name}"><option value="">{every}</option>{options}</select>'


def matrix(groups: Sequence[Group]) -> Iterable[str]:
    """Functions by controls, those with the most severe first."""
    by_function = _by_function(groups)
    if not by_function:
        return
    policies = in_order(each.policy for each in groups)
    yield '<h2 id="by-function">By function and control</h2><div class="matrix">'
    rows = []
    for function, own in by_function[:_FUNCTIONS]:
        counts = _counts(own)
        cells = {p: number(n)._replace(html=_filtering(function, p, f"{n:,}")) for p, n in counts.items()}
        rows.append(
            ("", {"worst": Cell(tag(own[0].severity), "word", _order(own)), "function": _of(function), **cells})
        )
    yield from table("matrix", ("worst", "function", *policies), rows)
    yield "</div>"


def _by_function(groups: Sequence[Group]) -> list[tuple[str, list[Group]]]:
    """Each function's groups, the most severe first, of the function and among functions."""
    found: dict[str, list[Group]] = {}
    for each in sorted(groups, key=lambda each: (*each.urgency, -each.count)):
        found.setdefault(each.function, []).append(each)
    return sorted(found.items(), key=lambda item: (_order(item[1]), -sum(g.count for g in item[1]), item[0]))


def _order(groups: Sequence[Group]) -> str:
    return str(SEVERITIES.index(groups[0].severity))


def _counts(groups: Iterable[Group]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in groups:
        counts[each.policy] = counts.get(each.policy, 0) + each.count
    return counts


def functions(report: Report) -> Iterable[str]:
    """A section of each function, which a link can name: `#function-checkout`."""
    by_function = _by_function(report.groups)
    if not by_function:
        return
    coverage: dict[str, list[Coverage]] = {}
    for each in report.coverage:
        coverage.setdefault(each.function, []).append(each)
    yield "<h2>Each function</h2>"
    for function, own in by_function[:_FUNCTIONS]:
        yield f'<section id="{anchor(function)}"><h3>{text(function or "(not named)")}</h3><p>'
        for each in coverage.get(function, []):
            facts = [
                each.region,
                each.account,
                each.version and f"version {each.version}",
                f"{each.armed:,} cold starts",
            ]
            yield f"{tag(each.state)} {text(' · '.join(filter(None, facts)))} {_console(each)}"
        yield "</p><p>"
        counts = _counts(own)
        yield " · ".join(_filtering(function, policy, f"{policy}: {counts[policy]:,}") for policy in in_order(counts))
        yield "</p><ul>"
        for each in own[:_SOME]:
            since = f", since {minute(each.first)}" + (
                f" in version {each.first_version}" if each.first_version else ""
            )
            target = f"{each.policy} {each.target}".rstrip() if not each.written or not each.target else each.target
            yield f"<li>{tag(each.severity)} {tag(each.mode)} <code>{text(target)}</code> "
            yield f"{each.count:,} times{text(since)}</li>"
        if len(own) > _SOME:
            yield f"<li>{_filtering(function, '', f'and {len(own) - _SOME:,} more')}</li>"
        yield "</ul></section>"
    if len(by_function) > _FUNCTIONS:
        yield f'<p class="note">{_FUNCTIONS} of {len(by_function):,} functions.</p>'


def _console(each: Coverage) -> str:
    """A link to the function, where its region and name are such: a line can have any text for them."""
    if not (_REGION.fullmatch(each.region) and _NAME.fullmatch(each.function)):
        return ""
    return f'<a href="{text(function_link(each.region, each.function))}" rel="noreferrer">in the console</a> '


def anchor(function: str) -> str:
    """The id of a function's section.

    >>> anchor("Shop-Checkout"), anchor("a/b")
    ('function-Shop-Checkout', 'function-a~2f~b')
    """
    return "function-" + re.sub(r"[^A-Za-z0-9_-]", lambda found: f"~{ord(found[0]):x}~", function)


def _anchored(function: str) -> str:
    return f'<a href="#{anchor(function)}">{text(function or "(not named)")}</a>'


def _of(function: str) -> Cell:
    return Cell(_anchored(function), sort=function)


def _filtering(function: str, policy: str, label: str) -> str:
    return f'<a href="#list" data-function="{text(function)}" data-policy="{text(policy)}">{text(label)}</a>'


def packages(report: Report) -> Iterable[str]:
    """Packages by controls."""
    found = report.packages
    if not found:
        return
    policies = in_order(policy for each in found for policy in each.counts)
    yield '<h2 id="by-package">By package</h2><div class="matrix">'
    yield from table("packages", ("package", "functions", *policies), (_package(each) for each in found[:_FUNCTIONS]))
    yield "</div>"
    told = sum(each.count for each in found)
    yield (
        '<p class="quiet">The package that the own code of a function called, as the lines name it: a hint, which code '
        f"in the function can fake. {told:,} of {report.violations:,} violations: starts, and violations that were not "
        "written, have no package.</p>"
    )


def _package(each: PackageGroup) -> tuple[str, Mapping[str, Cell]]:
    names = [name or "(not named)" for name in each.functions[:_SOME]]
    more = len(each.functions) - _SOME
    some = ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
    counts = {policy: number(count) for policy, count in each.counts.items()}
    return "", {"package": code([each.name]), "functions": Cell(text(some)), **counts}


def reach(found: Sequence[Reach]) -> Iterable[str]:
    """The reach of one malicious package, by function."""
    if not found:
        return
    yield '<h2 id="blast-radius">Blast radius</h2>'
    headings = ("function", "data can go to", "reads", "writes", "anybody's data", "a narrower policy takes away")
    yield from table("reach", headings, map(_reached, found[:MAX_ROWS]))
    yield (
        '<p class="quiet">The reach of one malicious package in each function, by its policy and its role, the '
        "widest first. Any code in a function can read its role's credentials.</p>"
    )


def _reached(each: Reach) -> tuple[str, Mapping[str, Cell]]:
    return "", {
        "function": code([each.function]),
        "data can go to": Cell(text(each.data_can_go_to)),
        "reads": code(each.reads),
        "writes": code(each.writes),
        "anybody's data": code(each.receivers),
        "a narrower policy takes away": code(each.narrower),
    }


def coverage(found: Sequence[Coverage]) -> Iterable[str]:
    """Which functions were shielded."""
    yield '<h2 id="coverage-of">Coverage</h2>'
    if not found:
        yield "<p>No function.</p>"
        return
    headings = ("state", "function", "version", "cold starts", "last armed", "not written", "reason")
    yield from table("coverage", headings, map(_covered, found[:MAX_ROWS]))
    yield (
        '<p class="quiet">A cold start is one line of the shield when it arms. "not seen": it was asked about, and no '
        "such line is there: it did not run, or it runs without the shield. The version is the last that was seen.</p>"
    )


def _covered(each: Coverage) -> tuple[str, Mapping[str, Cell]]:
    return "", {
        "state": Cell(tag(each.state), "word"),
        "function": Cell(text(each.function or "(not named)") + _region(each.region)),
        "version": Cell(text(each.version), "word"),
        "cold starts": number(each.armed),
        "last armed": Cell(text(minute(each.last_armed)), "time"),
        "not written": number(each.folded),
        "reason": Cell(text(each.reason)),
    }


def _region(region: str) -> str:
    return f' <span class="quiet">{text(region)}</span>' if region else ""
