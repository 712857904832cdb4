"""Filter patterns: what they render to, what they match, and that reading undoes rendering."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shielded_function_monitoring import pattern as syntax
from shielded_function_monitoring.pattern import PatternError, all_of, any_of, exists, is_true, number, parse, text

pytestmark = pytest.mark.promise("alarm.filters")

# The sample lines of the CloudWatch Logs user guide's page on JSON filter patterns.
TRAIL = """{
    "eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "cluster.name": "c",
    "ThisFlag": true}"""
USERS = """{
    "user": {"id": 1, "email": "John.Stiles@example.com"}, "actions": ["GET", "PUT", "DELETE"],
    "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
    "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]]}"""


@pytest.mark.parametrize(
    ("pattern", "rendered"),
    [
        (is_true("$.function_shield"), "{ $.function_shield IS TRUE }"),
        (syntax.Condition(syntax.Selector("$.a"), "IS", False), "{ $.a IS FALSE }"),
        (syntax.Condition(syntax.Selector("$.a.b"), "IS"), "{ $.a.b IS NULL }"),
        (exists("$.policy"), '{ $.policy = "*" }'),
        (syntax.not_exists("$.event"), "{ $.event NOT EXISTS }"),
        (text("$.details.host", "!=", "*.example"), '{ $.details.host != "*.example" }'),
        (text("$.a", "=", 'say "hi" \\o/'), '{ $.a = "say \\"hi\\" \\\\o/" }'),
        (number("$.details.port", "=", 443), "{ $.details.port = 443 }"),
        (number("$.latency", "<=", 0.5), "{ $.latency <= 0.5 }"),
        (number("$.n", ">", Decimal("1E+30")), "{ $.n > 1e+30 }"),
        (text("$.details.arguments[0]", "=", "/bin/sh"), '{ $.details.arguments[0] = "/bin/sh" }'),
        (text("$.['cluster.name']", "=", "c"), "{ $.['cluster.name'] = \"c\" }"),
        (text("$.a[*]", "=", "x"), '{ $.a[*] = "x" }'),
        (text("$.*", "=", "x"), '{ $.* = "x" }'),
        (all_of(is_true("$.a"), exists("$.b")), '{ ($.a IS TRUE) && ($.b = "*") }'),
        (
            any_of(
                is_true("$.a"), all_of(is_true("$.b"), is_true("$.c"), syntax.Condition(syntax.Selector("$.d"), "IS"))
            ),
            "{ ($.a IS TRUE) || (($.b IS TRUE) && ($.c IS TRUE) && ($.d IS NULL)) }",
        ),
        (all_of(is_true("$.a")), "{ $.a IS TRUE }"),
    ],
)
def test_renders(pattern: syntax.Pattern, rendered: str) -> None:
    assert pattern.render() == rendered
    assert parse(rendered) == pattern


# Each pattern: the lines that it matches, and those that it does not. The first are the user guide's own examples.
MATCHES: dict[str, tuple[list[str], list[str]]] = {
    '{ $.eventType = "UpdateTrail" }': ([TRAIL], []),
    "{ $.sourceIPAddress != 123.123.* }": ([TRAIL], []),
    '{ $.arrayKey[0] = "value" }': ([TRAIL], []),
    "{ $.objectList[1].id = 2 }": ([TRAIL], []),
    "{ $.['cluster.name'] = \"c\" }": ([TRAIL], []),
    "{ $.SomeObject IS NULL }": ([TRAIL], []),
    "{ $.SomeOtherObject NOT EXISTS }": ([TRAIL], []),
    "{ $.ThisFlag IS TRUE }": ([TRAIL], []),
    '{ $.ThisFlag[0] = "value" }': ([], [TRAIL]),
    "{ $.objectList[1].number = 2 }": ([], [TRAIL]),
    '{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }': ([USERS], []),
    '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "no" && $.actions[2] = "no" }': ([USERS], []),
    '{ ($.user.email = "John.Stiles@example.com" || $.user.id = 2) && $.actions[2] = "no" }': ([], [USERS]),
    '{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }': ([], [USERS]),
    "{ $.port = 443 }": (['{"port":443}', '{"port":443.0}'], ['{"port":"443"}', '{"port":true}']),
    "{ $.port != 443 }": (['{"port":80}'], ['{"port":443}']),
    "{ $.port > 443 }": ([], ['{"port":443}']),
    "{ $.port >= 443 }": (['{"port":443}'], ['{"port":true}']),
    "{ $.port < 1e+3 }": (['{"port":443}'], []),
    "{ $.n <= -0.5 }": (['{"n":-0.5}'], []),
    '{ $.h = "*.example" }': (['{"h":"a.example"}'], ['{"h":"a.example.com"}']),
    '{ $.h = "a*c*e" }': (['{"h":"abcde"}'], ['{"h":"abde"}']),
    '{ $.h = "ab*ba" }': ([], ['{"h":"aba"}']),
    '{ $.h = "*b*b*" }': ([], ['{"h":"abc"}']),
    '{ $.h = "a.c" }': ([], ['{"h":"abc"}']),
    '{ $.h = "a" }': ([], ['{"h":"A"}']),
    "{ $.n = 0.1 }": (['{"n":0.1}'], []),
    '{ $.h = "*" }': (['{"h":""}', '{"h":0}', '{"h":false}'], ['{"h":null}', '{"h":{}}', '{"h":[]}', "{}"]),
    "{ $.status = 4* }": (['{"status":404}'], ['{"status":200}']),
    '{ $.h = "x\\"y\\\\z" }': (['{"h":"x\\"y\\\\z"}'], []),
    '{ $.f = "true" }': ([], ['{"f":true}']),
    '{ $.f != "x" }': ([], ['{"f":true}', '{"f":1}']),
    '{ $.h != "a" }': (['{"h":"b"}'], ["{}", '{"h":null}', '{"h":["b"]}']),
    '{ $.h != "*" }': ([], ['{"h":"b"}']),
    "{ $.f IS FALSE }": (['{"f":false}'], ['{"f":0}']),
    "{ $.f IS TRUE }": ([], ['{"f":"true"}', '{"f":1}']),
    "{ $.f IS NULL }": ([], ["{}"]),
    "{ $.f NOT EXISTS }": (
        ['{"a":1}\n'],
        ['{"f":null}', "", "START RequestId: 1 Version: $LATEST", "[]", '{"a":1} {"b":2}', '{"a":NaN}', "[" * 100_000],
    ),
    "{ $.f.g NOT EXISTS }": (['{"f":"g"}'], []),
    "{ $.f[2] NOT EXISTS }": (['{"f":[0,1]}'], []),
    '{ $.a[*] = "x" }': (['{"a":["w","x"]}'], ['{"a":{"k":"x"}}']),
    "{ $.a.*.n = 2 }": (['{"a":{"k":{"n":1},"l":{"n":2}}}'], []),
    "{ $.a.* = 2 }": ([], ['{"a":[2]}']),
    "{ $.n > 1 }": (['{"n":1' + "0" * 10_000 + "}"], ['{"n":1e999999999999999999999}']),
}


@pytest.mark.parametrize("rendered", MATCHES)
def test_matches(rendered: str) -> None:
    matched, others = MATCHES[rendered]
    pattern = parse(rendered)
    assert [pattern.matches(line) for line in (*matched, *others)] == [True] * len(matched) + [False] * len(others)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "expected { conditions }, found ''"),
        ("ERROR", "expected { conditions }, found 'ERROR'"),
        ("{ $.a IS TRUE", "expected { conditions }"),
        ("{ $.a IS TRUE } x", "expected { conditions }"),
        *(
            (f"{{ {condition} }}", "filter pattern, character 3: expected $.field with IS NULL, ")
            for condition in (
                *("$.a", "$.a is true", "$.a IS NOT NULL", "$.aIS NULL", "$.a EXISTS", "$.a == 1", '$.a = "open'),
                *("$.a = 'x'", "a = 1", "$a = 1"),
            )
        ),
        ("{ $.a = %val% }", "character 9: regular expressions are not tried here"),
        ('{ $.a < "x" }', "texts are compared with = or !="),
        ("{ $[0] = 1 }", "starts with a field"),
        ("{ $.a[*][*] = 1 }", "at most one wildcard"),
        *(
            (f"{{ {condition} }}", "an operator or a parenthesis is missing, or is one too many")
            for condition in ("($.a = 1", "$.a = 1 &&", "$.a = 1 $.b = 2", "$.a = 1 ($.b = 2)", "", "(" * 400)
        ),
        ("{ $.a = " + "1" * 1100 + " }", "has 1110 characters"),
    ],
)
def test_refuses_to_read(source: str, says: str) -> None:
    with pytest.raises(PatternError) as error:
        parse(source)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: text("$.a", "=", "two\nlines"), "a control character"),
        *(
            (lambda written=written: syntax.Selector(written), "is no selector")
            for written in ("", "$", "a.b", "$.['it's']")
        ),
        (lambda: all_of(), "at least two"),
        (lambda: text("$.a", "=", "x" * 1013).render(), "CloudWatch takes 1024"),
    ],
)
def test_refuses_to_make(make: object, says: str) -> None:
    assert callable(make)
    with pytest.raises(PatternError) as error:
        make()
    assert says in str(error.value)


def test_the_longest_pattern_is_read_back() -> None:
    longest = text("$.a", "=", "x" * 1012).render()
    assert len(longest) == 1024
    assert parse(longest).render() == longest


keys = st.text(st.characters(exclude_characters="'", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
steps = st.one_of(keys.map(lambda key: f".['{key}']"), st.from_regex(r"\.[a-z0-9_-]+", fullmatch=True))
more = st.lists(st.one_of(steps, st.integers(0, 999).map(lambda index: f"[{index}]")), max_size=3).map("".join)
selectors = st.builds(
    lambda first, rest, wildcard: syntax.Selector(f"${first}{rest}{wildcard}"),
    *(steps, more, st.sampled_from(["", ".*", "[*]"])),
)
texts = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12)
numbers = st.decimals(allow_nan=False, allow_infinity=False)
conditions = st.one_of(
    st.builds(syntax.Condition, selectors, st.sampled_from(["=", "!="]), texts),
    st.builds(syntax.Condition, selectors, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), numbers),
    st.builds(syntax.Condition, selectors, st.just("IS"), st.sampled_from([None, True, False])),
    st.builds(syntax.Condition, selectors, st.just("NOT EXISTS")),
)
patterns = st.recursive(
    conditions,
    lambda inner: st.builds(
        lambda connective, operands: syntax.Group(connective, tuple(operands)),
        st.sampled_from(["&&", "||"]),
        st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=6,
)


@given(patterns)
def test_reading_undoes_rendering(pattern: syntax.Pattern) -> None:
    try:
        rendered = pattern.render()
    except PatternError:
        assume(False)
        return
    assert parse(rendered) == pattern
    assert parse(rendered).render() == rendered


@given(st.text())
def test_any_text_is_read_or_refused(source: str) -> None:
    try:
        pattern = parse("{" + source + "}")
    except PatternError:
        return
    assert parse(pattern.render()) == pattern
