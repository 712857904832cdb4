"""The queries keep to the language's subset, and name nothing but fields that lines have."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from shielded_function_monitoring.queries import INDEXED, QUERIES, console_link, lines_query
from shielded_function_monitoring.schema import json_schema

_WORD = re.compile(r"@?[a-z_]+(?:\.[a-z_]+)*")
_WORDS = {"filter", "fields", "stats", "sort", "limit", "in", "and", "ispresent", "sum", "count", "as", "by", "desc"}
_COMMANDS = {
    "fields": r"fields [\w@., ]+",
    "filter": r"filter (policy|event) (=|in) (\"\w+\"|\[[^\]]+\])"
    r"( and (ispresent\([\w.]+\)|function = \"FUNCTION_NAME\"))*",
    "stats": r"stats (sum\(count\)|count\(\*\)) as \w+ by [\w., ]+",
    "sort": r"sort @?\w+ desc",
    "limit": r"limit \d+",
}


def fields_of(schema: dict[str, Any], above: str = "") -> set[str]:
    """Every field that a line may have, as Logs Insights names it."""
    found: set[str] = set()
    for name, part in schema.get("properties", {}).items():
        found |= {f"{above}{name}", *fields_of(part, f"{above}{name}.")}
    return found.union(*(fields_of(part, above) for part in schema.get("oneOf", [])))


@pytest.mark.parametrize("query", QUERIES.values(), ids=list(QUERIES))
def test_queries(query: Any) -> None:
    parts = query.text.split(" | ")
    assert [part for part in parts if not re.fullmatch(_COMMANDS[part.split()[0]], part)] == []
    texts = set(re.findall(r'"(\w+)"', query.text))
    named = set(_WORD.findall(re.sub(r'"[^"]*"', "", query.text))) - _WORDS
    made = set(re.findall(r" as (\w+)", query.text))
    known = fields_of(json_schema())
    assert {"count", "details.host", "caller.object", "caller.package", "reason"} <= known
    assert named - made <= known | {"@timestamp"}
    policies = {"outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler", "executable_memory"}
    assert texts <= policies | {"self_protection", "start", "armed", "refused", "unshielded", "FUNCTION_NAME"}
    filtered = re.search(r"filter (\w+)", query.text)
    assert filtered is not None
    assert filtered[1] in INDEXED


def test_a_link_opens_the_query() -> None:
    """What the console reads back from it: `*` and two digits are a character."""
    link = console_link("eu-west-1", "/aws/lambda/checkout", lines_query("read_write_tmp"))
    address = urlsplit(link)
    assert (address.hostname, address.query) == ("eu-west-1.console.aws.amazon.com", "region=eu-west-1")
    detail = re.sub(r"\*([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), address.fragment)
    assert f"editorString~'{lines_query('read_write_tmp')}~" in detail
    assert detail.endswith("source~(~'/aws/lambda/checkout))")


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_other_partitions(region: str, host: str) -> None:
    assert urlsplit(console_link(region, "x", lines_query())).hostname == host
