"""The rules of composite alarms, and Metrics Insights queries: what is read, what is refused, and what it takes."""

from __future__ import annotations

from typing import Any

import pytest

from harness.chains import QUERY
from shielded_function_monitoring.simulated.metrics import MetricKey, Metrics, SimulationError
from shielded_function_monitoring.simulated.rules import parse_rule
from shielded_function_monitoring.simulated.states import AlarmState
from shielded_function_monitoring.simulated.watched_metrics import MetricsQuery, parse_query

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


FLEET = MetricsQuery("Violations", "ShieldedFunction", ("FunctionName",), (), ("FunctionName",))
WHERE = (("A", "x"), ("B", "y z"))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (QUERY.replace("SELECT", "select").replace("GROUP BY", "group  by"), FLEET),
        ('SELECT SUM("a b") FROM SCHEMA("AWS/EC2")', MetricsQuery("a b", "AWS/EC2")),
        (
            "SELECT SUM(M) FROM SCHEMA(N, A, B) WHERE A = 'x' AND \"B\" = 'y z' GROUP BY A, B ORDER BY SUM() DESC",
            MetricsQuery("M", "N", ("A", "B"), WHERE, ("A", "B")),
        ),
    ],
)
def test_queries_that_are_read(text: str, query: MetricsQuery) -> None:
    assert parse_query(text) == query


RULES = [
    ("", "an operator or a parenthesis is missing"),
    ('ALARM("a', "AlarmRule, character 1"),
    ('ALARM("a"', "AlarmRule, character 1"),
    ("ALARM()", "AlarmRule, character 1: expected ALARM(name)"),
    ('ALARM("a") ALARM("b")', "an operator or a parenthesis is missing"),
    ('ALARM("a") (ALARM("b"))', "an operator or a parenthesis is missing"),
    ('(ALARM("a")', "an operator or a parenthesis is missing"),
    ('ALARM("a") OR', "an operator or a parenthesis is missing"),
    ("()", "an operator or a parenthesis is missing"),
    ('OK("b") OR alarm("a")', "AlarmRule, character 12: expected ALARM(name)"),
    ('AT_LEAST(2, ALARM, ("a"))', "found 'AT_LEAST(2"),
    ("NOT " * 2000 + "TRUE", "AlarmRule"),
    ("(" * 3000 + "TRUE" + ")" * 3000, "AlarmRule"),
]
IN_SCHEMA = 'SELECT SUM(M) FROM SCHEMA("N", A)'
QUERIES = [
    *(
        (text, "a query is read here in the form SELECT SUM(metric) FROM SCHEMA")
        for text in (
            "",
            "SELECT Violations FROM SCHEMA(N)",
            "SELECT AVG(M) FROM SCHEMA(N)",
            "SELECT SUM() FROM SCHEMA(N)",
            "SELECT SUM(M)",
            "SELECT SUM(M) FROM N",
            "SELECT SUM(M) FROM SCHEMA()",
            f"{IN_SCHEMA} GROUP A",
            f"{IN_SCHEMA} GROUP BY",
            f"{IN_SCHEMA} WHERE A = x",
            f"{IN_SCHEMA} WHERE A != 'x'",
            f"{IN_SCHEMA} WHERE A = 'x' OR A = 'y'",
            f"{IN_SCHEMA} GROUP BY A",
            f"{IN_SCHEMA} GROUP BY A ORDER BY SUM() ASC",
            f"{IN_SCHEMA} LIMIT 10",
        )
    ),
    (f"{IN_SCHEMA} GROUP BY B ORDER BY SUM() DESC", "B: not in the query's SCHEMA"),
    (f"{IN_SCHEMA} WHERE B = 'x'", "B: not in the query's SCHEMA"),
]


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [(read, *row) for read, rows in ((parse_rule, RULES), (parse_query, QUERIES)) for row in rows],
)
def test_what_is_refused(read: Any, text: str, says: str) -> None:
    with pytest.raises(SimulationError) as error:
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
    ("rest", "sums"),
    [
        (", FunctionName) GROUP BY FunctionName", {("a",): 1, ("b",): 2}),  # these dimensions and no other
        (", FunctionName)", {(): 3}),
        (", Policy, FunctionName) GROUP BY Policy", {("read_handler",): 4}),
        (", Policy, FunctionName) WHERE Policy = 'x' GROUP BY FunctionName", {}),
        (", Policy, FunctionName) WHERE Policy = 'read_handler' GROUP BY FunctionName", {("a",): 4}),
        (", Policy) GROUP BY Policy", {}),
    ],
)
def test_what_a_query_takes(rest: str, sums: dict[tuple[str, ...], float]) -> None:
    """A series that is old is no longer there."""
    order = " ORDER BY SUM() DESC" if "GROUP BY" in rest else ""
    query = parse_query('SELECT SUM(Violations) FROM SCHEMA("ShieldedFunction"' + rest + order)
    assert query.groups(metrics(), since=120) == {}
    groups = query.groups(metrics(), since=119)
    assert sums == {
        name: sum(sum(values) for one in series for values in one.values()) for name, series in groups.items()
    }
