"""The rules of composite alarms."""

from __future__ import annotations

import pytest

from shielded_function_monitoring.alarm import AlarmState
from shielded_function_monitoring.simulated.composite import RuleError, parse_rule

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


@pytest.mark.parametrize(
    ("text", "says"),
    [
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
    ],
)
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(RuleError) as error:
        parse_rule(text)
    assert says in str(error.value)


def test_an_alarm_that_is_not_there() -> None:
    with pytest.raises(RuleError, match="there is no such alarm"):
        parse_rule('OK("x")').holds(STATES)
