"""The queries keep to the language's subset, and name nothing but fields that lines have."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness.alert_lines import alert, armed, at, connect, refused
from harness.logs_insights import evaluate, evaluate_text
from integration.docs.pages import ROOT, read_page
from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.queries import INDEXED, QUERIES, alarm_link, function_link
from shielded_function_monitoring.schema import json_schema

pytestmark = pytest.mark.promise("alarm.monitoring")

_WORD = re.compile(r"@?[a-zA-Z_]+(?:\.[a-z_]+)*")
_WORDS = {
    *("filter", "fields", "stats", "sort", "limit", "in", "and", "or", "like", "as", "by", "desc"),
    *("ispresent", "sum", "count", "earliest", "latest"),
}


def fields_of(schema: dict[str, Any], above: str = "") -> set[str]:
    """Every field that a line may have, as Logs Insights names it."""
    found: set[str] = set()
    for name, part in schema.get("properties", {}).items():
        found |= {f"{above}{name}", *fields_of(part, f"{above}{name}.")}
    return found.union(*(fields_of(part, above) for part in schema.get("oneOf", [])))


def test_a_forged_line_hides_none() -> None:
    """A count that no line has is not added, nor is a line of another program."""
    true = connect("evil.example", allow="evil.example:443")
    forged = [true.replace('"count":1', f'"count":{count}') for count in (-5, 0, 2, 10**7, 10_000_001, 10**15, '"1"')]
    other = '{"policy":"start","event":"refused","count":5,"function":"x","allow":"x"}'
    log = [armed(), true, *forged, other, "x" + other]
    for name, query in QUERIES.items():
        if "sum(" in query.text:
            found = evaluate_text(query.text, log)
            assert [row["violations"] for row in found] == ["1"], name
    assert len(evaluate_text(QUERIES["lines"].text, log)) == 1
    assert sorted(int(row["count"]) for row in evaluate_text(QUERIES["lines"].text, LOG)) == [1] * 8 + [900]
    starts = evaluate_text(QUERIES["starts"].text, [*log, refused("x")])
    assert [(row["event"], row["starts"]) for row in starts] == [("refused", "1"), ("armed", "1")]


@pytest.mark.parametrize("query", QUERIES.values(), ids=list(QUERIES))
def test_queries(query: Any) -> None:
    texts = set(re.findall(r'"(\w+)"', query.text.replace('"function_shield"', "")))
    named = set(_WORD.findall(re.sub(r"'[^']*'|\"[^\"]*\"", "", query.text))) - _WORDS
    made = set(re.findall(r" as (\w+)", query.text))
    known = fields_of(json_schema())
    assert {"count", "details.host", "caller.object", "caller.package", "reason"} <= known
    assert named - made <= known | {"@timestamp", "@logStream", "@message"}
    policies = {"outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler", "executable_memory"}
    assert texts <= policies | {"self_protection", "start", "armed", "refused", "unshielded", "FUNCTION_NAME"}
    filtered = re.search(r"filter (\w+)", query.text)
    assert filtered is not None
    assert filtered[1] in INDEXED


LOG = [
    *[connect("a.example", time=at(20), version="9")] * 5,
    connect("a.example", time=at(22), version="10", through=("urllib3", "app")),
    connect("a.example", time=at(21), mode="block"),
    alert("read_handler", path="/var/task/app.py", count=900),
    *(armed(at(23), function=f"f{n}") for n in range(200) for _ in range(3)),
    refused("no such mode", at(23)),
    connect("a.example", time=at(21)).replace('"count":1', '"count":-1000'),
]


def test_aggregates_tell_the_version_and_the_line() -> None:
    first, *armed_ones = evaluate_text(QUERIES["starts"].text, LOG)
    assert (first["event"], first["reason"], len(armed_ones)) == ("refused", "no such mode", 200), "none falls off"
    (went, _) = evaluate_text(QUERIES["hosts"].text, LOG)
    assert (went["mode"], went["violations"], went["function"]) == ("alert", "6", "checkout")
    assert (went["first_version"], went["last_version"], went["first_seen"]) == ("9", "10", at(20))
    assert (went["last_file"], went["last_line"]) == ("/var/task/urllib3/code.py", "73")
    assert {row["policy"] for row in evaluate_text(QUERIES["by_function"].text, LOG)} == {
        "outbound_connectivity", "start",
    }, "reads of the handler hide nothing"  # fmt: skip


def test_the_command_line_asks_by_an_index() -> None:
    """`=` and `in` are what a field index serves."""
    asked = [queries.observed(), queries.timeline(), queries.lines(), *map(queries.alerts_by, queries.GROUPS)]
    for query in asked:
        assert 'policy in ["outbound_connectivity", ' in query.render()
        assert "ispresent" not in query.render()


def test_the_page_joins_line_and_invocation() -> None:
    (block,) = [each for each in read_page(ROOT / "docs" / "guide" / "runbook.md").blocks if "@logStream" in each.text]
    query = " ".join(block.text.split())
    (stream,) = re.findall(r'@logStream = "([^"]+)"', query)
    lines = [(1, "A", "START", stream), (2, "B", "START", stream), (3, "B", "END", stream), (4, "C", "START", "other")]
    names = ("@timestamp", "@requestId", "@type", "@logStream")
    found = evaluate(query, [dict(zip(names, (float(at), *told), strict=True)) for at, *told in lines])
    assert [row["@requestId"] for row in found] == ["B"]


@pytest.mark.parametrize(
    ("region", "domain"),
    [("eu-west-1", "aws.amazon.com"), ("cn-north-1", "amazonaws.cn"), ("us-gov-west-1", "amazonaws-us-gov.com")],
)
def test_a_link_opens_the_consoles_page(region: str, domain: str) -> None:
    for link, page in (
        (function_link(region, "checkout"), "/functions/checkout?tab=monitoring"),
        (alarm_link(region, "it's (one)"), "alarmsV2:alarm/it%27s%20%28one%29"),
    ):
        address = urlsplit(link)
        assert (address.hostname, address.query) == (f"{region}.console.{domain}", f"region={region}")
        assert address.fragment == page
