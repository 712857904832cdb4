"""Logs Insights, as far as the project's queries use it: the rows that a query's text gives for records.

Syntax: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html. Where the guide says nothing: a
line without the field of a `by` makes a group without it; aggregates pass over absent values; `earliest` and `latest`
take the value of the line with the first and the last time.
"""

from __future__ import annotations

import ast
import operator
import re
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Any, Final

from shielded_function_monitoring.insights.queries import Row
from shielded_function_monitoring.insights.records import Record, records

_TOKEN: Final = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]+`|[@\w.$-]+|<=|>=|[=<>()\[\],|*])""")
_COMPARE: Final = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86400}
_NUMBERS: Final[dict[str, Callable[[list[Any]], Any]]] = {
    "count": len,
    "count_distinct": lambda values: len(set(values)),
    "sum": lambda values: sum(each for each in values if isinstance(each, int | float)),
}
Test = Callable[[Record], bool]


def evaluate_text(text: str, lines: Iterable[str]) -> list[Row]:
    """The rows for the shield's lines among those of a log."""
    return evaluate(text, records(lines))


def evaluate(text: str, found: Iterable[Record]) -> list[Row]:
    """The rows for records, which may have `@timestamp` (seconds since the epoch), `@log` and the like."""
    tokens, at = deque[str](), 0
    while at < len(text.rstrip()):
        token = _TOKEN.match(text, at)
        assert token, f"not understood: {text[at : at + 20]}"
        tokens.append(token[1])
        at = token.end()
    rows, columns = [dict(each) for each in found], list[str]()
    while tokens:
        command = tokens.popleft()
        if command == "filter":
            test = _either(tokens)
            rows = [row for row in rows if test(row)]
        elif command == "fields":
            columns += _fields(tokens, rows)
        elif command == "stats":
            rows, columns = _stats(tokens, rows)
        elif command == "sort":
            name, order = _name(tokens), tokens.popleft()
            rows = sorted(rows, key=lambda row: _place(_field(row, name)), reverse=order == "desc")
        else:
            assert command == "limit", command
            rows = rows[: int(tokens.popleft())]
        assert not tokens or tokens.popleft() == "|"
    read = ([(name, _field(row, name)) for name in columns] for row in rows)
    return [{name: _text(value) for name, value in row if value is not None} for row in read]


def _field(record: Record, name: str) -> Any:
    value: Any = record.get(name)
    if "." in name and name not in record:
        value = record
        for step in name.split("."):
            if isinstance(value, list):
                value = value[int(step)] if step.isdecimal() and int(step) < len(value) else None
            else:
                value = value.get(step) if isinstance(value, dict) else None
    return int(value) if isinstance(value, bool) else value if isinstance(value, str | int | float) else None


def _name(tokens: deque[str]) -> str:
    return tokens.popleft().strip("`")


def _listed(tokens: deque[str], take: Callable[[deque[str]], Any], between: str = ",") -> list[Any]:
    found = [take(tokens)]
    while tokens and tokens[0] == between:
        tokens.popleft()
        found.append(take(tokens))
    return found


def _value(tokens: deque[str]) -> Any:
    return ast.literal_eval(tokens.popleft())


def _either(tokens: deque[str]) -> Test:
    tests: list[Test] = _listed(tokens, _both, "or")
    return lambda row: any(test(row) for test in tests)


def _both(tokens: deque[str]) -> Test:
    tests: list[Test] = _listed(tokens, _condition, "and")
    return lambda row: all(test(row) for test in tests)


def _condition(tokens: deque[str]) -> Test:
    if tokens[0] == "(":
        tokens.popleft()
        inner = _either(tokens)
        assert tokens.popleft() == ")"
        return inner
    name = _name(tokens)
    if name == "ispresent":
        _, name, _ = tokens.popleft(), _name(tokens), tokens.popleft()
        return lambda row: _field(row, name) is not None
    sign = tokens.popleft()
    if sign == "in":
        _, values, _ = tokens.popleft(), _listed(tokens, _value), tokens.popleft()
        return lambda row: _field(row, name) in values
    wanted = _value(tokens)
    if sign == "like":
        return lambda row: wanted in str(_field(row, name))
    kinds = (str,) if isinstance(wanted, str) else (int, float)
    return lambda row: isinstance(found := _field(row, name), kinds) and _COMPARE[sign](found, wanted)


def _fields(tokens: deque[str], rows: list[Record]) -> list[str]:
    """Adds the columns that are made to the rows."""

    def column(tokens: deque[str]) -> str:
        name = _name(tokens)
        period = ""
        if name == "datefloor":
            _, _, _, period, _ = (tokens.popleft() for _ in range(5))
        if tokens and tokens[0] == "as":
            tokens.popleft()
            name, of = _name(tokens), name
            for row in rows:
                row[name] = _floor(row, period) if period else _field(row, of)
        return name

    return _listed(tokens, column)


def _floor(row: Record, period: str) -> str | None:
    try:
        at = row.get("@timestamp")
        if at is None:
            at = datetime.fromisoformat(row["timestamp"].removesuffix("Z")).replace(tzinfo=timezone.utc).timestamp()
    except (AttributeError, KeyError, ValueError):
        return None
    seconds = int(period[:-1]) * _SECONDS[period[-1]]
    return f"{datetime.fromtimestamp(at // seconds * seconds, timezone.utc):%Y-%m-%d %H:%M:%S}.000"


def _stats(tokens: deque[str], rows: list[Record]) -> tuple[list[Record], list[str]]:
    def aggregate(tokens: deque[str]) -> tuple[str, str, str]:
        function, _, field, _, _ = _name(tokens), tokens.popleft(), _name(tokens), tokens.popleft(), tokens.popleft()
        return function, field, _name(tokens)

    aggregates, by = _listed(tokens, aggregate), list[str]()
    if tokens and tokens[0] == "by":
        tokens.popleft()
        by = _listed(tokens, _name)
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for row in rows:
        groups.setdefault(tuple(_field(row, name) for name in by), []).append(row)
    columns = [*by, *(alias for _, _, alias in aggregates)]
    made = (
        [*key, *(_aggregated(function, field, members) for function, field, _ in aggregates)]
        for key, members in groups.items()
    )
    return [dict(zip(columns, values, strict=True)) for values in made], columns


def _aggregated(function: str, field: str, rows: list[Record]) -> Any:
    told = [(1 if field == "*" else _field(row, field), row) for row in rows]
    told = [(value, row) for value, row in told if value is not None]
    if function in _NUMBERS:
        return _NUMBERS[function]([value for value, _ in told])
    timed = [(row.get("@timestamp", row.get("timestamp")), value) for value, row in told]
    timed = [(at, value) for at, value in timed if isinstance(at, str | float)]
    if not timed:
        return None
    if function == "earliest":
        return min(timed, key=lambda each: each[0])[1]
    assert function == "latest", function
    return max(reversed(timed), key=lambda each: each[0])[1]


def _place(value: Any) -> tuple[int, Any]:
    """Numbers in front of texts, in front of which is no value."""
    return (0, 0) if value is None else (2, value) if isinstance(value, str) else (1, value)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
