"""What a dashboard shows, as CloudWatch's JSON. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from shielded_function_monitoring.filters import METRIC, NAMESPACE, fleet_query
from shielded_function_monitoring.queries import FUNCTION_VARIABLE, QUERIES, Query

MAX_SOURCES: Final = 50
"""Log groups that one query names (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AnalyzingLogData.html)."""
MAX_PREFIXES: Final = 5
"""Prefixes of log groups' names (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Source.html)."""
_SHORTEST_PREFIX: Final = 3
_MAX_METRICS: Final = 100
"""Metrics that are drawn one by one; beyond, the worst of all functions are."""
_WORST: Final = 10
_MAX_ALARMS: Final = 100
"""Alarms of one widget."""
_WIDTH: Final = 24
_HEIGHT: Final = 6

_QUERY_ROWS: Final = (
    ("by_policy", "by_function"),
    ("by_package",),
    ("hosts", "addresses"),
    ("paths", "programs"),
    ("starts", "entries"),
    ("lines",),
)

Widget = dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """What a dashboard is about. Texts may hold tokens.

    Attributes:
        title: its heading, in Markdown.
        region: the region.
        functions: the names of the functions to draw one by one; none for all of the account and region.
        metrics: the metrics that are counted by function.
        by_policy: whether violations are also counted by policy.
        source: where queries look: `SOURCE ...`, without the pipe; none where the log groups cannot be named.
        notes: what the dashboard does not show, and why.
        alarms: the ARNs of the alarms.
        choose: whether one function can be chosen, to look at it alone.
    """

    title: str
    region: str
    functions: Sequence[str]
    metrics: Sequence[str]
    by_policy: bool
    source: str | None
    notes: Sequence[str]
    alarms: Sequence[str]
    choose: bool


def dashboard_body(shown: Shown) -> dict[str, Any]:
    """The body of a dashboard."""
    rows: list[list[Widget]] = [[_text(shown)]]
    for first in range(0, len(shown.alarms), _MAX_ALARMS):
        rows.append([_widget("alarm", 3, title="Alarms", alarms=list(shown.alarms[first : first + _MAX_ALARMS]))])
    graphs = [_violations(shown, metric) for metric in shown.metrics]
    if shown.by_policy:
        graphs.append(_by_policy(shown))
    rows.extend(graphs[at : at + 2] for at in range(0, len(graphs), 2))
    if shown.source:
        rows.extend([_log(shown, QUERIES[name]) for name in names] for names in _QUERY_ROWS)
    if shown.choose:
        chosen = [_chosen(shown)]
        if shown.source:
            chosen.append(_log(shown, QUERIES["one_function"]))
        rows.append(chosen)
    return {"variables": [_variable(shown)] if shown.choose else [], "widgets": _laid_out(rows)}


def log_source(names: Sequence[str], prefixes: Sequence[str]) -> str | None:
    """Where queries look: in log groups by name, or by what their names begin with.

    >>> log_source(["a", "b"], [])
    "SOURCE 'a' | SOURCE 'b'"
    >>> log_source([], ["Shop-", "Orders-"])
    "SOURCE logGroups(namePrefix: ['Orders-', 'Shop-'])"

    Args:
        names: the log groups' names.
        prefixes: what the names of further ones begin with.

    Returns:
        None where there are none, or their names have too little in common: a query over every log group of an account
        would cost more than it tells.
    """
    if names and not prefixes and len(names) <= MAX_SOURCES:
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
        common = [_common(one, two) for one, two in itertools.pairwise(found)]
        longest = max(common, key=len)
        if len(longest) < _SHORTEST_PREFIX:
            return []
        found = sorted({longest, *(p for p in found if not p.startswith(longest))})
    return found


def _common(one: str, two: str) -> str:
    length = next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
    return one[:length]


def _laid_out(rows: Sequence[Sequence[Widget]]) -> list[Widget]:
    """Rows from top to bottom; the widgets of a row share its width."""
    placed: list[Widget] = []
    y = 0
    for row in rows:
        width = _WIDTH // len(row)
        placed.extend({**widget, "x": at * width, "y": y, "width": width} for at, widget in enumerate(row))
        y += max(widget["height"] for widget in row)
    return placed


def _widget(kind: str, height: int, **properties: Any) -> Widget:
    return {"type": kind, "height": height, "properties": properties}


def _text(shown: Shown) -> Widget:
    notes = "".join(f"\n\n{note}" for note in shown.notes)
    markdown = (
        f"# {shown.title}\nWhat the code of shielded functions did, or tried, against their policies. A line's `allow` "
        f"is the entry that would permit it. No data means no violation.{notes}"
    )
    return _widget("text", 3 + len(shown.notes), markdown=markdown)


def _violations(shown: Shown, metric: str) -> Widget:
    title = "Violations" if metric == METRIC else f"Violations: {metric.removeprefix(METRIC + '-')}"
    if shown.functions and len(shown.functions) <= _MAX_METRICS:
        metrics: list[Any] = [[NAMESPACE, metric, "FunctionName", name] for name in shown.functions]
    else:
        metrics = [[{"expression": fleet_query(metric, limit=_WORST), "id": "q1", "period": 60}]]
        title += f" (the {_WORST} worst functions of the account and region)"
    return _graph(shown, title, metrics)


def _by_policy(shown: Shown) -> Widget:
    query = f'SELECT SUM({METRIC}) FROM SCHEMA("{NAMESPACE}", FunctionName, Policy) GROUP BY Policy ORDER BY SUM() DESC'
    return _graph(shown, "Violations by policy", [[{"expression": query, "id": "q1", "period": 60}]])


def _chosen(shown: Shown) -> Widget:
    metrics = [[NAMESPACE, metric, "FunctionName", FUNCTION_VARIABLE] for metric in shown.metrics]
    return _graph(shown, "Violations of the function that is chosen", metrics)


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


def _log(shown: Shown, query: Query) -> Widget:
    return _widget(
        "log",
        _HEIGHT,
        title=query.title,
        view=query.view,
        region=shown.region,
        query=f"{shown.source} | {query.text}",
    )


def _variable(shown: Shown) -> dict[str, Any]:
    """Functions that never violated their policy publish nothing, and cannot be chosen."""
    metric = METRIC if METRIC in shown.metrics or not shown.metrics else shown.metrics[0]
    return {
        "type": "pattern",
        "pattern": FUNCTION_VARIABLE,
        "inputType": "select",
        "id": "function",
        "label": "Function",
        "defaultValue": "__FIRST",
        "visible": True,
        "search": f'{{{NAMESPACE},FunctionName}} MetricName="{metric}"',
        "populateFrom": "FunctionName",
    }
