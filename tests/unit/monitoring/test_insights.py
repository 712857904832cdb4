"""The queries' text, run by the evaluator over lines of the shield."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.alert_lines import armed, at, connect, folded, lookup, refused, tmp
from shielded_function_monitoring import insights
from shielded_function_monitoring.insights import QueryError, evaluate, evaluate_text, parse_query, queries, records
from shielded_function_monitoring.insights.spilling import Spill

pytestmark = pytest.mark.promise("alarm.simulated")

LOG = [
    "START RequestId: 1 Version: $LATEST",
    armed(at(20)),
    *[connect("api.stripe.com", time=at(20, second=1), caller="libssl.so")] * 3,
    connect("api.stripe.com", time=at(21), caller="libssl.so"),
    lookup("api.stripe.com", at(20)),
    tmp("/tmp/x", at(22), function="refund", mode="block"),
    folded("read_write_tmp", 18, at(22, second=2)),
    refused("SHIELD_READ_HANDLER: blok is not a mode", at(23)),
    '{"message":"{\\"function_shield\\":true}"}',
    "REPORT RequestId: 1",
]


def tmp_counted(path: str, count: int, time: str = "", **fields: Any) -> str:
    """A line of repeats, which names its target."""
    return folded("read_write_tmp", count, time, event="repeated", details={"path": path}, **fields)


THROUGH = ("urllib3", "requests", "app")

QUERIES = {
    "observed": queries.observed(),
    "observed, of one": queries.observed(("checkout",)),
    "timeline": queries.timeline(),
    "timeline by hour": queries.timeline(("a", 'b"c\\'), "1h"),
    "lines": queries.lines((), 3),
    **{f"by {group}": queries.alerts_by(group) for group in queries.GROUPS},
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_read_back_as_it_is_written(name: str) -> None:
    query = QUERIES[name]
    assert parse_query(query.render()) == query
    assert parse_query(query.render().replace("\n", " ")) == query
    assert evaluate_text(query.render(), LOG) == evaluate(query, LOG)


@pytest.mark.parametrize("before", ["2026-11-24T13:37:00 stream/[$LATEST]1 ", "\t", "x"])
def test_what_a_tool_writes_in_front_of_a_line(before: str) -> None:
    (record,) = records([before + LOG[2] + "\r\n"])
    assert record["@message"] == LOG[2]


def test_what_is_no_line_of_the_shield() -> None:
    said = ['{"function_shield":true', '{"function_shield":true} x', '{"function_shield":false}', "[" * 100_000]
    said += ['{"function_shield":true,"a":' + "[" * 100_000, '{"body":{"function_shield":true}}', '{"message":{' * 9999]
    said += ['{"function_shield":true,"message":{"event":' * 9999, '"message":"' * 9999 + '\\"function_shield\\"']
    assert list(records(said)) == []


def test_values_that_are_no_scalars_are_absent() -> None:
    forged = '{"function_shield":true,"policy":["a"],"function":{"x":1},"count":true,"mode":null,"v":1.5}'
    text = "stats count(*) as lines, sum(`count`) as total by policy, function, mode, v"
    assert evaluate_text(text, [forged]) == [{"lines": "1", "total": "1", "v": "1.5"}]


def test_fields_and_aliases() -> None:
    text = "fields policy as what, details.path | sort what | limit 1"
    assert evaluate_text(text, [tmp("/tmp/x")]) == [{"what": "read_write_tmp", "details.path": "/tmp/x"}]


def test_aggregates() -> None:
    lines = [tmp_counted("/tmp/x", n + 1, at(20 + n)) for n in (2, 0, 1)]
    text = (
        "stats count(*) as lines, count(details.host) as hosts, sum(`count`) as total, min(`count`) as least, "
        "max(`count`) as most, count_distinct(`count`) as kinds, earliest(`count`) as first, latest(`count`) as last"
    )
    assert evaluate_text(text, lines) == [
        {"lines": "3", "hosts": "0", "total": "6", "least": "1", "most": "3", "kinds": "3", "first": "1", "last": "3"}
    ]


def test_sorting_and_limits() -> None:
    lines = [tmp_counted(f"/tmp/{n}", n) for n in (9, 10, 2)]
    text = "stats sum(`count`) as n by details.path | sort n {} | limit 2"
    assert [row["n"] for row in evaluate_text(text.format("desc"), lines)] == ["10", "9"]
    assert [row["n"] for row in evaluate_text(text.format("asc"), lines)] == ["2", "9"]


@pytest.mark.parametrize("name", QUERIES)
def test_groups_beyond_memory(name: str) -> None:
    """They go to a file, and come back as if they had not: every aggregate of it, in whatever order they came."""
    lines = [*LOG, *(tmp_counted(f"/tmp/{n % 8}", n + 1, at(20 + n % 3, second=n)) for n in range(40)), *LOG]
    query = QUERIES[name].unlimited()
    evaluation = insights.Evaluation(query, max_groups=3)
    for record in records(lines):
        evaluation.add(record)
    key = lambda row: json.dumps(row, sort_keys=True)  # noqa: E731
    assert sorted(evaluation.rows(), key=key) == sorted(evaluate(query, lines), key=key)
    assert evaluation.rows() == evaluation.rows(), "they are there as often as they are asked for"


def test_more_rows_than_a_result_of_insights_has() -> None:
    line = tmp("/tmp/x")
    lines = [line.replace("/tmp/x", f"/tmp/{n}") for n in range(10_001)]
    assert len(evaluate(queries.observed().unlimited(), lines)) == 10_001
    assert len(evaluate(queries.observed(), lines)) == 10_000


def test_a_temporary_file_that_cannot_be_written() -> None:
    spill = Spill()
    spill._database.execute("PRAGMA max_page_count=2")
    with pytest.raises(
        insights.SpillError, match="temporary file: database or disk is full: set SQLITE_TMPDIR to a folder wi"
    ):
        spill.write([("key", "x" * 10_000)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fields", "expected word or quoted, found the end"),
        ("filter policy != 'x'", "!= is not one of"),
        ("filter not ispresent(x)", "expected sign, found ispresent"),
        ("filter policy like /x/", "'/x/' is not understood"),
        ("filter policy in []", "expected text"),
        ("parse @message '*' as x", "parse is not one of fields, filter"),
        ("stats sum(x)", "expected as"),
        ("stats avg(x) as y", "avg is not one of"),
        ("stats sum(*) as y", r"sum\(\*\): only count takes \*"),
        ("stats count(*) as n by n", "its own name"),
        ("stats count(*) as n | stats count(*) as m", "at most one stats"),
        ("limit 10001", "1 to 10000"),
        ("limit 1 limit 2", "expected | or the end"),
        ("fields datefloor(@timestamp, 1x) as day", "expected period"),
        ("limit 1 | filter ispresent(x)", "come before stats"),
    ],
)
def test_what_is_outside_the_subset_is_refused(text: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        evaluate_text(text, [])


@pytest.mark.parametrize(
    "make",
    [
        lambda: insights.Compare("a", "=", "x\ny").render(),
        lambda: insights.Compare("a`b", "=", 1).render(),
        lambda: insights.In("a", ()),
        lambda: insights.All(),
        lambda: insights.Column("a", "count").render(),
        lambda: insights.Column("a", "b.c").render(),
        lambda: insights.DateFloor("0d").render(),
        lambda: insights.Query(
            insights.Filter(insights.In("function", tuple(str(n) * 60 for n in range(200))))
        ).render(),
    ],
)
def test_what_cannot_be_written(make: object) -> None:
    with pytest.raises(QueryError):
        make()  # type: ignore[operator]


TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12)
NAMES = st.sampled_from(("policy", "details.host", "count", "@message", "a b", "in"))
LEAVES = st.one_of(
    st.builds(insights.Compare, NAMES, st.sampled_from(("=", "<", "<=", ">", ">=")), TEXTS.filter(str.isprintable)),
    st.builds(insights.Compare, NAMES, st.just("="), st.integers(-1000, 1000)),
    st.builds(insights.Like, NAMES, TEXTS.filter(str.isprintable)),
    st.builds(insights.In, NAMES, st.lists(TEXTS.filter(str.isprintable), min_size=1, max_size=3).map(tuple)),
    st.builds(insights.IsPresent, NAMES),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: insights.All(*parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: insights.AnyOf(*parts)),
    ),
    max_leaves=6,
)


@given(CONDITIONS, TEXTS, TEXTS, st.integers(-1000, 1000))
def test_any_condition_is_read_back_and_means_the_same(condition: object, policy: str, host: str, count: int) -> None:
    query = insights.Query(insights.Filter(condition))  # type: ignore[arg-type]
    again = parse_query(query.render())
    record = {"policy": policy, "details": {"host": host}, "count": count, "@message": policy + host, "in": host}
    (first,), (second,) = query.commands, again.commands
    assert isinstance(first, insights.Filter)
    assert isinstance(second, insights.Filter)
    assert first.condition.compile()(dict(record)) == second.condition.compile()(dict(record))
    assert again.render() == query.render()


@given(
    st.lists(st.tuples(st.integers(1, 28), st.sampled_from("abc"), st.integers(1, 9)), max_size=30), st.integers(1, 28)
)
def test_parts_of_the_time_make_the_whole(found: list[tuple[int, str, int]], parted: int) -> None:
    """Asked for in two parts, at midnight, it is what it is at once."""
    query = queries.alerts_by("target")
    stats = query.stats
    assert stats is not None
    log = [tmp_counted(f"/tmp/{name}", count, at(day), version=str(day)) for day, name, count in sorted(found)]
    early = [each for each in log if json.loads(each)["timestamp"] < at(parted, 0)]
    late = log[len(early) :]
    together = insights.CombinedRows(stats, most=2)
    together.add(evaluate(query, late), since=86400)
    together.add(evaluate(query, early), since=1)
    key = lambda row: row["details.path"]  # noqa: E731
    assert sorted(together.stream(), key=key) == sorted(evaluate(query, log), key=key)


def test_numbers_as_insights_writes_them() -> None:
    stats = insights.Stats(
        (insights.Aggregate("sum", "count", "n"), insights.Aggregate("max", "count", "most")), ("a",)
    )
    parts = ([{"a": "x", "n": "1.2E7", "most": "3.0"}], [{"a": "x", "n": "5", "most": "nonsense"}, {"n": "1"}])
    for most in (1, 100):
        together = insights.CombinedRows(stats, most)
        for part in parts:
            together.add(part)
        found = sorted(together.stream(), key=len, reverse=True)
        assert found == [{"a": "x", "n": "12000005", "most": "3"}, {"n": "1"}]


@pytest.mark.parametrize(
    "time", ["9999-99-99", "2026-02-30", "\u0662\u0660\u0662\u0666-11-20", "2026-1--20", "\x1b[31m     "]
)
def test_a_day_that_is_none(time: str) -> None:
    line = connect("a.example").replace(at()[:10], json.dumps(time)[1:-1])
    (row,) = evaluate(queries.timeline(), [line])
    assert "period" not in row


def test_the_groups_of_each_log_group_apart() -> None:
    by_log = queries.alerts_by("function").apart_by("@log").render().splitlines()[3]
    assert by_log.endswith("by function, region, account, @log")
    assert queries.lines().apart_by("@log") == queries.lines()


def test_elements_of_arrays_are_fields() -> None:
    """As Logs Insights names them: `caller.through.1` (AnalyzeLogData, "Fields in JSON logs")."""
    log = [connect("a.example", through=THROUGH), connect("a.example", through=THROUGH[:1]), connect("a.example")]
    text = "stats count(*) as lines by caller.through.0, caller.through.2, caller.line"
    assert evaluate_text(text, log) == [
        {"caller.through.0": "urllib3", "caller.through.2": "app", "caller.line": "73", "lines": "1"},
        {"caller.through.0": "urllib3", "caller.line": "73", "lines": "1"},
        {"lines": "1"},
    ]
    assert parse_query(text).render() == text
    nested = ['{"function_shield":true,"a":[7],"b":[{"c":"x"}]}']
    assert evaluate_text("stats count(*) as n by a.0, b.0.c", nested) == [{"a.0": "7", "b.0.c": "x", "n": "1"}]
    assert evaluate_text("filter ispresent(caller.through.9) | stats count(*) as lines by policy", log) == []
