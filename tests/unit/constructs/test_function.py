"""`ShieldedFunction`: what it adds to a `Function`, that it is one otherwise, and has the arguments of the CDK's."""

from __future__ import annotations

import copy
import inspect
import types
import typing
from pathlib import Path
from typing import Any, cast, get_type_hints

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import interfaces

from harness.function_template import ALARM, FUNCTION, LAYER, Props, Resources, variables
from shielded_function import ShieldedFunction, ShieldError, ShieldPolicy
from shielded_function.shield.props import FunctionProps, MetricProps
from unit.constructs.aws import aws
from unit.constructs.granted.rows import table


def test_the_default_blocks_all_but_what_is_granted(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    assert fn.shield.policy == ShieldPolicy()
    environment = variables(resources, stack)
    assert environment.pop("SHIELD_ACCOUNT_ID") == {"Ref": "AWS::AccountId"}
    assert environment.pop("SHIELD_ALLOW_AWS") == "none"
    assert environment.pop("SHIELD_READ_HANDLER") == "allow"
    assert {environment[name] for name in environment if name.startswith("SHIELD_")} == {"block"}
    assert len(environment) == 4


def test_allow_to(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """After the function is made, and with what the stack makes."""
    fn = ShieldedFunction(stack, "Checkout", policy=ShieldPolicy(allow_outbound=["api.stripe.com:443"]), **props)
    for wrong in (stack, "not a host", aws.sns.Topic(stack, "Topic")):
        with pytest.raises(ValueError, match="allow_outbound"):
            fn.shield.allow_to(cast("Any", wrong))
    assert fn.shield.policy == ShieldPolicy(allow_outbound=["api.stripe.com:443"])
    bucket, vpc = aws.s3.Bucket(stack, "Uploads"), aws.ec2.Vpc(stack, "Vpc", max_azs=1, nat_gateways=0)
    fn.allow_to(bucket, vpc, "*.example.com:443")
    environment = variables(resources, stack)
    assert environment["SHIELD_ALLOW_BUCKETS"] == stack.resolve(bucket.bucket_name)
    outbound = environment["SHIELD_ALLOW_OUTBOUND"]
    assert outbound["Fn::Join"][1][0] == "api.stripe.com:443,*.example.com:443,"
    assert stack.resolve(vpc.vpc_cidr_block) in outbound["Fn::Join"][1]
    assert fn.shield.policy.decide("connect", "api.stripe.com:443").allowed
    assert fn.shield.policy.decide("connect", "db.internal:5432").action != "allow"


def test_accounts_and_layers_are_the_stacks(app: cdk.App, props: Props, resources: Resources) -> None:
    """A layer for each architecture. Where a stack names no account, the deployment knows it; in a nested stack too.

    The same account may be set beforehand.
    """
    one = cdk.Stack(app, "One", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    two = cdk.Stack(app, "Two")
    nested = cdk.NestedStack(two, "Nested")
    ShieldedFunction(two, "Arm", architecture=lambda_.Architecture.ARM_64, **props)
    for stack in (one, two):
        for number in range(2):
            ShieldedFunction(stack, f"Fn{number}", **props)
    ShieldedFunction(nested, "Fn", environment={"SHIELD_ACCOUNT_ID": cdk.Aws.ACCOUNT_ID}, **props)
    assert [len(resources(stack, LAYER)) for stack in (one, two, nested)] == [1, 2, 1]
    assert [len(resources(stack, ALARM)) for stack in (one, two, nested)] == [4, 6, 2]
    for stack, account in {
        one: "111122223333",
        two: {"Ref": "AWS::AccountId"},
        nested: {"Ref": "AWS::AccountId"},
    }.items():
        variables = [function["Environment"]["Variables"] for function in resources(stack, FUNCTION).values()]
        assert all(each["SHIELD_ACCOUNT_ID"] == account for each in variables)


def test_a_taken_construct_id_is_said_so(stack: cdk.Stack, props: Props) -> None:
    cdk.CfnOutput(stack, "ShieldedFunctionLayer-x86_64", value="mine")
    with pytest.raises(ShieldError, match="Shop/ShieldedFunctionLayer-x86_64: this construct id is the shield layer's"):
        ShieldedFunction(stack, "Checkout", **props)


def plain_of(shielded: dict[str, Any]) -> dict[str, Any]:
    """A template without what the shield adds."""
    resources = copy.deepcopy({name: r for name, r in shielded["Resources"].items() if "Shield" not in name})
    [function] = [resource["Properties"] for resource in resources.values() if resource["Type"] == FUNCTION]
    assert "ShieldedFunctionLayer" in str(function["Layers"].pop()), "the shield's comes last"
    variables = function["Environment"]["Variables"]
    for name in [each for each in variables if each.startswith(("SHIELD_", "AWS_LAMBDA_EXEC_"))]:
        del variables[name]
    if "Shield" in str(function["LoggingConfig"]["LogGroup"]):
        del function["LoggingConfig"]["LogGroup"]
    for name, value in {
        "Layers": function["Layers"],
        "LoggingConfig": function["LoggingConfig"],
        "Environment": variables,
    }.items():
        if not value:
            del function[name]
    return {**shielded, "Resources": resources}


def with_everything(stack: cdk.Stack) -> Props:
    arn, of_arn = "arn:aws:lambda:eu-west-1:1:layer:l", lambda_.LayerVersion.from_layer_version_arn
    return {
        "description": "Takes payments",
        "function_name": "checkout",
        "memory_size": 512,
        "retry_attempts": 1,
        "reserved_concurrent_executions": 5,
        "dead_letter_queue_enabled": True,
        "tracing": lambda_.Tracing.ACTIVE,
        "environment": {"TABLE": "orders", "REGION_NAME": stack.region},
        "layers": [of_arn(stack, f"L{n}", f"{arn}:{n}") for n in range(2)],
        "logging_format": lambda_.LoggingFormat.JSON,
        "application_log_level_v2": lambda_.ApplicationLogLevel.WARN,
        "system_log_level_v2": lambda_.SystemLogLevel.INFO,
        "timeout": cdk.Duration.seconds(20),
        "vpc": aws.ec2.Vpc(stack, "Vpc", max_azs=1, nat_gateways=0),
        "vpc_subnets": {"subnet_type": aws.ec2.SubnetType.PRIVATE_ISOLATED},
    }


@pytest.mark.parametrize("more", [lambda stack: {}, with_everything])
def test_everything_else_is_as_function_makes_it(props: Props, synthesize: Any, more: Any) -> None:
    def made_by(kind: type[lambda_.Function]) -> Any:
        stack = cdk.Stack(cdk.App(), "Shop")
        fn = kind(stack, "Checkout", **props, **more(stack))
        fn.add_function_url()
        table(stack).grant_read_data(fn)
        return synthesize(stack)

    assert plain_of(made_by(ShieldedFunction)) == made_by(lambda_.Function)


def test_a_new_shield_is_a_new_version(props: Props, resources: Resources, layers_folder: Path) -> None:
    """A new policy, a new file with one (which the CDK's default flags do not look into), a new layer."""

    def version(**policy: Any) -> str:
        stack = cdk.Stack(cdk.App(), "Shop")
        _ = ShieldedFunction(stack, "Checkout", policy=ShieldPolicy(**policy), **props).current_version
        return next(iter(resources(stack, "AWS::Lambda::Version")))

    long = [f"host-{n}.example.com:443" for n in range(300)]
    before = [version(), version(read_handler="alert"), version(allow_outbound=long), version(allow_outbound=long[1:])]
    assert len(set(before)) == 4
    assert version(allow_outbound=long) == before[2]
    assert version() == before[0]
    (layers_folder / "x86_64" / "shielded-function" / "shield").write_text("a newer one\n")
    assert version() not in before


# What props.py imports for type checkers only.
NAMES: dict[str, Any] = {
    **{f"aws_{name}_refs": getattr(interfaces, f"aws_{name}") for name in ("kms", "lambda", "logs")},
    **{name: getattr(aws, name) for name in ("cloudwatch", "codeguruprofiler", "ec2", "iam", "logs", "sns", "sqs")},
    "cdk": cdk,
    "lambda_": aws.lambda_,
}


@pytest.mark.parametrize(
    ("props", "of", "skip"),
    [
        (FunctionProps, aws.lambda_.Function, {"self", "scope", "id"}),
        (MetricProps, aws.cloudwatch.MetricOptions, {"self"}),
    ],
)
def test_no_drift(props: Any, of: Any, skip: set[str]) -> None:
    parameters = inspect.signature(of.__init__).parameters
    theirs = {name: parameter for name, parameter in parameters.items() if name not in skip}
    mine, hints = get_type_hints(props, localns=NAMES), get_type_hints(of.__init__)
    assert set(mine) == set(theirs)
    assert props.__required_keys__ == {name for name, p in theirs.items() if p.default is p.empty}
    for name in theirs:
        assert flat(mine[name]) == flat(hints[name]), name


def flat(kind: Any) -> Any:
    """A type in a form where `X | None` and `Optional[X]`, `dict` and `Dict`, and jsii's numbers are equal."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return frozenset(flat(argument) for argument in arguments if argument is not int)
    if origin is not None:
        return (origin, *(flat(argument) for argument in arguments))
    return kind


def test_its_own_arguments_hide_none() -> None:
    parameters = inspect.signature(ShieldedFunction.__init__).parameters
    own = {name for name, parameter in parameters.items() if parameter.kind is parameter.KEYWORD_ONLY}
    assert own == {"policy", "alarms", "logs", "shield_layer"}
    assert not own & set(inspect.signature(aws.lambda_.Function.__init__).parameters)
