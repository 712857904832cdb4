"""Policies made of others, arguments that are refused with the fix, and names of services."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shielded_function.policy import ShieldPolicy, ShieldPolicyError, check_policy
from shielded_function.policy.aws_names import _MEANT, is_service, service_meant

pytestmark = pytest.mark.promise("policy.compose")

TOKEN = "${Token[TOKEN.12]}"


def make(**values: Any) -> ShieldPolicy:
    """Without the types, for values that are wrong on purpose."""
    return ShieldPolicy(**values)


FULL: dict[str, Any] = {
    "outbound_connectivity": "alert",
    "allow_outbound": ["a.example:443", "*.b.example", "d.example:1 by x>y or z"],
    "deny_outbound": ["c.example"],
    "allow_aws": ["s3", "dynamodb"],
    "allow_buckets": ["uploads"],
    "check_tls_name": False,
    "read_write_tmp": "allow",
    "allow_tmp": ["/tmp/a/**"],
    "clear_tmp": True,
    "create_child_process": "block",
    "allow_child_process": ["/bin/ls"],
    "read_handler": "alert",
    "executable_memory": "block",
    "allow_executable_memory": ["libllvmlite"],
    "block_foreign_functions": True,
    "on_failure": "run_unshielded",
    "log_arguments": True,
}


# All modes at once


def test_alerting_and_blocking_keep_the_rest() -> None:
    policy = make(**FULL)
    modes = ["outbound_connectivity", "create_child_process", "read_handler", "executable_memory"]
    for changed, mode in ((policy.with_mode("alert"), "alert"), (policy.with_mode("block"), "block")):
        assert {field: getattr(changed, field) for field in modes} == dict.fromkeys(modes, mode)
        assert dataclasses.replace(changed, **{f: FULL[f] for f in modes}) == policy
    assert ShieldPolicy().with_mode("alert") == ShieldPolicy.report_only()
    assert ShieldPolicy.report_only().with_mode("block") == ShieldPolicy()


# Additions


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
    with pytest.raises(ShieldPolicyError, match="has a token among its packages; write the packages themselves"):
        ShieldPolicy(allow_outbound=[f"a.example by {TOKEN}"])


def test_what_is_added_is_lists_alone() -> None:
    base = make(outbound_connectivity="alert", allow_outbound=["a.example"], allow_aws=["s3"], log_arguments=True)
    more = ShieldPolicy(
        allow_outbound=["b.example", "A.example", TOKEN],
        deny_outbound=["d.example"],
        allow_tmp=["/tmp/x"],
        allow_aws=["sqs", "granted"],
    )
    assert base + more == dataclasses.replace(
        base,
        allow_outbound=["a.example", "b.example", TOKEN],
        deny_outbound=["d.example"],
        allow_tmp=["/tmp/x"],
        allow_aws=["s3", "sqs", "granted"],
    )


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
        (None, ["sqs"], ("cognito-identity", "cognito-idp", "sts", "sqs", "granted")),
        (None, "all", None),
    ],
)
def test_added_services(left: Any, right: Any, both: object) -> None:
    assert (make(allow_aws=left) + make(allow_aws=right)).allow_aws == both


@pytest.mark.parametrize("field", sorted(field for field in FULL if not field.startswith(("allow_", "deny_"))))
def test_modes_cannot_be_added(field: str) -> None:
    value = "alert" if field == "create_child_process" else FULL[field]
    with pytest.raises(ShieldPolicyError, match="cannot be added: only the lists of the right policy are") as caught:
        _ = ShieldPolicy() + make(**{field: value})
    assert caught.value.field == field


def test_only_a_policy_is_added() -> None:
    with pytest.raises(TypeError):
        _ = ShieldPolicy() + {"allow_outbound": ["a.example"]}  # pyright: ignore[reportOperatorIssue]


# What is refused with the fix


@pytest.mark.parametrize(
    "entry",
    [
        "p\u0430ypal.com",
        "\u0440aypal.com:443",
        "tcp://*.\u0440aypal.com",
        "www.p\u03b1ypal.com",
        "\u0430\u03b1.example",
        "b\u00fccher-\u0430.example",
        "\u4e2d\u0430.example",
    ],
)
def test_mixed_scripts_are_refused(entry: str) -> None:
    with pytest.raises(ShieldPolicyError) as caught:
        ShieldPolicy(allow_outbound=[entry])
    assert str(caught.value).startswith(f"ShieldPolicy.allow_outbound: {entry!r} mixes scripts in ")
    assert "or in its xn-- form if it is intended" in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        "президент.рф",
        "bücher.рф",  # a script a label
        "例え.テスト",
        "日本語ニュースnews.example",
        "한글漢字.example",
        "bu\u0308cher.example",
        "\uff45\uff58ample.com",
        "президент-24.example",
        "xn--pypal-4ve.com",  # as an alert shows it
    ],
)
def test_names_of_one_script_are_taken(entry: str) -> None:
    assert ShieldPolicy(allow_outbound=[entry]).decide("connect", f"{entry}:443").allowed


@pytest.mark.parametrize(
    ("entry", "program"),
    [
        ("/bin/sh -c", "/bin/sh"),
        ("/bin/sh  -c 'ls /'", "/bin/sh"),
        ("unshielded:/opt/tool --all=1 /tmp", "unshielded:/opt/tool"),
        ("/usr/bin/python3 -m x", "/usr/bin/python3"),
    ],
)
def test_arguments_are_refused(entry: str, program: str) -> None:
    with pytest.raises(ShieldPolicyError, match="which are not judged; write the program's path alone") as caught:
        ShieldPolicy(allow_child_process=[entry])
    assert str(caught.value).endswith(f": {program!r}")


@pytest.mark.parametrize("entry", ["/opt/my tool", "/opt/App - new/bin/x", "/opt/App -beta/bin/x"])
def test_a_blank_in_a_path_is_taken(entry: str) -> None:
    assert ShieldPolicy(allow_child_process=[entry]).decide("exec", entry).allowed


@pytest.mark.parametrize(
    ("entry", "fix"),
    [
        ("2001:db8::1:443", "write [2001:db8::1]:443 or [2001:db8::1:443]"),
        ("tcp://2001:db8::1:443", "write [2001:db8::1]:443 or [2001:db8::1:443]"),
        ("2001:db8::1:44300", "write [2001:db8::1]:44300"),
        ("2001:db8:1:2:3:4:5:6:443", "write [2001:db8:1:2:3:4:5:6]:443"),
        ("::1:80", "write [::1]:80 or [::1:80]"),
    ],
)
def test_an_address_that_may_have_a_port(entry: str, fix: str) -> None:
    with pytest.raises(ShieldPolicyError, match="may be an address with a port; ") as caught:
        ShieldPolicy(allow_outbound=[entry])
    assert f"{fix} (environment" in str(caught.value)


@given(address=st.ip_addresses(v=6).map(str), port=st.integers(0, 65535))
def test_what_an_alert_suggests_of_an_address_is_taken(address: str, port: int) -> None:
    decision = ShieldPolicy(allow_aws="none").decide("connect", f"[{address}]:{port}")
    if decision.allow:
        policy = ShieldPolicy(allow_outbound=[decision.allow])
        assert policy.allow_outbound == (decision.allow,)
        assert policy.decide("connect", f"[{address}]:{port}").allowed


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
    with pytest.raises(ShieldPolicyError) as caught:
        check_policy(value)
    assert "not a ShieldPolicy; " in str(caught.value)
    assert str(caught.value).endswith(fix)


def test_what_is_a_policy() -> None:
    policy = ShieldPolicy()
    assert check_policy(policy) is policy


# Services


def test_the_table_of_services_names_services() -> None:
    assert {name for name in _MEANT.values() if not is_service(name)} == set()
    assert {name for name in _MEANT if is_service(name)} == set(), "these need no row"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("eventbridge", "events"),
        ("EventBridge", "events"),
        ("DynamoDB", "dynamodb"),
        ("S3", "s3"),
        ("states", "stepfunctions"),
        ("Step Functions", "stepfunctions"),
        ("monitoring", "cloudwatch"),
        ("CloudWatch Logs", "logs"),
        ("AWS Lambda", "lambda"),
        ("Amazon S3", "s3"),
        ("secrets-manager", "secretsmanager"),
        ("SecretsManager", "secretsmanager"),
    ],
)
def test_the_service_that_is_meant(written: str, meant: str) -> None:
    with pytest.raises(ShieldPolicyError) as caught:
        ShieldPolicy(allow_aws=[written])
    assert str(caught.value) == (
        f'ShieldPolicy.allow_aws: {written!r} is not an AWS service as botocore calls them; use "{meant}"'
    )
    assert ShieldPolicy(allow_aws=[meant]).allow_aws == (meant,)


def test_services_that_are_hosts_of_ones_own() -> None:
    with pytest.raises(ShieldPolicyError, match="list them in allow_outbound"):
        ShieldPolicy(allow_aws=["execute-api"])
    assert service_meant("no such thing") == ""


def test_a_mode_that_is_none() -> None:
    with pytest.raises(ShieldPolicyError, match="with_mode: 'deny' is not a mode; use block, alert or allow"):
        make(outbound_connectivity="allow").with_mode("deny")  # pyright: ignore[reportArgumentType]
