"""Functions that answer CloudFormation reach the bucket that it takes answers at, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources

from shielded_function import ShieldPerimeter, ShieldPolicy
from shielded_function.testing import SimulatedPerimeter
from shielded_function_monitoring.cfn.values import Resolver
from unit.constructs.aws import add_aspect, aws
from unit.constructs.conftest import Make
from unit.constructs.perimeter.test_template import domains_in

pytestmark = pytest.mark.promise("construct.everywhere")

HOSTS = {
    "us-east-1": ("s3.amazonaws.com", "s3.us-east-1.amazonaws.com", "s3-us-east-1.amazonaws.com"),
    "eu-west-1": ("s3-eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"),
    "ap-southeast-7": ("s3.ap-southeast-7.amazonaws.com",),
    "cn-north-1": ("s3.cn-north-1.amazonaws.com.cn",),
    "us-gov-west-1": ("s3-us-gov-west-1.amazonaws.com",),
}


def by_function(stack: cdk.Stack, function: lambda_.Function) -> Any:
    return cdk.CustomResource(stack, "Custom", service_token=function.function_arn)


def by_l1_and_version(stack: cdk.Stack, function: lambda_.Function) -> Any:
    return cdk.CfnCustomResource(stack, "Custom", service_token=function.current_version.function_arn)


def by_alias(stack: cdk.Stack, function: lambda_.Function) -> Any:
    version: Any = function.current_version
    alias = lambda_.Alias(stack, "Alias", alias_name="live", version=version)
    return cdk.CfnResource(stack, "Custom", type="Custom::Thing", properties={"ServiceToken": alias.function_arn})


def by_topic(stack: cdk.Stack, function: lambda_.Function) -> Any:
    topic = aws.sns.Topic(stack, "Topic")
    topic.add_subscription(aws.sns_subscriptions.LambdaSubscription(function))
    return cdk.CustomResource(stack, "Custom", service_token=topic.topic_arn)


def of_another_stack(stack: cdk.Stack, function: lambda_.Function) -> Any:
    return by_function(cdk.Stack(cast(Any, stack.node.root), "Other"), function)


def policy_in(app: cdk.App, region: str) -> ShieldPolicy:
    """The handler's, as CloudFormation resolves it in a region."""
    template: Mapping[str, Any] = app.synth().get_stack_by_name("Shop").template
    (function,) = (
        resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function" and name.startswith("Handler")
    )
    variables = Resolver("Shop", template, region=region).resolve(function["Environment"]["Variables"])
    return ShieldPolicy.from_env(variables)


@pytest.mark.parametrize("way", [by_function, by_l1_and_version, by_alias, by_topic, of_another_stack])
def test_a_service_token_reaches_it_in_every_region(app: cdk.App, stack: cdk.Stack, make: Make, way: Any) -> None:
    function = make("Handler")
    custom = way(stack, function)
    for region, hosts in HOSTS.items():
        policy = policy_in(app, region)
        bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
        for host in hosts:
            assert policy.decide("connect", f"{bucket}.{host}:443", region=region).allowed, host
            for other in (f"{bucket}.{host}:80", f"{bucket}-x.{host}:443", f"x.{bucket}.{host}:443", f"{host}:443"):
                assert not policy.decide("connect", other, region=region).allowed, other
    path = custom.node.path
    told = f"allow_outbound hosts of CloudFormation: it answers for {path}"
    assert told in map(str, function.shield.explain())


@pytest.mark.parametrize(
    ("policy", "listed"),
    [
        (ShieldPolicy(), True),
        (ShieldPolicy(allow_aws="all"), False),
        (ShieldPolicy(allow_aws=["sqs", "s3"]), False),
        (ShieldPolicy(outbound_connectivity="allow", allow_aws="none"), False),
        (ShieldPolicy(allow_buckets=["shop-orders"]), True),
        (ShieldPolicy(allow_aws=["sqs"]), True),
        (ShieldPolicy(allow_aws="none"), True),
        (ShieldPolicy(allow_aws=["granted", "sqs"]), True),
    ],
)
def test_it_is_listed_where_s3_is_not_open(
    app: cdk.App, stack: cdk.Stack, make: Make, policy: ShieldPolicy, listed: bool
) -> None:
    by_function(stack, make("Handler", policy=policy))
    found = policy_in(app, "eu-west-1")
    assert (len(found.allow_outbound) == 3) is listed
    host = "cloudformation-custom-resource-response-euwest1.s3-eu-west-1.amazonaws.com"
    assert found.decide("resolve", host, region="eu-west-1").allowed


def test_a_providers_handler_does_not_answer(app: cdk.App, stack: cdk.Stack, make: Make) -> None:
    function: Any = make("Handler")
    token = custom_resources.Provider(stack, "Provider", on_event_handler=function).service_token
    cdk.CustomResource(stack, "Custom", service_token=token)
    assert policy_in(app, "eu-west-1").allow_outbound == ()


@pytest.mark.promise("perimeter.names")
def test_a_perimeter_lets_it_through(app: cdk.App, stack: cdk.Stack, make: Make) -> None:
    """In a stack of no region, whose names have that of the deployment."""
    vpc = aws.ec2.Vpc(stack, "Vpc", max_azs=1)
    by_function(stack, make("Handler", policy=ShieldPolicy(allow_aws=["granted", "sqs"]), vpc=vpc))
    ShieldPerimeter(stack, "Perimeter", vpc=vpc, also_allow=[])
    template = app.synth().get_stack_by_name("Shop").template
    assert {"Fn::Join": ["", ["sqs.", {"Ref": "AWS::Region"}, ".amazonaws.com"]]} in domains_in(template)
    bucket = "cloudformation-custom-resource-response"
    for region, other in ("eu-west-1", "eu-central-1"), ("eu-central-1", "eu-west-1"):
        perimeter = SimulatedPerimeter.from_template(template, region=region)
        names = [
            f"{bucket}-{region.replace('-', '')}.{form}.amazonaws.com"
            for form in ("s3", f"s3-{region}", f"s3.{region}")
        ]
        assert {perimeter.look_up(name) for name in (*names, f"sqs.{region}.amazonaws.com")} == {"ALLOW"}
        assert perimeter.look_up(f"sqs.{other}.amazonaws.com") == "BLOCK"


def test_one_that_comes_after_the_policy_fails_the_synthesis(app: cdk.App, make: Make) -> None:
    function = make("Handler")

    def answer(_: Any) -> None:
        if not function.stack.node.try_find_child("Custom"):
            by_function(function.stack, function)

    add_aspect(function, answer, at="Shop/Handler/Resource", priority=950)
    says = "Shop/Handler: Shop/Custom, of which it is the service token, was made after"
    with pytest.raises(RuntimeError, match=says):
        app.synth()
