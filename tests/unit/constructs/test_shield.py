"""`Shield`: the same on any function, one by one or all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from aws_cdk import custom_resources as cr

from harness.function_template import FUNCTION, Props, Resources
from shielded_function import AlarmOptions, AttachedShield, Shield, ShieldedFunction, ShieldError, ShieldPolicy


def test_it_makes_what_shielded_function_makes(props: Props, synthesize: Callable[[cdk.Stack], Any]) -> None:
    one, two = (cdk.Stack(cdk.App(), "Shop") for _ in range(2))
    options: Any = {"policy": ShieldPolicy.report_only(), "alarms": AlarmOptions(threshold=3)}
    ShieldedFunction(one, "Fn", **options, **props)
    lambda_.Function(two, "Fn", **props).with_(Shield(**options))
    assert synthesize(one) == synthesize(two)


def test_supports(stack: cdk.Stack, props: Props) -> None:
    shield = Shield()
    fn = lambda_.Function(stack, "Fn", **props)
    assert shield.supports(fn)
    assert shield.supports(fn.node.default_child)  # pyright: ignore[reportArgumentType]
    assert not shield.supports(stack)
    assert not shield.supports(lambda_.Function.from_function_name(stack, "Imported", "other"))
    assert not shield.supports(fn.add_alias("live"))
    attached = shield.apply(fn)
    assert isinstance(attached, AttachedShield)
    assert attached is Shield.of(fn)
    assert not shield.supports(fn)
    assert not shield.supports(fn.node.default_child)  # pyright: ignore[reportArgumentType]


def test_only_functions(stack: cdk.Stack, props: Props) -> None:
    with pytest.raises(ShieldError, match=r"Shop: only a Lambda function can be shielded"):
        Shield().apply_to(stack)
    with pytest.raises(ShieldError, match=r"Shop/Vm: a MicroVM runs an image without layers"):
        Shield().apply_to(cdk.CfnResource(stack, "Vm", type="AWS::Lambda::MicrovmImage"))
    with pytest.raises(ShieldError, match=r"Shield.apply: None is no construct; give it a function"):
        Shield().apply(cast("Any", None))
    with pytest.raises(ShieldError, match="Shop/Fn: it has a shield already"):
        Shield(ShieldPolicy.report_only()).apply(ShieldedFunction(stack, "Fn", **props))


def deployment(stack: cdk.Stack, _: Any) -> Any:
    sources = [s3_deployment.Source.data("index.html", "hello")]
    return s3_deployment.BucketDeployment(stack, "Site", destination_bucket=s3.Bucket(stack, "Bucket"), sources=sources)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda stack, fn: fn.add_alias("live"), "an alias points at a version of a function: shield the func"),
        (lambda stack, fn: fn.current_version, "a version is a copy of a function: shield the function"),
        (
            lambda stack, fn: lambda_.Function.from_function_name(stack, "Imported", "other"),
            "it is imported, and its code and settings are another app's",
        ),
        (
            lambda stack, fn: cr.Provider(stack, "Provider", on_event_handler=fn),
            "the function in it, Shop/Provider/framework-onEvent, is the CDK's own: shield your own function behind it",
        ),
        (deployment, "is the CDK's own"),
    ],
)
def test_with_on_others(stack: cdk.Stack, props: Props, resources: Resources, make: Any, says: str) -> None:
    """It is an error there, and passed over in what holds it and a function."""
    named = make(stack, lambda_.Function(stack, "Fn", **props))
    with pytest.raises(RuntimeError, match=says):
        named.with_(Shield())
    stack.with_(Shield())
    assert sum("SHIELD_READ_WRITE_TMP" in str(function) for function in resources(stack, FUNCTION).values()) == 1


def test_nothing_is_half_applied(stack: cdk.Stack, props: Props) -> None:
    repository = ecr.Repository.from_repository_name(stack, "Repository", "shop")
    image = lambda_.DockerImageFunction(
        stack, "Image", code=lambda_.DockerImageCode.from_ecr(repository, tag_or_digest="1")
    )
    both = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/a", "SHIELD_NEXT_WRAPPER": "/opt/b"}
    fn = lambda_.Function(stack, "Fn", environment=both, **props)
    before = described(stack)
    with pytest.raises(ShieldError, match="Shop/Image: code: container images cannot be shielded"):
        Shield().apply(image)
    with pytest.raises(ShieldError, match="Shop/Fn: SHIELD_NEXT_WRAPPER"):
        Shield().apply(fn)
    assert described(stack) == before
    with pytest.raises(ShieldError, match="Shop/Fn: it has no shield"):
        Shield.of(fn)


def described(stack: cdk.Stack) -> list[tuple[str, Any]]:
    """The constructs of a stack and what they would become, without synthesizing it."""
    found: list[tuple[str, Any]] = []
    for construct in stack.node.find_all():
        inspector = cdk.TreeInspector()
        if isinstance(construct, lambda_.CfnFunction):
            construct.inspect(inspector)
        found.append((construct.node.path, stack.resolve(inspector.attributes)))
    return found
