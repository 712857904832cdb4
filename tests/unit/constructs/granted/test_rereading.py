"""What is granted after the policies were made is seen, and a whole synthesis without such a grant is not one."""

from __future__ import annotations

from typing import Any, Literal

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import IConstruct

from shielded_function import ShieldedFunction, ShieldPolicy
from shielded_function.granted import Looked, read_stage

from .conftest import Allow


def look(app: cdk.App, function: lambda_.Function) -> Looked:
    return read_stage(app, [function])[1]


def is_same(looked: Looked, app: cdk.App) -> bool:
    return looked.is_same(app.node.find_all())


def test_a_synthesis_leaves_it_the_same(app: cdk.App, stack: cdk.Stack, checkout: lambda_.Function) -> None:
    sqs.Queue(stack, "Queue").grant_send_messages(checkout)
    s3.Bucket(stack, "Bucket").grant_read_write(checkout)
    looked = look(app, checkout)
    app.synth()
    assert is_same(looked, app)


@pytest.mark.parametrize("minimize", [True, False])
def test_statements_that_the_cdk_merges_are_the_same(minimize: bool) -> None:
    app = cdk.App(context={"@aws-cdk/aws-iam:minimizePolicies": minimize})
    stack = cdk.Stack(app, "Shop")
    code = lambda_.Code.from_inline("def handler(event, context): pass")
    function = lambda_.Function(
        stack, "Checkout", runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler", code=code
    )
    for name in ("One", "Two", "Three"):
        sqs.Queue(stack, name).grant_send_messages(function)
    looked = look(app, function)
    template = app.synth().get_stack_by_name("Shop").template
    (policy,) = (r for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Policy")
    assert (len(policy["Properties"]["PolicyDocument"]["Statement"]) == 1) is minimize
    assert is_same(looked, app)


@pytest.mark.parametrize("what", ["a statement", "a policy", "a managed policy of AWS's", "a policy of another role"])
def test_what_is_granted_later_is_seen(
    app: cdk.App, stack: cdk.Stack, allow: Allow, checkout: lambda_.Function, what: str
) -> None:
    role: Any = checkout.role
    lambdas: Any = iam.ServicePrincipal("lambda.amazonaws.com")
    other: Any = iam.Role(stack, "Other", assumed_by=lambdas)
    statement = iam.PolicyStatement(actions=["sns:Publish"], resources=["*"])
    policy = iam.Policy(stack, "More", roles=[other], statements=[statement])
    allow("sqs:SendMessage", "*")
    looked = look(app, checkout)
    assert is_same(looked, app)
    if what == "a statement":
        allow("sns:Publish", "*")
    elif what == "a policy":
        iam.Policy(stack, "New", roles=[role], statements=[statement])
    elif what == "a policy of another role":
        policy.attach_to_role(role)
    else:
        role.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSQSFullAccess"))
    assert not is_same(looked, app)


@jsii.implements(cdk.IAspect)
class _Grant:
    """Grants a function a queue when its resource is visited."""

    def __init__(self, queue: sqs.Queue, function: lambda_.Function) -> None:
        self._queue = queue
        self._function = function
        self._done = False

    def visit(self, node: IConstruct) -> None:
        if not self._done and node.node.path == f"{self._function.node.path}/Resource":
            self._done = True
            self._queue.grant_send_messages(self._function)


@pytest.mark.parametrize(("allow_aws", "wide"), [("granted", False), (None, False), (None, True)])
def test_a_grant_in_a_later_aspect_fails_the_synthesis(
    app: cdk.App, stack: cdk.Stack, allow_aws: Literal["granted"] | None, wide: bool
) -> None:
    """Unless all of AWS is admitted, where the grants could not be told."""
    function = ShieldedFunction(
        stack,
        "Checkout",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): pass"),
        policy=ShieldPolicy(allow_aws=allow_aws),
    )
    if wide:
        function.add_to_role_policy(iam.PolicyStatement(actions=["*"], resources=["*"]))
    queue = sqs.Queue(stack, "Queue")
    cdk.Aspects.of(function).add(_Grant(queue, function), priority=950)
    if wide:
        app.synth()
        return
    with pytest.raises(RuntimeError, match="service sqs was granted after the policy was made"):
        app.synth()


def test_a_statement_of_an_old_policy_is_seen(app: cdk.App, allow: Allow, checkout: lambda_.Function) -> None:
    allow("sqs:SendMessage", "*")
    looked = look(app, checkout)
    assert is_same(looked, app)
    allow("sns:Publish", "*")
    assert not is_same(looked, app)
