"""A report as one page that needs nothing else: no script, style, font or picture from anywhere.

The page's Content-Security-Policy admits its own script and style, by their hashes, and nothing more: if anything of a
line ever got into the page as markup, a browser would not run it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from html import escape
from importlib import resources
from itertools import pairwise
from typing import Final

from shielded_function_monitoring.alert import MODES
from shielded_function_monitoring.filters import COUNTED
from shielded_function_monitoring.visible import visible

from .model import Coverage, Group, PackageGroup, Period, Report

MAX_ROWS: Final = 5000
"""Violations in the page, the most frequent ones; the rest is in `--format json`."""

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 1000, 180, 46, 22, 10


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
            "<title>What the shield reported</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body><main>",
            *_head(report),
            *_timeline(report.periods),
            *_matrix(report.groups),
            *_packages(report.packages),
            *_violations(report),
            *_coverage(report.coverage),
            "</main>",
            f"<script>{script}</script>",
            "</body></html>",
            "",
        ]
    )


@lru_cache(maxsize=2)
def _file(name: str) -> str:
    return resources.files("shielded_function_monitoring.reporting").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _text(text: str) -> str:
    """Text of a line as text of the page: what does not print is shown, and nothing of it is markup."""
    return escape(visible(text), quote=True)


def _head(report: Report) -> Iterable[str]:
    yield "<h1>What the shield reported</h1>"
    asked = f"{_text(report.since)} to {_text(report.until)}. " if report.since else ""
    yield f'<p class="quiet">{asked}Made {_text(report.made)}. {_text(", ".join(report.sources))}</p>'
    figures = [
        (f"{report.violations:,}", "violations"),
        (f"{len(report.groups):,}", "kinds"),
        (
            f"{len({(each.function, each.region, each.account) for each in report.groups}):,}",
            "functions with violations",
        ),
        (f"{sum(each.state == 'armed' for each in report.coverage):,} of {len(report.coverage):,}", "functions armed"),
    ]
    if report.previous:
        figures.append((f"{len(report.new):,}", f"new since {report.previous}"))
    yield '<div class="figures">'
    yield from (f"<div><b>{_text(figure)}</b>{_text(what)}</div>" for figure, what in figures)
    yield "</div>"
    yield from (f'<p class="note">Not whole: {_text(note)}.</p>' for note in report.notes)


def _timeline(periods: Sequence[Period]) -> Iterable[str]:
    if not periods:
        return
    begun = _without_gaps(sorted({each.begun for each in periods}))
    stacks: dict[str, dict[str, int]] = {each: {} for each in begun}
    for each in periods:
        stacks[each.begun][each.policy] = stacks[each.begun].get(each.policy, 0) + each.count
    policies = sorted({each.policy for each in periods})
    most = max(sum(stack.values()) for stack in stacks.values()) or 1
    room, tall = _WIDTH - _LEFT - 8, _HEIGHT - _BOTTOM - _TOP
    step = room / len(begun)
    yield "<h2>When</h2>"
    yield '<div class="wide-scroll">'
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Violations over time">'
    yield f'<line x1="{_LEFT}" y1="{_TOP + tall}" x2="{_WIDTH - 8}" y2="{_TOP + tall}"/>'
    yield f'<text x="4" y="{_TOP + 10}">{most:,}</text><text x="4" y="{_TOP + tall}">0</text>'
    for at, moment in enumerate(begun):
        base = float(_TOP + tall)
        for policy, count in sorted(stacks[moment].items()):
            height = max(tall * count / most, 1.0 if count else 0.0)
            base -= height
            yield (
                f'<rect class="{_class(policy)}" x="{_LEFT + at * step + step * 0.1:.1f}" y="{base:.1f}" '
                f'width="{max(step * 0.8, 0.5):.1f}" height="{height:.1f}">'
                f"<title>{_text(moment[:16])} UTC, {_text(policy)}: {count:,}</title></rect>"
            )
    for at in sorted({0, len(begun) // 2, len(begun) - 1}):
        anchor = "start" if at == 0 else "end" if at == len(begun) - 1 else "middle"
        place = _LEFT + at * step + (step if anchor == "end" else step / 2 if anchor == "middle" else 0)
        yield f'<text x="{place:.0f}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{_text(begun[at][:16])}</text>'
    yield "</svg></div>"
    yield '<div class="legend">'
    yield from (f'<span><i class="{_class(policy)}"></i>{_text(policy)}</span>' for policy in policies)
    yield "</div>"


def _without_gaps(begun: list[str]) -> list[str]:
    """With the periods in which there was nothing, so that a bar's place is its time."""
    try:
        times = sorted({datetime.strptime(each, _PERIOD_FORMAT) for each in begun})
    except ValueError:
        return begun
    steps = [after - before for before, after in pairwise(times)]
    hourly = any(each.hour or each.minute for each in times)
    step = min([*steps, timedelta(hours=1) if hourly else timedelta(days=1)])
    count = (times[-1] - times[0]) // step + 1
    if count > _MOST_PERIODS:
        return begun
    return sorted({*begun, *((times[0] + at * step).strftime(_PERIOD_FORMAT) for at in range(count))})


_PERIOD_FORMAT: Final = "%Y-%m-%d %H:%M:%S.000"
_MOST_PERIODS: Final = 800

_CLASSES: Final = frozenset((*COUNTED, *MODES, "armed", "refused", "unshielded", "not-seen"))


def _class(name: str) -> str:
    """A class of the style sheet; nothing that a line chose."""
    name = name.replace(" ", "-")
    return name if name in _CLASSES else "start"


def _matrix(groups: Sequence[Group]) -> Iterable[str]:
    counts: dict[str, dict[str, int]] = {}
    for each in groups:
        row = counts.setdefault(each.function, {})
        row[each.policy] = row.get(each.policy, 0) + each.count
    if not counts:
        return
    policies = sorted({each.policy for each in groups})
    yield "<h2>By function and policy</h2>"
    yield '<div class="matrix"><table><thead><tr><th>function</th>'
    yield "".join(f'<th class="number">{_text(policy)}</th>' for policy in policies) + "</tr></thead><tbody>"
    for function, row in sorted(counts.items(), key=lambda item: (-sum(item[1].values()), item[0]))[:_MATRIX_ROWS]:
        cells = "".join(
            f'<td class="number">{_link(function, policy, f"{row[policy]:,}")}</td>' if policy in row else "<td></td>"
            for policy in policies
        )
        yield f"<tr><td>{_link(function, '', function or '(not named)')}</td>{cells}</tr>"
    yield "</tbody></table></div>"


_MATRIX_ROWS: Final = 200


def _packages(packages: Sequence[PackageGroup]) -> Iterable[str]:
    if not packages:
        return
    policies = sorted({policy for each in packages for policy in each.counts})
    yield '<h2>By package</h2><div class="matrix"><table id="packages"><thead><tr><th>package</th><th>functions</th>'
    yield "".join(f'<th class="number">{_text(policy)}</th>' for policy in policies) + "</tr></thead><tbody>"
    for each in packages[:_MATRIX_ROWS]:
        cells = "".join(
            f'<td class="number">{each.counts[policy]:,}</td>' if policy in each.counts else "<td></td>"
            for policy in policies
        )
        yield f"<tr><td><code>{_text(each.name)}</code></td><td>{_text(_some(each.functions))}</td>{cells}</tr>"
    yield "</tbody></table></div>"
    yield (
        '<p class="quiet">The package whose code made the call, as the lines tell it: a hint, which code in the '
        "function can fake.</p>"
    )


def _some(functions: Sequence[str]) -> str:
    names = [name or "(not named)" for name in functions[:_SOME]]
    return ", ".join(names) + (f" and {len(functions) - _SOME:,} more" if len(functions) > _SOME else "")


_SOME: Final = 5


def _link(function: str, policy: str, text: str) -> str:
    return f'<a href="#violations" data-function="{_text(function)}" data-policy="{_text(policy)}">{_text(text)}</a>'


def _violations(report: Report) -> Iterable[str]:
    groups = report.groups[:MAX_ROWS]
    yield '<h2 id="list">Violations</h2>'
    if not groups:
        yield '<p id="violations">None.</p><p id="shown" hidden></p>'
        return
    yield '<div class="controls">'
    yield '<input type="search" id="search" placeholder="Search: host, path, caller, ..." aria-label="Search">'
    yield _select("function", "every function", sorted({each.function for each in groups}))
    yield _select("policy", "every policy", sorted({each.policy for each in groups}))
    yield _select("mode", "every mode", sorted({each.mode for each in groups} - {""}))
    if report.previous:
        yield '<label><input type="checkbox" id="new"> new only</label>'
    yield '<span class="quiet" id="shown" role="status"></span></div>'
    if len(report.groups) > MAX_ROWS:
        yield f'<p class="note">The {MAX_ROWS:,} most frequent of {len(report.groups):,} kinds.</p>'
    headings = ("function", "policy", "mode", "target", "times", "first", "last", "package", "caller", "to allow it")
    yield '<table id="violations"><thead><tr>' + "".join(map(_heading, headings)) + "</tr></thead><tbody>"
    yield from map(_row, groups)
    yield "</tbody></table>"


def _heading(name: str) -> str:
    return f'<th class="number">{name}</th>' if name in ("times", "cold starts", "not written") else f"<th>{name}</th>"


def _select(name: str, every: str, values: Sequence[str]) -> str:
    options = "".join(f'<option value="{_text(value)}">{_text(value or "(not named)")}</option>' for value in values)
    return f'<select id="{name}" aria-label="{name}"><option value="">{every}</option>{options}</select>'


def _row(each: Group) -> str:
    new = ' <span class="tag is-new">new</span>' if each.is_new else ""
    place = f' <span class="quiet">{_text(each.region)}</span>' if each.region else ""
    cells: Mapping[str, tuple[str, str]] = {
        "function": ("", _text(each.function) + place + new),
        "policy": ("word", _text(each.policy)),
        "mode": ("word", f'<span class="tag {_class(each.mode)}">{_text(each.mode)}</span>' if each.mode else ""),
        "target": ("wide", f"<code>{_text(each.target)}</code>"),
        "times": ("number", f"{each.count:,}"),
        "first": ("word", _text(each.first[:10])),
        "last": ("word", _text(_minute(each.last))),
        "package": ("who", f"<code>{_text(', '.join(each.packages))}</code>" if each.packages else ""),
        "caller": ("who", f"<code>{_text(', '.join(each.callers))}</code>" if each.callers else ""),
        "to allow it": ("wide", f"<code>{_text(each.allow)}</code>" if each.allow else ""),
    }
    data = " ".join(
        f'data-{name}="{_text(value)}"'
        for name, value in (("function", each.function), ("policy", each.policy), ("mode", each.mode))
    )
    return f'<tr class="{"new" if each.is_new else ""}" {data} data-count="{each.count}">{_cells(cells)}</tr>'


def _cells(cells: Mapping[str, tuple[str, str]]) -> str:
    return "".join(
        f'<td class="{kind}" data-label="{label}">{content}</td>' for label, (kind, content) in cells.items()
    )


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")


def _coverage(coverage: Sequence[Coverage]) -> Iterable[str]:
    yield "<h2>Coverage</h2>"
    if not coverage:
        yield "<p>No function.</p>"
        return
    headings = ("state", "function", "cold starts", "last armed", "not written", "reason")
    yield '<table id="coverage"><thead><tr>' + "".join(map(_heading, headings)) + "</tr></thead><tbody>"
    for each in coverage[:MAX_ROWS]:
        place = f' <span class="quiet">{_text(each.region)}</span>' if each.region else ""
        cells = {
            "state": ("word", f'<span class="tag {_class(each.state)}">{each.state}</span>'),
            "function": ("", _text(each.function or "(not named)") + place),
            "cold starts": ("number", f"{each.armed:,}"),
            "last armed": ("word", _text(_minute(each.last_armed))),
            "not written": ("number", f"{each.folded:,}"),
            "reason": ("", _text(each.reason)),
        }
        yield f"<tr>{_cells(cells)}</tr>"
    yield "</tbody></table>"
    yield (
        '<p class="quiet">A cold start is one line of the shield when it arms. "not seen": it was asked about, and no '
        "such line is there: it did not run, or it runs without the shield.</p>"
    )
