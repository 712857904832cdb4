"""A policy out of a template's variables: what is known of it, and what only at deployment."""

from __future__ import annotations

from typing import Any

import pytest

from shielded_function import ShieldPolicy
from shielded_function.checks.differences import loosened
from shielded_function.checks.policies import FunctionPolicy, read_policy

DB = {"Fn::GetAtt": ["Db", "Endpoint.Address"]}


def read(lines: str = "", **settings: Any) -> FunctionPolicy:
    return read_policy({f"SHIELD_{name.upper()}": value for name, value in settings.items()}, lines)


# Each: the lines of a file, settings, and the policy.
READ: list[tuple[str, dict[str, Any], ShieldPolicy | None]] = [
    ("", {"account_id": "123456789012"}, None),
    (
        "",
        {"allow_outbound": "a.example:443", "read_handler": "alert", "account_id": "123456789012"},
        ShieldPolicy(allow_outbound=["a.example:443"], read_handler="alert", allow_aws="all"),
    ),
    (
        "SHIELD_ALLOW_OUTBOUND=b.example\nSHIELD_ALLOW_TMP=/tmp/a\n",
        {"allow_outbound": "a.example"},
        ShieldPolicy(allow_outbound=["a.example", "b.example"], allow_tmp=["/tmp/a"], allow_aws="all"),
    ),
    ("SHIELD_ALLOW_TMP=/tmp/a\n", {}, ShieldPolicy(allow_tmp=["/tmp/a"], allow_aws="all")),
]


@pytest.mark.parametrize(("lines", "settings", "policy"), READ)
def test_literals(lines: str, settings: dict[str, Any], policy: ShieldPolicy | None) -> None:
    """A file joins the lists."""
    assert read(lines, **settings) == FunctionPolicy(policy)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("allow_outbound", DB, ["${Db.Endpoint.Address}"]),
        ("allow_outbound", {"Fn::Join": ["", [DB, ":5432,tcp://*.", DB]]}, None),
        ("allow_outbound", {"Fn::Sub": "x-${Name}.example,b.example"}, ["x-${Name}.example"]),
        ("allow_outbound", {"Fn::Sub": ["${Host}:1", {"Host": DB}]}, ["${Db.Endpoint.Address}:1"]),
        ("allow_outbound", {"Fn::Join": [",", {"Ref": "Subnets"}]}, None),
        ("allow_outbound", {"Fn::Join": ["", [DB, ":1 by x>y or z"]]}, ["${Db.Endpoint.Address}:1 by x>y or z"]),
        ("deny_outbound", {"Fn::Join": [",", ["a.example", {"Ref": "Hosts"}]]}, ["${Hosts}"]),
        ("allow_tmp", {"Fn::Join": ["", ["/tmp/", {"Ref": "Dir"}, "/**"]]}, ["/tmp/${Dir}/**"]),
        ("allow_tmp", {"Ref": "Dir"}, ["${Dir}"]),
        ("allow_child_process", {"Fn::Join": ["", ["/opt/", {"Ref": "Tool"}]]}, ["/opt/${Tool}"]),
        ("allow_buckets", {"Ref": "Bucket"}, ["${Bucket}"]),
        ("allow_aws", {"Fn::Join": ["", ["s3,", {"Ref": "Service"}]]}, ["${Service}"]),
        ("read_handler", {"Ref": "Mode"}, ["${Mode}"]),
    ],
)
def test_what_is_known_at_deployment(name: str, value: Any, shown: list[str] | None) -> None:
    found = read(**{name: value})
    assert found.error == ""
    assert found.policy is not None
    late = list(found.late[f"SHIELD_{name.upper()}"])
    assert late
    assert shown in (None, late)


def test_what_is_wrong_beside_an_unknown_entry_or_a_file() -> None:
    assert "b ad.example" in read(allow_outbound={"Fn::Join": ["", [DB, ":5432,b ad.example"]]}).error
    assert "SHIELD_READ_HANDLER" in read("SHIELD_READ_HANDLER=alert\n", read_handler="block").error


def test_services_that_are_all_unknown_are_not_all_services() -> None:
    policy = read(allow_aws={"Ref": "Services"}).policy
    assert policy is not None
    assert policy.allow_aws == "none"


# Each: before, after, and a word of what is looser; nothing where it is not.
CHANGES: list[tuple[FunctionPolicy, FunctionPolicy, str]] = [
    (read(read_handler="block"), read(read_handler="alert"), "read_handler: alert"),
    (read(read_handler="alert"), read(read_handler="block"), ""),
    (read(allow_outbound="*.a.example"), read(allow_outbound="x.a.example:443"), ""),
    (read(allow_outbound="a.example:443"), read(allow_outbound="a.example"), "a.example"),
    (read(allow_outbound="a.example"), read(allow_outbound={"Fn::Join": ["", [DB, ":1"]]}), "${Db.Endpoint.Address}:1"),
    (read(allow_outbound=DB), read(allow_outbound=DB), ""),
    (read(allow_outbound=DB), read(allow_outbound={"Fn::GetAtt": ["Other", "Endpoint.Address"]}), "${Other"),
    (read(allow_outbound={"Fn::Join": ["", [DB, ":1"]]}), read(allow_outbound=DB), "${Db.Endpoint.Address}"),
    (read(allow_aws="s3"), read(allow_aws={"Fn::Join": ["", ["s3,", {"Ref": "S"}]]}), "${S}"),
    (read(allow_aws="all"), read(allow_aws={"Fn::Join": ["", ["s3,", {"Ref": "S"}]]}), ""),
    (read(read_handler="block"), read(read_handler={"Ref": "Mode"}), "${Mode}"),
    (read(read_handler={"Ref": "Mode"}), read(read_handler={"Ref": "Mode"}), ""),
    (read(read_handler="block"), read(read_handler="blok"), "cannot be compared"),
    (read(allow_buckets={"Ref": "B"}), read(read_handler="block"), "any bucket"),
    (read(allow_buckets={"Ref": "B"}), read(allow_buckets={"Ref": "C"}), "${C}"),
]


@pytest.mark.parametrize(("before", "after", "looser"), CHANGES)
def test_what_became_looser(before: FunctionPolicy, after: FunctionPolicy, looser: str) -> None:
    found = "; ".join(loosened(before, after))
    assert looser in found
    assert bool(looser) == bool(found)
    assert "known-at-deployment-" not in found
