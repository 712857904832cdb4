"""What is granted never makes a function depend on what depends on the function."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from harness.circles import find_circle
from shielded_function import Shield, ShieldPolicy
from unit.constructs.aws import l1_function

from .conftest import MakeFunction


def apart(scope: Any, function: Any, action: str, resource: str, name: str = "Apart") -> None:
    """The usual way out of a circle: a policy of its own."""
    iam.Policy(
        scope, name, roles=[function.role], statements=[iam.PolicyStatement(actions=[action], resources=[resource])]
    )


def notifying(scope: Any, function: lambda_.Function, name: str = "Bucket", **more: Any) -> s3.CfnBucket:
    """A bucket that calls a function."""
    to = s3.CfnBucket.LambdaConfigurationProperty(event="s3:ObjectCreated:*", function=function.function_arn)
    configuration = s3.CfnBucket.NotificationConfigurationProperty(lambda_configurations=[to])
    return s3.CfnBucket(scope, name, notification_configuration=configuration, **more)


def an_api(stack: cdk.Stack, function: Any, make: MakeFunction) -> None:
    api = apigateway.RestApi(stack, "Api", deploy=False)
    api.root.add_method("GET")
    api.node.add_dependency(function)
    apart(stack, function, "execute-api:Invoke", api.arn_for_execute_api())


def a_bucket(stack: cdk.Stack, function: lambda_.Function, make: MakeFunction) -> None:
    apart(stack, function, "s3:GetObject", f"{notifying(stack, function).attr_arn}/*")


def a_bucket_of_an_l1(stack: cdk.Stack, function: Any, make: MakeFunction) -> None:
    """It does not wait for the policies of its role."""
    plain = l1_function(stack, function.role.role_arn, "Plain")
    bucket = s3.Bucket(stack, "Bucket")
    bucket.node.add_dependency(plain)
    apart(stack, function, "s3:GetObject", bucket.arn_for_objects("*"))
    bucket.grant_read(function)


def a_named_bucket(stack: cdk.Stack, function: lambda_.Function, make: MakeFunction) -> None:
    named = notifying(stack, function, bucket_name="shop-orders")
    apart(stack, function, "s3:GetObject", f"{named.attr_arn}/*")


def a_bucket_without_a_circle(stack: cdk.Stack, function: lambda_.Function, make: MakeFunction) -> None:
    bucket = notifying(stack, make("Other"))
    apart(stack, function, "s3:GetObject", f"{bucket.attr_arn}/*")


def two_functions_together(stack: cdk.Stack, function: lambda_.Function, make: MakeFunction) -> None:
    """Neither entry closes a circle without the other."""
    other = make("Other")
    apart(stack, function, "s3:GetObject", f"{notifying(stack, other, 'First').attr_arn}/*")
    apart(stack, other, "s3:GetObject", f"{notifying(stack, function, 'Second').attr_arn}/*", "OtherApart")


def a_bucket_of_another_stack(stack: cdk.Stack, function: lambda_.Function, make: MakeFunction) -> None:
    data: Any = cdk.Stack(stack.node.scope, "Data")  # type: ignore[arg-type]
    role: Any = iam.Role.from_role_arn(data, "Role", function.role.role_arn)  # type: ignore[union-attr]
    s3.Bucket(data, "Bucket").grant_read(role)


def a_bucket_of_a_nested_stack(stack: cdk.Stack, function: lambda_.Function, make: MakeFunction) -> None:
    """It is another resource of that stack that depends on the function."""
    nested = cdk.NestedStack(stack, "Nested")
    notifying(nested, function, "Calls")
    apart(stack, function, "s3:GetObject", s3.Bucket(nested, "Bucket").arn_for_objects("*"))


# Each stack: what is in it, the circle, and for its functions the services and whether they have buckets.
CASES: dict[str, tuple[Callable[..., None], str, dict[str, tuple[str, bool]]]] = {
    "A": (an_api, "A/Checkout -> A/Api -> A/Checkout", {"Checkout": ("none", False)}),
    "B": (a_bucket, "B/Checkout -> B/Bucket -> B/Checkout", {"Checkout": ("s3", False)}),
    "C": (
        a_bucket_of_an_l1,
        "C/Plain -> C/Bucket -> C/Plain",
        {"Checkout": ("none", True), "Plain": ("s3", False)},
    ),
    "D": (a_named_bucket, "", {"Checkout": ("none", True)}),
    "E": (a_bucket_without_a_circle, "", {"Checkout": ("none", True)}),
    "F": (
        two_functions_together,
        "F/Other -> F/Second -> F/Checkout -> F/First -> F/Other",
        {"Checkout": ("none", True), "Other": ("s3", False)},
    ),
    "G": (a_bucket_of_another_stack, "G -> Data -> G", {"Checkout": ("s3", False)}),
    "H": (a_bucket_of_a_nested_stack, "H/Checkout -> H/Nested -> H/Checkout", {"Checkout": ("s3", False)}),
}


def test_no_template_has_one(app: cdk.App, make_function: MakeFunction) -> None:
    for name, (build, _, _) in CASES.items():
        stack = cdk.Stack(app, name)
        build(stack, make_function(scope=stack), partial(make_function, scope=stack))
    Shield.everywhere(app, ShieldPolicy(allow_aws="granted"))
    told = [str(message.entry.data) for each in app.synth().stacks for message in each.messages]
    ways = [way for text in told for way in re.findall(r"depends on the function already \((.*?)\)", text)]
    assert set(ways) == {circle for _, circle, _ in CASES.values() if circle}
    stacks = [each for each in app.node.find_all() if isinstance(each, cdk.Stack) and each.node.id != "Shop"]
    templates = {each.node.id: cdk.assertions.Template.from_stack(each).to_json() for each in stacks}
    assert [name for name, template in templates.items() if find_circle(template)] == []
    for name, (_, _, settings) in CASES.items():
        functions = {
            logical_id: each["Properties"]["Environment"]["Variables"]
            for logical_id, each in templates[name]["Resources"].items()
            if each["Type"] == "AWS::Lambda::Function"
        }
        for beginning, (services, has_buckets) in settings.items():
            (variables,) = (each for logical_id, each in functions.items() if logical_id.startswith(beginning))
            assert variables["SHIELD_ALLOW_AWS"] == services
            assert ("SHIELD_ALLOW_BUCKETS" in variables) is has_buckets
            assert "SHIELD_ALLOW_OUTBOUND" not in variables
