"""The questions of the command line: their SQL says the same as their text, and parts of an answer make the whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.alert_lines import alert, armed, at, connect, folded, lookup, refused, tmp
from harness.logs_insights import evaluate_text
from shielded_function_monitoring.errors import ShieldError
from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.insights.combining import CombinedRows
from shielded_function_monitoring.insights.lines import Lines
from shielded_function_monitoring.insights.queries import Query, Row, aggregates_of
from shielded_function_monitoring.insights.records import records
from shielded_function_monitoring.insights.table import Table

pytestmark = pytest.mark.promise("cli.logs")


def tmp_counted(path: str, count: int, time: str = "", **fields: Any) -> str:
    """A line of repeats, which names its target."""
    return folded("read_write_tmp", count, time, event="repeated", details={"path": path}, **fields)


THROUGH = ("urllib3", "requests", "app")
TRUE = connect("evil.example")
LOG = [
    "START RequestId: 1 Version: $LATEST",
    armed(at(20), function="refund"),
    armed(at(20), aws="all", buckets=3, hosts=2),
    *[connect("api.stripe.com", time=at(20, second=1), caller="libssl.so")] * 3,
    connect("api.stripe.com", time=at(21), caller="libssl.so", version="8"),
    connect("api.stripe.com", time=at(19), caller="libssl.so", version="6"),
    *(connect("a.example", time=at(day), through=THROUGH[:n]) for n in range(4) for day in (20, 22)),
    lookup("api.stripe.com", at(20)),
    tmp("/tmp/x", at(22), function="refund", mode="block"),
    tmp("/tmp/\ud800 \u65e5\u672c \0", at(22)),
    folded("read_write_tmp", 18, at(22, second=2)),
    tmp_counted("/tmp/x", 3),
    refused("SHIELD_READ_HANDLER: blok is not a mode", at(23)),
    alert("read_handler", path="/var/task/app.py", count=900),
    *(TRUE.replace('"count":1', f'"count":{count}') for count in (-5, 0, 2, 1.0, 10**7, 10_000_001, 10**400, '"1"')),
    *(TRUE.replace('"count":1', f'"count":{count}') for count in ("true", "null", "[1]")),
    *(TRUE.replace('"count":1', '"count":1,"severity":' + each) for each in ('{"x":1}', "1.5", "7", "true", "[]")),
    TRUE.replace('"caller"', '"of"'),
    TRUE.replace(json.dumps(at()), "5"),
    TRUE.replace('"outbound_connectivity"', '"start"'),
    '{"message":"{\\"function_shield\\":true}"}',
    tmp("/tmp/a\x1fb", function="\x1e\x1f"),
    "REPORT RequestId: 1",
]
QUERIES = {
    "observed": queries.observed(),
    "observed, of one": queries.observed(("checkout",)),
    "timeline": queries.timeline(),
    "timeline by hour": queries.timeline(("refund", "b c", "it's"), "1h"),
    **{f"by {group}": queries.alerts_by(group) for group in queries.GROUPS},
}


def answer(query: Query, lines: Iterable[str]) -> list[Row]:
    table = Lines([query])
    table.add(records(lines))
    return list(table.rows(query))


def in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def as_kept(line: str) -> str:
    """As CloudWatch keeps it: half a character, which UTF-8 does not have, is replaced; here the mark of keys too."""
    return line.replace("\\ud800", "\ufffd" * 3).replace("\\u001f", "\ufffd")


@pytest.mark.parametrize("held", [3, 20_000])
@pytest.mark.parametrize("name", QUERIES)
def test_sql_says_what_the_text_says(name: str, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one table, for several questions, as often as one asks; of lines that did not fit into memory, too."""
    monkeypatch.setattr("shielded_function_monitoring.insights.lines._HELD", held)
    query, table = QUERIES[name], Lines(list(QUERIES.values()))
    table.add(records(LOG))
    found = list(table.rows(query))
    assert found == list(table.rows(query))
    assert in_order(found) == in_order(evaluate_text(query.render(), map(as_kept, LOG)))
    assert found
    assert {"policy", "function"} & set(found[0])


ONE = st.builds(
    lambda line, day, fields: json.dumps(json.loads(line) | {"timestamp": at(day)} | fields, separators=(",", ":")),
    st.sampled_from([connect("a.example"), tmp("/tmp/x"), folded("read_write_tmp", 7), refused("x"), armed()]),
    st.integers(1, 28),
    st.fixed_dictionaries(
        {},
        optional={
            "version": st.sampled_from(["7", "8", None, 9, 1.5]),
            "mode": st.sampled_from(["block", "alert", "x", []]),
            "reason": st.sampled_from(["package", "", None]),
            "function": st.sampled_from(["checkout", "refund", {}]),
            "count": st.sampled_from([1, 2, 0, -1, 1e7, "1", None]),
            "event": st.sampled_from(["repeated", "native", "kernel", None]),
            "caller": st.sampled_from([{"package": "x", "through": ["x", "y", 5]}, [], "z"]),
            "timestamp": st.sampled_from(["2026-11-24T13:37:00.000001Z", 5, None]),
        },
    ),
)


@given(st.lists(ONE, max_size=20), st.sampled_from(list(QUERIES)))
def test_sql_says_what_the_text_says_of_any_lines(lines: list[str], name: str) -> None:
    query = QUERIES[name]
    assert in_order(answer(query, lines)) == in_order(evaluate_text(query.render(), lines))


def test_the_newest_lines() -> None:
    query = queries.lines(("checkout",), 3)
    log = [*LOG, tmp("/tmp/other", function="other")]
    found = [row["@message"] for row in answer(query, log)]
    assert len(found) == 3
    assert found == [row["@message"] for row in evaluate_text(queries.lines(("checkout",)).render(), log)][-3:][::-1]


def test_what_is_no_line_of_the_shield() -> None:
    said = ['{"function_shield":true', '{"function_shield":true} x', '{"function_shield":false}', "[" * 100_000]
    said += ['{"function_shield":true,"a":' + "[" * 100_000, '{"body":{"function_shield":true}}', '{"message":{' * 9999]
    said += ['{"function_shield":true,"message":{"event":' * 9999, '"message":"' * 9999 + '\\"function_shield\\"']
    assert list(records(said)) == []


def test_more_rows_than_a_result_of_insights_has() -> None:
    line = tmp("/tmp/x")
    lines = [line.replace("/tmp/x", f"/tmp/{n}") for n in range(10_001)]
    for query in (queries.observed(), queries.alerts_by("target")):
        assert len(answer(query, lines)) == 10_001


def test_a_temporary_file_that_cannot_be_written() -> None:
    table = Table(("key",))
    table._database.execute("PRAGMA max_page_count=2")
    said = "temporary file: database or disk is full: set SQLITE_TMPDIR to a folder wi"
    with pytest.raises(ShieldError, match=said):
        table.add([("x" * 10_000,)])


@pytest.mark.parametrize("name", ["x\ny", 'b"c', "b\\c"])
def test_what_cannot_be_written(name: str) -> None:
    with pytest.raises(ShieldError, match="cannot be written in a query"):
        queries.observed(("checkout", name)).render()


@given(
    st.lists(st.tuples(st.integers(1, 28), st.sampled_from("abc"), st.integers(1, 9)), max_size=30), st.integers(1, 28)
)
def test_parts_of_the_time_make_the_whole(found: list[tuple[int, str, int]], parted: int) -> None:
    """Asked for in two parts, at midnight, it is what it is at once."""
    query = queries.alerts_by("target")
    log = [tmp_counted(f"/tmp/{name}", count, at(day), version=str(day)) for day, name, count in sorted(found)]
    early = [each for each in log if json.loads(each)["timestamp"] < at(parted, 0)]
    together = CombinedRows(query.aggregates, query.by)
    together.add(answer(query, log[len(early) :]), since=86400)
    together.add(answer(query, early), since=1)
    assert in_order(together.stream()) == in_order(answer(query, log))


def test_numbers_as_insights_writes_them() -> None:
    together = CombinedRows(aggregates_of("sum(count) as n, count_distinct(period) as days"), ("a",))
    for part in ([{"a": "x", "n": "1.2E7", "days": "3.0"}], [{"a": "x", "n": "5", "days": "nonsense"}, {"n": "1"}]):
        together.add(part)
    assert in_order(together.stream()) == [{"a": "x", "n": "12000005", "days": "3"}, {"n": "1"}]


@pytest.mark.parametrize(
    "time", ["9999-99-99", "0000-11-20", "2026-02-30", "\u0662\u0660\u0662\u0666-11-20", "2026-1--20", "\x1b[31m     "]
)
def test_a_day_that_is_none(time: str) -> None:
    line = connect("a.example").replace(at()[:10], json.dumps(time)[1:-1])
    (row,) = answer(queries.timeline(), [line])
    assert "period" not in row


def test_the_groups_of_each_log_group_apart() -> None:
    by_log = queries.alerts_by("function").apart_by("@log").render().splitlines()[3]
    assert by_log.endswith("by function, region, account, @log")
    assert queries.lines().apart_by("@log") == queries.lines()
