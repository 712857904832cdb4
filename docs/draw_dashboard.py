"""Draws the dashboard of two functions on the day of an attack: `python docs/draw_dashboard.py`.

The dashboard's JSON is `ShieldDashboard`'s, its alarms and metrics are the simulated CloudWatch's, and its tables are
the dashboard's own queries on the same lines. docs/images/dashboard.svg has the upper part, to the starts.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from html import escape
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import assertions
from aws_cdk import aws_lambda as lambda_

from shielded_function import ShieldDashboard, ShieldedFunction
from shielded_function.testing import alert_line, simulate_cloudwatch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from harness.logs_insights import evaluate_text

PICTURE: Final = Path(__file__).parent / "images" / "dashboard.svg"
_START: Final = datetime(2026, 11, 24, 13, tzinfo=timezone.utc).timestamp()
_MINUTES: Final = 49
_COLUMN, _ROW, _GAP = 42, 36, 6
_CHARACTER: Final = 6.7  # wide, in the tables' font
_COLORS: Final = {"ALARM": "#d13212", "OK": "#1d8102", "ERROR": "#d13212", "WARN": "#e6a117"}
_STYLE: Final = (
    "text{font:12.5px system-ui,sans-serif;fill:#16191f}.title{font-size:14px;font-weight:600}"
    ".cell{font:11px ui-monospace,monospace}.head{font-weight:600}.small{font-size:11px;fill:#545b64}"
    ".card{fill:#fff;stroke:#d5dbdb}.line{stroke:#d5dbdb}.on{fill:#fff}"
)
_ALT: Final = (
    "The dashboard: two of four alarms are in ALARM, tables say which functions violated their policies, to which "
    "hosts and by which package, and a graph counts violations by minute"
)


def lines() -> Iterator[tuple[str, str, float]]:
    """A package that is read and sent out from 13:37 on, in one function; a forgotten telemetry host in the other."""
    for name in ("shop-checkout", "shop-refund"):
        for minute in (2, 31):
            yield name, _line(name, minute, event="armed"), minute
    for minute in range(37, _MINUTES):
        to = {"host": "collect.evil.example", "port": 443, "protocol": "tcp"}
        by = {"package": "colorsys-extra", "file": "/var/task/colorsys_extra/__init__.py", "line": 12}
        for _ in range(minute % 4 + 2):
            yield "shop-checkout", _line("shop-checkout", minute, details=to, caller=by), minute
    by = {"package": "colorsys-extra", "file": "/var/task/colorsys_extra/__init__.py", "line": 19}
    program = {"path": "/bin/sh"}
    yield "shop-checkout", _line("shop-checkout", 41, policy="create_child_process", details=program, caller=by), 41
    for minute in range(3, _MINUTES, 7):
        to = {"host": "telemetry.vendor.example", "port": 443, "protocol": "tcp"}
        by = {"package": "vendor-sdk", "file": "/var/task/vendor_sdk/send.py", "line": 88}
        yield "shop-refund", _line("shop-refund", minute, mode="alert", details=to, caller=by), minute


def _line(name: str, minute: int, event: str = "", **facts: Any) -> str:
    line = json.loads(alert_line(name, time=_START + 60 * minute, **facts))
    if event:
        line = {each: line[each] for each in ("function_shield", "v", "function", "timestamp")} | {"event": event}
    return json.dumps(line | {"version": "7"}, separators=(",", ":"))


def synthesized() -> cdk.Stack:
    """The app."""
    stack = cdk.Stack(
        cdk.App(context={"aws:cdk:enable-path-metadata": True}),
        "Shop",
        env=cdk.Environment(account="123456789012", region="us-east-1"),
    )
    for name in ("Checkout", "Refund"):
        ShieldedFunction(
            stack,
            name,
            function_name=f"shop-{name.lower()}",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline("def handler(event, context): return event"),
        )
    ShieldDashboard(stack, "Dashboard")
    return stack


def body_of(template: Mapping[str, Any]) -> dict[str, Any]:
    """The dashboard's body, with names in the place of references."""

    def known(part: Any) -> str:
        if isinstance(part, str):
            return part
        name = part.get("Ref") or part["Fn::GetAtt"][0]
        properties = template["Resources"][name]["Properties"]
        return properties.get("FunctionName") or properties.get("AlarmName") or name

    [dashboard] = [r for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Dashboard"]
    return json.loads("".join(map(known, dashboard["Properties"]["DashboardBody"]["Fn::Join"][1])))


def _text(x: float, y: float, said: str, kind: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}"{f" class={kind!r}" if kind else ""}>{escape(said)}</text>'.replace("'", '"')


def _box(x: float, y: float, wide: float, high: float, color: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" fill="{color}"/>'


def _table(rows: Sequence[dict[str, str]], order: Sequence[str], wide: float, high: float) -> Iterator[str]:
    """As CloudWatch: columns from the left, and no more than fit."""
    x, shown = 0.0, rows[: int(high // 17) - 1]
    for name in order:
        cells = [name.removeprefix("details."), *(_cell(name, row.get(name, "")) for row in shown)]
        if name in ("last_file", "first_version", "@logStream") or not any(cells[1:]):
            continue
        width = _CHARACTER * max(map(len, cells)) + 12
        if x + width > wide:
            return
        for at, cell in enumerate(cells):
            yield _text(x, 12 + 17 * at, cell, "cell head" if not at else "cell")
        x += width


def _cell(name: str, value: str) -> str:
    return value[11:16] if name == "timestamp" or name.endswith("_seen") else value


def _graph(properties: dict[str, Any], counted: Counter[tuple[str, int]], wide: float, high: float) -> Iterator[str]:
    """Stacked areas would hide single minutes: bars."""
    labels = [metric[0]["label"] for metric in properties["metrics"] if isinstance(metric[0], dict)]
    most = max(sum(counted[label, minute] for label in labels) for minute in range(_MINUTES))
    step, tall, left = (wide - 24) / _MINUTES, high - 34, 24
    for value in (0, most):
        y = 8 + tall - tall * value / most
        yield f'<path class="line" d="M{left} {y:g}H{wide:g}"/>' + _text(0, y + 4, str(value), "small")
    for minute in range(0, _MINUTES, 15):
        yield _text(left + step * minute, high - 12, f"13:{minute:02}", "small")
    for minute in range(_MINUTES):
        y = 8 + tall
        for label in labels:
            size = tall * counted[label, minute] / most
            y -= size
            if size:
                yield _box(left + step * minute, y, step - 1, size, _COLORS[label])
    for at, label in enumerate(labels):
        yield _box(left + 90 * at, high - 7, 9, 9, _COLORS[label])
        yield _text(left + 14 + 90 * at, high + 2, label, "small")


def draw() -> str:
    """The picture."""
    stack = synthesized()
    cloudwatch = simulate_cloudwatch(stack)
    said = sorted(lines(), key=lambda each: each[2])
    for minute in range(_MINUTES):
        for name, line, at in said:
            if at == minute:
                cloudwatch.put_log_events(cloudwatch.function(name).log_group, [line], at=_START + 60 * minute)
        cloudwatch.evaluate(at=_START + 60 * (minute + 1))
    counted: Counter[tuple[str, int]] = Counter()
    for key in cloudwatch.metrics:
        for minute, found in cloudwatch.metrics.series(key).items():
            counted[dict(key.dimensions).get("Level", ""), minute - int(_START // 60)] += int(sum(found))
    states = cloudwatch.states
    drawn: list[str] = []
    bottom = 0
    for widget in body_of(assertions.Template.from_stack(stack).to_json())["widgets"]:
        properties, kind = widget["properties"], widget["type"]
        x, y = _GAP + _COLUMN * widget["x"], _GAP + _ROW * widget["y"]
        wide, high = _COLUMN * widget["width"] - _GAP, _ROW * widget["height"] - _GAP
        bottom = max(bottom, y + high + _GAP)
        drawn.append(f'<rect class="card" x="{x}" y="{y}" width="{wide}" height="{high}" rx="3"/>')
        inside: list[str] = []
        if kind == "text":
            title, text = properties["markdown"].removeprefix("# ").replace("*", "").replace("`", "").split("\n", 1)
            drawn.append(_text(x + 10, y + 24, title, "title"))
            inside += [_text(0, 14 + 18 * at, line) for at, line in enumerate(textwrap.wrap(text, 150))]
        else:
            drawn.append(_text(x + 10, y + 22, properties["title"], "title"))
        if kind == "alarm":
            for at, name in enumerate(properties["alarms"]):
                inside.append(_box(245 * at, 0, 235, 54, _COLORS[states[name]]))
                inside += [_text(245 * at + 8, 22, name, "on"), _text(245 * at + 8, 42, states[name], "on")]
        elif kind == "metric":
            inside += _graph(properties, counted, wide - 24, high - 46)
        elif kind == "log":
            query = " | ".join(part for part in properties["query"].split(" | ") if not part.startswith("SOURCE"))
            query = query.replace("@timestamp", "timestamp")  # CloudWatch's own is the time of the event
            rows = [dict(row) for row in evaluate_text(query, [line for _, line, _ in said])]
            named = re.findall(r"by ([\w., ]+?) \|", query)
            order = [*(named[0].split(", ") if named else []), *(rows[0] if rows else [])]
            inside += _table(rows, list(dict.fromkeys(order)), wide - 20, high - 36)
        drawn.append(f'<g transform="translate({x + 10},{y + 32})">{"".join(inside)}</g>')
        if kind == "log" and properties["title"].startswith("Starts"):
            break
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_COLUMN * 24 + _GAP} {bottom}" role="img"'
    head += f' aria-label="{_ALT}"><title>{_ALT}</title><style>{_STYLE}</style>'
    return "\n".join([head, '<rect width="100%" height="100%" fill="#f2f3f3"/>', *drawn, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
