"""The body of a dashboard, as CloudWatch's JSON. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any, Final

from shielded_function_monitoring.filters import COUNTED, LEVELS, METRIC, NAMESPACE, fleet_query
from shielded_function_monitoring.queries import FUNCTION_VARIABLE, QUERIES

MAX_SOURCES: Final = 50
"""Log groups that one query names (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AnalyzingLogData.html)."""
MAX_PREFIXES: Final = 5
"""Prefixes of log groups' names (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Source.html)."""
_SHORTEST_PREFIX: Final = 3
_WORST: Final = 10
"""Functions in a graph of all of an account and region."""
_MAX_ALARMS: Final = 100
"""The most alarms of a widget."""
_WIDTH: Final = 24
_HEIGHT: Final = 6

_MAX_HIDDEN: Final = 500
"""Metrics of one graph, including those that are only summed
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html)."""
_APART: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "Level": ("level", tuple(LEVELS.values())),
    "Policy": ("control", COUNTED),
}
"""Dimensions that separate a function's violations: as in titles, and their values."""

Widget = dict[str, Any]


@dataclass(frozen=True)
class Series:
    """A metric of functions.

    Attributes:
        metric: its name.
        apart: the dimension besides the function's name; empty for none.
    """

    metric: str
    apart: str = ""

    def of(self, function: str) -> list[list[Any]]:
        """The metrics of one function."""
        one = [NAMESPACE, self.metric, "FunctionName", function]
        return [[*one, self.apart, value] for value in _APART[self.apart][1]] if self.apart else [one]


@dataclass(frozen=True)
class Shown:
    """The subject of a dashboard. Texts may hold tokens.

    Attributes:
        title: its heading, in Markdown.
        region: the region.
        functions: the names of the functions, and their construct paths; empty where unknown: then all functions of
            the account and region are shown.
        series: the counted metrics, and the names of their functions, where known.
        source: the source of queries: `SOURCE ...`, without the pipe; None where log groups cannot be named.
        notes: notes about missing content, with reasons.
        alarms: the ARNs of the alarms.
        choose: whether one function can be selected.
    """

    title: str
    region: str
    functions: Mapping[str, str]
    series: Mapping[Series, Sequence[str]]
    source: str | None
    notes: Sequence[str]
    alarms: Sequence[str]
    choose: bool


def dashboard_body(shown: Shown) -> dict[str, Any]:
    """The body of a dashboard."""
    alarms = [list(shown.alarms[first : first + _MAX_ALARMS]) for first in range(0, len(shown.alarms), _MAX_ALARMS)]
    graphs = [_violations(shown, each, names) for each, names in shown.series.items()]
    rows = [
        [_text(shown)],
        *([_widget("alarm", 3, title="Alarms", alarms=arns)] for arns in alarms),
        _logs(shown, "by_function", "hosts"),
        _logs(shown, "lines"),
        *(graphs[at : at + 2] for at in range(0, len(graphs), 2)),
        _logs(shown, "starts"),
        *([[_selected(shown)], _logs(shown, "one_function")] if shown.choose else []),
    ]
    return {"variables": [_variable(shown)] if shown.choose else [], "widgets": _arrange(rows)}


def log_source(names: Sequence[str], prefixes: Sequence[str]) -> str | None:
    """The source of queries: log groups by name, or by prefix where there are no names, or too many.

    >>> log_source(["a", "b"], [])
    "SOURCE 'a' | SOURCE 'b'"
    >>> log_source([], ["Shop-", "Orders-"])
    "SOURCE logGroups(namePrefix: ['Orders-', 'Shop-'])"

    Args:
        names: the names of all log groups; empty where one is unknown.
        prefixes: prefixes of the names.

    Returns:
        None where there are none, or their names have too little in common: a query over every log group of an account
        would be too expensive.
    """
    if 0 < len(names) <= MAX_SOURCES:
        return " | ".join(f"SOURCE '{name}'" for name in names)
    few = shared_prefixes(prefixes)
    return f"SOURCE logGroups(namePrefix: [{', '.join(repr(prefix) for prefix in few)}])" if few else None


def shared_prefixes(prefixes: Sequence[str]) -> list[str]:
    """At most five prefixes that cover all of these; none where they have too little in common.

    >>> shared_prefixes(["Shop-Beta-", "Shop-Live-", "a-", "bb-", "cc-", "dd-"])
    ['Shop-', 'a-', 'bb-', 'cc-', 'dd-']
    """
    found = sorted(set(prefixes))
    found = [p for p in found if not any(p != other and p.startswith(other) for other in found)]
    while len(found) > MAX_PREFIXES:
        common = [commonprefix(pair) for pair in itertools.pairwise(found)]  # noqa: RUF071 - of texts
        longest = max(common, key=len)
        if len(longest) < _SHORTEST_PREFIX:
            return []
        found = sorted({longest, *(p for p in found if not p.startswith(longest))})
    return found


def _arrange(rows: Sequence[Sequence[Widget]]) -> list[Widget]:
    """Rows from top to bottom; the widgets of a row share its width."""
    placed: list[Widget] = []
    y = 0
    for row in filter(None, rows):
        width = _WIDTH // len(row)
        placed.extend({**widget, "x": at * width, "y": y, "width": width} for at, widget in enumerate(row))
        y += max(widget["height"] for widget in row)
    return placed


def _widget(kind: str, height: int, **properties: Any) -> Widget:
    return {"type": kind, "height": height, "properties": properties}


def _text(shown: Shown) -> Widget:
    notes = "".join(f"\n\n{note}" for note in shown.notes)
    markdown = (
        f"# {shown.title}\nViolations of shielded functions against their policies: attempts in mode block, actions in "
        "mode alert. A line's `allow` is the entry that would permit it. No data means that nothing was counted, also "
        "for a function that does not run, or runs without the shield. **Starts** shows which functions armed." + notes
    )
    return _widget("text", 4 + len(shown.notes), markdown=markdown)


def _violations(shown: Shown, series: Series, names: Sequence[str]) -> Widget:
    """The sums over the functions, where known, as Metrics Insights sums over the whole account."""
    title = "Violations" if series.metric == METRIC else f"Violations: {series.metric.removeprefix(METRIC + '-')}"
    dimension, values = _APART.get(series.apart, ("", (title,)))
    title += f" by {dimension}" if dimension else ""
    if not names or (len(names) + 1) * len(values) > _MAX_HIDDEN:
        if series.apart:
            metric = fleet_query(series.metric, by=series.apart)
        else:
            metric = fleet_query(series.metric, limit=_WORST)
            title += f", the {_WORST} worst functions"
        return _graph(
            shown, f"{title} (all of the account and region)", [[{"expression": metric, "id": "q1", "period": 60}]]
        )
    found = list(enumerate(metric for name in names for metric in series.of(name)))
    if len(names) == 1:
        return _graph(shown, title, [metric for _, metric in found])
    if len(names) < len(shown.functions):
        title += f" (of the {len(names)} functions counted like this)"
    metrics: list[Any] = []
    for number, value in enumerate(values):
        own = [f"m{at}" for at, _ in found[number :: len(values)]]
        name = f"sum_{value}" if series.apart else "sum"
        metrics.append([{"expression": f"SUM([{','.join(own)}])", "id": name, "label": value, "period": 60}])
    metrics += [[*metric, {"id": f"m{at}", "visible": False}] for at, metric in found]
    return _graph(shown, title, metrics)


def _selected(shown: Shown) -> Widget:
    metrics = [metric for series in shown.series for metric in series.of(FUNCTION_VARIABLE)]
    return _graph(shown, "Violations of the selected function", metrics)


def _graph(shown: Shown, title: str, metrics: list[Any]) -> Widget:
    return _widget(
        "metric",
        _HEIGHT,
        title=title,
        view="timeSeries",
        stacked=True,
        region=shown.region,
        stat="Sum",
        period=60,
        metrics=metrics,
    )


def _logs(shown: Shown, *names: str) -> list[Widget]:
    """Tables of queries; none where log groups cannot be named."""
    common = {"view": "table", "region": shown.region}
    queries = [QUERIES[name] for name in names] if shown.source else []
    return [
        _widget("log", _HEIGHT, title=each.title, **common, query=f"{shown.source} | {each.text}") for each in queries
    ]


def _variable(shown: Shown) -> dict[str, Any]:
    """The functions by name, where known; otherwise those that ever violated their policy, as only these published
    metrics to search. `MetricName` without quotes also finds `Violations-critical`
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html).
    """
    variable: dict[str, Any] = {
        "type": "pattern",
        "pattern": FUNCTION_VARIABLE,
        "inputType": "select",
        "id": "function",
        "label": "Function",
        "defaultValue": "__FIRST",
        "visible": True,
    }
    if shown.functions:
        values = [{"value": name, "label": path} for name, path in shown.functions.items()]
        return {**variable, "defaultValue": values[0]["value"], "values": values}
    apart = next((series.apart for series in shown.series if series.metric == METRIC), "")
    schema = ",".join((NAMESPACE, "FunctionName", *([apart] if apart else [])))
    return {**variable, "search": f"{{{schema}}} MetricName={METRIC}", "populateFrom": "FunctionName"}
