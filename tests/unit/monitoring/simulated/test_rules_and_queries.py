"""The rules of composite alarms, and Metrics Insights queries: what is read, what is refused, and what it takes."""

from __future__ import annotations

from typing import Any

import pytest

from harness.chains import QUERY
from shielded_function_monitoring.alarm import AlarmState
from shielded_function_monitoring.simulated.composite import RuleError, parse_rule
from shielded_function_monitoring.simulated.metrics import MetricKey, Metrics
from shielded_function_monitoring.simulated.metrics_insights import Condition, MetricsQuery, QueryError, parse_query

STATES: dict[str, AlarmState] = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "d e": "ALARM"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('ALARM("a")', True),
        ("ALARM(a)", True),
        ('ALARM("b")', False),
        ('OK("b")', True),
        ('INSUFFICIENT_DATA("c")', True),
        ('ALARM("d e")', True),
        ('ALARM("b") OR ALARM("a")', True),
        ('ALARM("b") AND ALARM("a")', False),
        ('NOT ALARM("b")', True),
        ('NOT ALARM("b") AND NOT ALARM("a")', False),
        ('ALARM("a") OR ALARM("b") AND ALARM("c")', True),  # AND before OR
        ('(ALARM("a") OR ALARM("b")) AND ALARM("c")', False),
        ('(ALARM("b") OR (OK("b") AND NOT (FALSE)))', True),
        ("TRUE", True),
    ],
)
def test_rules(text: str, holds: bool) -> None:
    assert parse_rule(text).holds(STATES) is holds


def test_an_alarm_that_is_not_there() -> None:
    with pytest.raises(RuleError, match="there is no such alarm"):
        parse_rule('OK("x")').holds(STATES)


FLEET = MetricsQuery("SUM", "Violations", "ShieldedFunction", ("FunctionName",), (), ("FunctionName",), True)
WHERE = (Condition("A", True, "x"), Condition("B", False, "y z"))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (QUERY.replace("SELECT", "select").replace("GROUP BY", "group  by"), FLEET),
        ("SELECT SUM(Violations) FROM ShieldedFunction", MetricsQuery("SUM", "Violations", "ShieldedFunction")),
        ('SELECT AVG("a b") FROM SCHEMA("AWS/EC2")', MetricsQuery("AVG", "a b", "AWS/EC2", ())),
        (
            "SELECT MAX(M) FROM SCHEMA(N, A, B) WHERE A = 'x' AND \"B\" != 'y z' GROUP BY A, B ORDER BY MAX() LIMIT 5",
            MetricsQuery("MAX", "M", "N", ("A", "B"), WHERE, ("A", "B"), False, 5),
        ),
    ],
)
def test_queries_that_are_read(text: str, query: MetricsQuery) -> None:
    assert parse_query(text) == query


RULES = [
    ("", "found the end"),
    ('ALARM("a', "AlarmRule, character 7"),
    ('ALARM("a"', "expected ), found the end"),
    ("ALARM()", "expected the name of an alarm"),
    ('ALARM("a") ALARM("b")', "expected AND, OR or the end"),
    ('ALARM("a") OR', "found the end"),
    ('alarm("a")', "found alarm"),
    ('AT_LEAST(2, ALARM, ("a"))', "found AT_LEAST"),
    ("NOT " * 40 + "TRUE", "nests more than"),
    (" OR ".join(f'ALARM("{number}")' for number in range(101)), "names 101 alarms; CloudWatch takes 100"),
]
QUERIES = [
    ("", "expected SELECT, found the end"),
    ("SELECT Violations FROM N", "VIOLATIONS is not one of AVG"),
    ("SELECT SUM() FROM N", "expected a metric"),
    ("SELECT SUM(M)", "expected FROM"),
    ("SELECT SUM(M) FROM SCHEMA()", "expected a namespace"),
    ("SELECT SUM(M) FROM N GROUP FunctionName", "expected the end, found GROUP"),
    ("SELECT SUM(M) FROM N GROUP BY", "expected a dimension, found the end"),
    ("SELECT SUM(M) FROM N WHERE A = x", "expected a text in ''"),
    ("SELECT SUM(M) FROM N WHERE A > 'x'", "cannot be read"),
    ("SELECT SUM(M) FROM N WHERE A = 'x' OR A = 'y'", "expected the end, found OR"),
    ("SELECT SUM(M) FROM N ORDER BY AVG()", "ORDER BY AVG() beside SELECT SUM"),
    ("SELECT SUM(M) FROM N LIMIT ten", "expected a number"),
    ('SELECT SUM(M) FROM SCHEMA("N", A) GROUP BY B', "GROUP BY B: not in SCHEMA"),
    ("SELECT SUM(M) FROM AWS/Lambda", "cannot be read"),
]


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [(read, *row) for read, rows in ((parse_rule, RULES), (parse_query, QUERIES)) for row in rows],
)
def test_what_is_refused(read: Any, text: str, says: str) -> None:
    with pytest.raises((RuleError, QueryError)) as error:
        read(text)
    assert says in str(error.value)


def metrics() -> Metrics:
    found = Metrics()
    for function, policy, value in (("a", None, 1), ("b", None, 2), ("a", "read_handler", 4)):
        dimensions = {"FunctionName": function} | ({"Policy": policy} if policy else {})
        found.put(MetricKey.of("ShieldedFunction", "Violations", dimensions), value, time=60)
    found.put(MetricKey.of("ShieldedFunction", "Other", {"FunctionName": "a"}), 8, time=60)
    found.put(MetricKey.of("Elsewhere", "Violations", {"FunctionName": "a"}), 16, time=60)
    return found


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        (QUERY, {("a",): 1, ("b",): 2}),  # SCHEMA: these dimensions and no other
        ("SELECT SUM(Violations) FROM ShieldedFunction", {(): 7}),
        ("SELECT SUM(Violations) FROM ShieldedFunction GROUP BY FunctionName", {("a",): 5, ("b",): 2}),
        ("SELECT SUM(Violations) FROM ShieldedFunction GROUP BY Policy", {("read_handler",): 4}),
        ('SELECT SUM(Violations) FROM SCHEMA("ShieldedFunction")', {}),
        ("SELECT SUM(Violations) FROM ShieldedFunction WHERE FunctionName != 'a' GROUP BY FunctionName", {("b",): 2}),
        ("SELECT SUM(Violations) FROM ShieldedFunction WHERE Policy != 'x'", {(): 4}),  # without the dimension: no
    ],
)
def test_what_a_query_takes(text: str, sums: dict[tuple[str, ...], float]) -> None:
    """A series that is old is no longer there."""
    assert parse_query(text).groups(metrics(), since=120) == {}
    groups = parse_query(text).groups(metrics(), since=119)
    assert sums == {
        name: sum(found.sum for one in series for found in one.minutes.values()) for name, series in groups.items()
    }
