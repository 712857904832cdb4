"""`allow_aws` that is not set follows the role's grants; where they cannot be told it is "all", with one warning."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Annotations, Match

from shielded_function import Shield, ShieldPolicy
from unit.constructs.conftest import Make
from unit.constructs.granted.rows import table


def services_of(stack: cdk.Stack) -> list[str]:
    """SHIELD_ALLOW_AWS of each shielded function, synthesized; "" where it is not set, which is all."""
    app: Any = stack.node.root
    resources: Mapping[str, Any] = app.synth().get_stack_by_name("Shop").template["Resources"]
    functions = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Lambda::Function"]
    return [each["Environment"]["Variables"].get("SHIELD_ALLOW_AWS", "") for each in functions if "Environment" in each]


def warnings_of(stack: cdk.Stack) -> list[str]:
    found = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("allow_aws|admitted"))
    return [str(each.entry.data) for each in found]


def test_it_is_what_is_granted(stack: cdk.Stack, make: Make) -> None:
    checkout = make()
    table(stack).grant_read_data(checkout)
    (found,) = services_of(stack)
    assert found == "dynamodb"
    assert warnings_of(stack) == []
    assert checkout.shield.policy.decide("connect", "dynamodb.us-east-1.amazonaws.com:443").allowed
    for host in ("theirs.s3.us-east-1", "sts.us-east-1", "cognito-idp.us-east-1", "cognito-identity.us-east-1"):
        assert not checkout.shield.policy.decide("connect", f"{host}.amazonaws.com:443").allowed
    assert checkout.shield.explain()


def test_each_way_to_leave_it_unset_is_the_grants(stack: cdk.Stack, make: Make, tmp_path: Path) -> None:
    unset = ShieldPolicy(allow_outbound=["a.example:443"])
    texts = {"json": json.dumps(unset.to_dict()), "yaml": "allow_tmp: []", "toml": 'allow_outbound = ["a.example"]'}
    for ending, text in texts.items():
        (tmp_path / f"p.{ending}").write_text(text)
    ways = {
        "Asked": ShieldPolicy(allow_aws="granted"),
        "Mapping": ShieldPolicy.from_dict(unset.to_dict()),
        "Mode": unset.with_mode("alert"),
        "Report": ShieldPolicy.report_only().with_mode("block"),
        "Sum": unset + ShieldPolicy(allow_tmp=["/tmp/x"]),
        **{ending.upper(): ShieldPolicy.from_file(tmp_path / f"p.{ending}") for ending in texts},
    }
    queue = sqs.Queue(stack, "Queue")
    for name, policy in ways.items():
        queue.grant_send_messages(make(name, policy=policy))
    queue.grant_send_messages(make("More", policy=unset + ShieldPolicy(allow_aws=["sts"])))
    assert services_of(stack) == [*["sqs"] * len(ways), "sts,sqs"]
    assert warnings_of(stack) == []


def test_what_lambda_uses_for_it_the_code_may_use_too(stack: cdk.Stack, make: Make) -> None:
    """Its queue and the key of its queue; not the log, which is the platform's alone."""
    checkout, asked = make(), make("Asked", policy=ShieldPolicy(allow_aws="granted"))
    jobs: Any = sqs.Queue(stack, "Jobs", encryption=sqs.QueueEncryption.KMS)
    for function in (checkout, asked):
        function.add_event_source(event_sources.SqsEventSource(jobs))
    assert services_of(stack) == ["sqs,kms", "sqs,kms"]
    told = [str(each) for each in checkout.shield.explain()]
    assert any(each.startswith("allow_aws sqs: Shop/Checkout/ServiceRole/DefaultPolicy, ") for each in told)
    assert any(each.startswith("allow_aws: used on the function's behalf: ") and "polls" in each for each in told)


def test_what_the_shields_grant_for_logs_is_none(stack: cdk.Stack, make: Make) -> None:
    """A role that two functions share has the grants of both log groups, and no other grant to write logs."""
    lambdas: Any = iam.ServicePrincipal("lambda.amazonaws.com")
    role = iam.Role(stack, "Role", assumed_by=lambdas)
    functions = [make(name, role=role) for name in ("One", "Two")]
    assert services_of(stack) == ["none", "none"]
    told = [str(each) for function in functions for each in function.shield.explain()]
    for group in ("Shop/One/Shield/LogGroup.Arn", "Shop/Two/Shield/LogGroup.Arn"):
        assert sum(each.endswith(f"{group}: Lambda writes the log") for each in told) == 2


def allow(function: lambda_.Function, action: str, resource: str = "*") -> None:
    function.add_to_role_policy(iam.PolicyStatement(sid="Wide", actions=[action], resources=[resource]))


def give_a_policy_of_awss(function: lambda_.Function) -> None:
    role: Any = function.role
    role.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSQSFullAccess"))


# What is granted, and what the warning says.
UNTOLD: dict[str, tuple[Callable[[lambda_.Function], None], str]] = {
    "Everything": (lambda f: allow(f, "*"), "statement Wide: Action * grants every service"),
    "Unknown": (lambda f: allow(f, "nosuchservice:Get"), "no endpoint is known for nosuchservice"),
    "Plane": (lambda f: allow(f, "es:ESHttpGet"), "the grant does not contain its host"),
    "Role": (
        lambda f: allow(f, "sts:AssumeRole", "arn:aws:iam::123456789012:role/theirs"),
        "role/theirs, which it may assume, are unknown",
    ),
    "Managed": (give_a_policy_of_awss, "AmazonSQSFullAccess, which is not in this app"),
}


def test_what_cannot_be_told_admits_all_with_one_warning(stack: cdk.Stack, make: Make) -> None:
    for name, (give, _) in UNTOLD.items():
        for number in range(2):
            give(make(f"{name}{number}"))
    assert services_of(stack) == [""] * 2 * len(UNTOLD)
    (warning,) = warnings_of(stack)
    assert "ack: shielded-function:untoldGrants" in warning
    for name, (_, says) in UNTOLD.items():
        assert says in warning
        assert f"Shop/{name}0: " in warning or f"Shop/{name}0, Shop/{name}1: " in warning
        assert f"Shop/{name}1: " in warning


@pytest.mark.parametrize("name", ["Everything", ""])
def test_asked_for_only_everything_stops_the_synthesis(name: str, stack: cdk.Stack, make: Make) -> None:
    chosen = [name] if name else [each for each in UNTOLD if each != "Everything"]
    for each in chosen:
        UNTOLD[each][0](make(each, policy=ShieldPolicy(allow_aws="granted")))
    if name:
        with pytest.raises(RuntimeError, match="grants every service"):
            services_of(stack)
    else:
        found = services_of(stack)
        assert (len(found), "" in found) == (len(chosen), False)


def test_an_imported_role(stack: cdk.Stack, make: Make) -> None:
    role: Any = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::123456789012:role/mine")
    checkout = make(role=role)
    assert services_of(stack) == [""]
    (warning,) = warnings_of(stack)
    assert "is imported, so only the grants of this app are known" in warning
    assert checkout.shield.policy.allow_aws == "all"
    assert str(checkout.shield.explain()[0]).startswith("allow_aws all: its role ")


def test_a_warning_is_acknowledged(stack: cdk.Stack, make: Make) -> None:
    allow(make(), "*")
    cdk.Annotations.of(stack).acknowledge_warning("shielded-function:untoldGrants", "it is an administrator")
    assert (services_of(stack), warnings_of(stack)) == ([""], [])


def test_all_and_every_bucket_are_no_news(stack: cdk.Stack, make: Make) -> None:
    allow(make(policy=ShieldPolicy(allow_aws="all")), "*")
    allow(make("Buckets"), "s3:GetObject")
    everything, buckets = services_of(stack)
    assert (everything, "s3" in buckets.split(","), warnings_of(stack)) == ("", True, [])


def test_a_sweep_follows_each_role(app: cdk.App, stack: cdk.Stack, props: dict[str, Any]) -> None:
    one = lambda_.Function(stack, "One", **props)
    lambda_.Function(stack, "Two", **props)
    sqs.Queue(stack, "Queue").grant_send_messages(one)
    Shield.everywhere(app, ShieldPolicy())
    assert services_of(stack) == ["sqs", "none"]


def test_outside_of_an_app_it_is_all() -> None:
    policy = ShieldPolicy()
    assert policy.decide("connect", "theirs.s3.us-east-1.amazonaws.com:443").allowed
    assert (policy.is_known, "SHIELD_ALLOW_AWS" in policy.to_env()) == (True, False)
    (told,) = [each.meaning for each in policy.explain() if each.field == "allow_aws"]
    assert told.endswith("; in a CDK app, the grants of the role")
    assert policy != ShieldPolicy(allow_aws="all") == ShieldPolicy.from_env(policy.to_env())
    assert ShieldPolicy.from_dict(policy.to_dict()) == policy


def test_it_is_compared_with_what_it_may_come_to() -> None:
    unset, granted, every = (ShieldPolicy(), *(ShieldPolicy(allow_aws=each) for each in ("granted", "all")))
    assert [each.entry for each in unset.diff(granted)] == ["all"]
    assert [each.entry for each in every.diff(unset)] == ["all"]
    assert unset.diff(every) == granted.diff(unset) == unset.diff(unset) == ()
