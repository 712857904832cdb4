"""Policies made of others, arguments that are refused with the fix, names of services, and the day of alert mode."""

from __future__ import annotations

import dataclasses
import json
import pickle
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shielded_function.errors import ShieldError
from shielded_function.policy import ShieldPolicy, ShieldPolicyError, check_policy
from shielded_function.policy.aws_names import _MEANT, is_service, service_meant
from unit.core.policies import TOKEN, make

pytestmark = pytest.mark.promise("policy.compose")

# Of each field that is no list, a value that is not its default.
SINGLE: dict[str, Any] = {
    "outbound_connectivity": "alert",
    "check_tls_name": False,
    "read_write_tmp": "allow",
    "clear_tmp": True,
    "create_child_process": "alert",
    "read_handler": "alert",
    "executable_memory": "block",
    "block_foreign_functions": True,
    "kernel_limits": False,
    "on_failure": "run_unshielded",
    "log_arguments": True,
}


def test_alerting_and_blocking_keep_the_rest() -> None:
    policy = make(**SINGLE, allow_outbound=["a.example:443"], deny_outbound=["c.example"], allow_tmp=["/tmp/a/**"])
    modes = ["outbound_connectivity", "create_child_process", "read_handler", "executable_memory"]
    for changed, mode in ((policy.with_mode("alert"), "alert"), (policy.with_mode("block"), "block")):
        assert {field: getattr(changed, field) for field in modes} == dict.fromkeys(modes, mode)
        assert dataclasses.replace(changed, **{field: SINGLE[field] for field in modes}) == policy
    assert ShieldPolicy().with_mode("alert") == ShieldPolicy.report_only()
    assert ShieldPolicy.report_only().with_mode("block") == ShieldPolicy()


def test_packages_add_up() -> None:
    one = ShieldPolicy(allow_outbound=["A.example:443 by  x", f"{TOKEN}:443 by x"])
    both = one + ShieldPolicy(allow_outbound=["a.example:443 by y > z", "a.example:443 by x"])
    assert both.allow_outbound == ("a.example:443 by x", "a.example:443 by y>z", f"{TOKEN}:443 by x")
    assert both.diff(one) == ()
    assert ShieldPolicy(allow_outbound=["a.example:443"]).diff(one) == ()
    assert both.decide("connect", "a.example:443").entry == "a.example:443 by x"
    assert both.decide("connect", "b.example:443").entry == f"{TOKEN}:443 by x"  # unknown
    told = [each.meaning for each in both.explain() if each.entry]
    assert "the host a.example, port 443; reported where the call did not come through y>z" in told


def test_what_is_added_is_lists_alone() -> None:
    base = make(outbound_connectivity="alert", allow_outbound=["a.example"], allow_aws=["s3"], log_arguments=True)
    same: Any = {"deny_outbound": ["d.example"], "allow_tmp": ["/tmp/x"]}
    more = make(allow_outbound=["b.example", "A.example", TOKEN], allow_aws=["sqs", "granted"], **same)
    both = {"allow_outbound": ["a.example", "b.example", TOKEN], "allow_aws": ["s3", "sqs", "granted"], **same}
    assert base + more == dataclasses.replace(base, **both)


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        ("all", ["s3"], "all"),
        ("all", "granted", "all"),
        ("none", ["s3"], ("s3",)),
        ("none", "all", "none"),  # it is what a policy that says nothing of AWS has
        (["s3"], "all", ("s3",)),
        (["s3"], "none", ("s3",)),
        (["s3"], ["sqs", "s3"], ("s3", "sqs")),
        ("granted", ["sqs"], ("sqs", "granted")),
        ("granted", "granted", "granted"),
        ("none", "none", "none"),
        (None, ["sqs"], ("sqs", "granted")),
        (None, "all", None),
    ],
)
def test_added_services(left: Any, right: Any, both: object) -> None:
    assert (make(allow_aws=left) + make(allow_aws=right)).allow_aws == both


@pytest.mark.parametrize("field", SINGLE)
def test_modes_cannot_be_added(field: str) -> None:
    with pytest.raises(ShieldPolicyError, match="cannot be added: only the lists of the right policy are") as caught:
        _ = ShieldPolicy() + make(**{field: SINGLE[field]})
    assert caught.value.field == field
    with pytest.raises(TypeError):
        _ = ShieldPolicy() + {"allow_outbound": ["a.example"]}  # pyright: ignore[reportOperatorIssue]


def test_a_blank_in_a_path_is_taken() -> None:
    for entry in ("/opt/my tool", "/opt/App - new/bin/x", "/opt/App -beta/bin/x"):
        assert ShieldPolicy(allow_child_process=[entry]).decide("exec", entry).allowed


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        ({"allow_outbound": []}, "write ShieldPolicy(...) with its fields, or ShieldPolicy.from_dict(...)"),
        ("alert", "write ShieldPolicy.report_only()"),
        ("block", "write ShieldPolicy(), which blocks"),
        ("policy.yaml", "write ShieldPolicy.from_file(...) for a file"),
        (Path("policy.yaml"), "write ShieldPolicy.from_file(...) for a file"),
        (ShieldPolicy, "call it: ShieldPolicy(...)"),
        (ShieldPolicy.report_only, "call it: ShieldPolicy(...)"),
        (None, "write ShieldPolicy(...)"),
        (3, "write ShieldPolicy(...)"),
    ],
)
def test_what_is_no_policy(value: object, fix: str) -> None:
    assert check_policy(policy := ShieldPolicy()) is policy
    with pytest.raises(ShieldPolicyError) as caught:
        check_policy(value)
    assert "not a ShieldPolicy; " in str(caught.value)
    assert str(caught.value).endswith(fix)


def test_the_table_of_services_names_services() -> None:
    assert {name for name in _MEANT.values() if not is_service(name)} == set()
    assert {name for name in _MEANT if is_service(name)} == set(), "these need no row"
    assert service_meant("no such thing") == ""


def test_a_mode_that_is_none() -> None:
    with pytest.raises(ShieldPolicyError, match="with_mode: 'deny' is not a mode; use block, alert or allow"):
        make(outbound_connectivity="allow").with_mode("deny")  # pyright: ignore[reportArgumentType]


# The day on which alert mode ends: it is in no variable, and stays through everything else.

DATED = make(outbound_connectivity="alert", allow_aws=["s3", "sqs"], until="2027-01-31")


def test_the_day_is_kept_and_is_in_no_variable() -> None:
    plain = dataclasses.replace(DATED, until=None)
    assert (plain, plain.to_env()) == (DATED, DATED.to_env())
    for same in (
        ShieldPolicy.from_dict(json.loads(json.dumps(DATED.to_dict()))),
        pickle.loads(pickle.dumps(DATED)),
        dataclasses.replace(DATED, log_arguments=True),
        DATED + ShieldPolicy(allow_tmp=["/tmp/x"]),
        DATED.with_mode("alert"),
        dataclasses.replace(DATED, until=date(2027, 1, 31)),
    ):
        assert same.until == "2027-01-31"
    assert DATED.with_mode("block").until is None
    assert DATED.with_mode("alert", until="2027-04-01").until == ShieldPolicy.report_only(until="2027-04-01").until
    told = [str(each) for each in DATED.explain()]
    assert any(each.startswith("until ") and "2027-01-31" in each for each in told)


def test_files_have_days(tmp_path: Path) -> None:
    for name, assigns, alert in (("p.toml", "=", '"alert"'), ("p.yaml", ": ", "alert")):
        (tmp_path / name).write_text(f"until{assigns}2027-01-31\nread_handler{assigns}{alert}")
        assert ShieldPolicy.from_file(tmp_path / name).until == "2027-01-31"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"until": "2027-01-30"}, []),
        ({"until": "2027-02-01"}, ["until: 2027-02-01, was 2027-01-31"]),
        ({"until": None}, ["until: no day, was 2027-01-31"]),
        ({"until": None, "outbound_connectivity": "block"}, []),
    ],
)
def test_a_later_day_is_looser(changed: dict[str, Any], told: list[str]) -> None:
    assert [str(each) for each in dataclasses.replace(DATED, **changed).diff(DATED)] == told


@pytest.mark.parametrize(
    ("make_it", "reason"),
    [
        (lambda: ShieldPolicy(until="2027-01-31"), "ShieldPolicy.until: 2027-01-31: no mode is alert"),
        (lambda: ShieldPolicy().with_mode("block", until="2027-01-31"), "no mode is alert"),
        (lambda: ShieldPolicy.report_only(until="31.1.2027"), "'31.1.2027' is no day; write it as 2027-01-31"),
        (lambda: make(allow_tmp=[{"entry": "/tmp/a", "until": "2027-02-28"}]), "allow_tmp"),
        (lambda: ShieldPolicy() + ShieldPolicy.report_only(until="2027-02-28"), "cannot be added"),
    ],
)
def test_bad_days(make_it: Any, reason: str) -> None:
    with pytest.raises(ShieldError) as caught:
        make_it()
    assert reason in str(caught.value)
