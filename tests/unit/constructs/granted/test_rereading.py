"""What is granted after the policies were made is seen, and a whole synthesis without such a grant is not one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from shielded_function import ShieldedFunction, ShieldPolicy
from shielded_function.granted import are_same, read_inputs, read_stage
from unit.constructs.aws import add_aspect

from .conftest import Allow


@pytest.mark.parametrize("minimize", [True, False])
def test_a_synthesis_leaves_it_the_same(minimize: bool, props: dict[str, Any]) -> None:
    """Also where the CDK merges statements."""
    app = cdk.App(context={"@aws-cdk/aws-iam:minimizePolicies": minimize})
    stack = cdk.Stack(app, "Shop")
    function = lambda_.Function(stack, "Checkout", **props)
    s3.Bucket(stack, "Bucket").grant_read_write(function)
    for name in ("One", "Two", "Three"):
        sqs.Queue(stack, name).grant_send_messages(function)
    _, inputs = read_stage(app, [function])
    template = app.synth().get_stack_by_name("Shop").template
    (policy,) = (r for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Policy")
    assert (len(policy["Properties"]["PolicyDocument"]["Statement"]) < 4) is minimize
    assert are_same(inputs, read_inputs(app))


def test_what_is_granted_later_is_seen(
    app: cdk.App, stack: cdk.Stack, allow: Allow, checkout: lambda_.Function
) -> None:
    """A statement, a policy, a policy of another role, and one of AWS's."""
    role: Any = checkout.role
    lambdas: Any = iam.ServicePrincipal("lambda.amazonaws.com")
    statement = iam.PolicyStatement(actions=["sns:Publish"], resources=["*"])
    other: Any = iam.Role(stack, "Other", assumed_by=lambdas)
    policy = iam.Policy(stack, "More", roles=[other], statements=[statement])
    allow("sqs:SendMessage", "*")
    grants: list[Callable[[], object]] = [
        lambda: allow("sns:Publish", "*"),
        lambda: iam.Policy(stack, "New", roles=[role], statements=[statement]),
        lambda: policy.attach_to_role(role),
        lambda: role.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSQSFullAccess")),
    ]
    for grant in grants:
        _, inputs = read_stage(app, [checkout])
        assert are_same(inputs, read_inputs(app))
        grant()
        assert not are_same(inputs, read_inputs(app))


@pytest.mark.parametrize(("allow_aws", "wide"), [("granted", False), (None, False), (None, True)])
def test_a_grant_in_a_later_aspect_fails_the_synthesis(
    app: cdk.App, stack: cdk.Stack, props: dict[str, Any], allow_aws: Literal["granted"] | None, wide: bool
) -> None:
    """Unless all of AWS is admitted, where the grants could not be told."""
    function = ShieldedFunction(stack, "Checkout", policy=ShieldPolicy(allow_aws=allow_aws), **props)
    if wide:
        function.add_to_role_policy(iam.PolicyStatement(actions=["*"], resources=["*"]))
    queue = sqs.Queue(stack, "Queue")
    add_aspect(function, lambda _: queue.grant_send_messages(function), at="Shop/Checkout/Resource", priority=950)
    if wide:
        app.synth()
        return
    with pytest.raises(RuntimeError, match="service sqs was granted after the policy was made"):
        app.synth()
