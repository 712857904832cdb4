"""`ShieldedFunction`: what is refused, what is found at synthesis, and policies that need a file."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Annotations, Match, Template

from harness.function_template import FUNCTION, LAYER, WRAPPER, Props, Resources
from shielded_function import ControlAlarm, Shield, ShieldChecks, ShieldedFunction, ShieldError, ShieldPolicy
from unit.constructs.aws import aws

pytestmark = pytest.mark.promise("construct.errors")


def arn_of(version: int) -> str:
    return f"arn:aws:lambda:eu-west-1:1:layer:l:{version}"


def layers(stack: cdk.Stack, number: int) -> Any:
    return [lambda_.LayerVersion.from_layer_version_arn(stack, f"L{n}", arn_of(n)) for n in range(number)]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"runtime": lambda_.Runtime.PROVIDED_AL2023}, "runtime: provided.al2023 cannot be shielded"),
        ({"layers": lambda stack: layers(stack, 5)}, "layers: 5 of 5 are in use"),
        ({"policy": {"read_handler": "alert"}}, "is a dict, not a ShieldPolicy; write ShieldPolicy(...) with its"),
        ({"alarms": ShieldPolicy()}, "alarms: ShieldPolicy(...) is no AlarmOptions; write AlarmOptions(...)"),
        ({"alarms": ControlAlarm()}, "ControlAlarm is for one control: write AlarmOptions(outbound_connectivity=Contr"),
        ({"logs": 7}, "logs: 7 is no LogOptions; write LogOptions(...)"),
    ],
)
def test_what_cannot_be_shielded(stack: cdk.Stack, props: Props, more: Props, says: str) -> None:
    bucket = aws.s3.Bucket.from_bucket_name(stack, "Bucket", "code")  # inline code is not for every runtime
    given = {name: make(stack) if callable(make) else make for name, make in more.items()}
    merged: Any = {**props, "code": lambda_.Code.from_bucket(bucket, "code.zip"), **given}
    with pytest.raises(ShieldError) as error:
        ShieldedFunction(stack, "Checkout", **merged)
    assert str(error.value).startswith("Shop/Checkout: ") == (not {"policy", "alarms", "logs"} & {*more})
    assert says in str(error.value)
    assert stack.node.try_find_child("Checkout") is None


def test_code_signing_is_warned_of(stack: cdk.Stack, props: Props) -> None:
    signing = lambda_.CodeSigningConfig.from_code_signing_config_arn(
        stack, "Signing", "arn:aws:lambda:eu-west-1:1:code-signing-config:csc-1"
    )
    ShieldedFunction(stack, "Checkout", code_signing_config=signing, **props)
    Annotations.from_stack(stack).has_warning("/Shop/Checkout", Match.string_like_regexp("code-signing"))


TOO_BIG = "of which Lambda takes 4096"


@pytest.mark.parametrize(
    ("given", "set_later", "says"),
    [
        ({"environment": {"SHIELD_READ_HANDLER": "block"}}, {}, "SHIELD_READ_HANDLER is 'block', and its policy says"),
        ({"environment": {"SHIELD_POLICY_FILE": "/var/task/x"}}, {}, "give yours to ShieldPolicy.from_file"),
        ({}, {"environment": {"variables": {"NEW": "1"}}}, "half a shield: no SHIELD_* variable sets a policy"),
        ({}, {"layers": [arn_of(1)]}, "the layer that the construct added is gone"),
        ({}, {"SHIELD_ACCOUNT_ID": "1"}, "SHIELD_ACCOUNT_ID differs from its policy: the stack decides it, and "),
        ({}, {"SHIELD_ALLOW_TMP": "/tmp/**"}, "SHIELD_ALLOW_TMP is there, and its policy does not set it: set it in "),
        ({}, {"BIG": "x" * 4000}, TOO_BIG),
        ({}, {"override": "x" * 4000}, TOO_BIG),
        ({}, {"AWS_LAMBDA_EXEC_WRAPPER": "late"}, "AWS_LAMBDA_EXEC_WRAPPER: 'late' is not an absolute path"),
    ],
)
@pytest.mark.parametrize("within", ["app", "stage"])
def test_it_is_checked_again(app: cdk.App, props: Props, within: str, given: Any, set_later: Any, says: str) -> None:
    """A unit test with a stack alone fails too, and one with the stack of a stage."""
    stack = cdk.Stack(app if within == "app" else cdk.Stage(app, "Live"), "Shop")
    fn: Any = ShieldedFunction(stack, "Checkout", **props, **given)
    for name, value in set_later.items():
        if name == "override":
            fn.node.default_child.add_property_override("Environment.Variables.BIG", value)
        elif name.isupper():
            fn.add_environment(name, value)
        else:
            setattr(fn.node.default_child, name, value)
    cdk.Validations.of(app).add_plugins(ShieldChecks())
    with pytest.raises(RuntimeError, match="Shop/Checkout: ") as error:
        Template.from_stack(stack)
    assert str(error.value).count(says) == 1
    assert str(error.value).count("Shop/Checkout: ") == (2 if "environment" in set_later else 1), "each is told once"


def test_an_aspect_overwrites_no_variable(app: cdk.App, stack: cdk.Stack, props: Props) -> None:
    """It sets the policy twice: as it shields the function, and as it visits the resource."""
    lambda_.Function(stack, "Checkout", environment={"SHIELD_READ_HANDLER": "block"}, **props)
    cdk.Aspects.of(app).add(Shield())
    with pytest.raises(RuntimeError, match="Shop/Checkout: SHIELD_READ_HANDLER is 'block', and its policy says"):
        Template.from_stack(stack)


def test_a_long_policy_is_put_into_a_file(app: cdk.App, stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """Literals into a file in a layer of its own, values known at deployment into the environment."""
    hosts = [f"host-{n:03}.example.com:443" for n in range(200)]
    bucket = aws.s3.Bucket(stack, "Uploads")
    policy = ShieldPolicy(allow_outbound=hosts, allow_buckets=["reports", bucket], allow_aws="all")
    fn = ShieldedFunction(stack, "Checkout", policy=policy, **props)
    ShieldedFunction(stack, "Other", **props)
    checkout, other = resources(stack, FUNCTION).values()
    environment = checkout["Environment"]["Variables"]
    assert environment["SHIELD_POLICY_FILE"] == "/opt/shielded-function/policy"
    assert environment["SHIELD_ALLOW_BUCKETS"] == stack.resolve(bucket.bucket_name)
    assert environment["SHIELD_READ_WRITE_TMP"] == "block"
    assert "SHIELD_ALLOW_OUTBOUND" not in environment
    assert (len(checkout["Layers"]), len(other["Layers"])) == (2, 1)
    assert set(hosts) <= set(fn.shield.policy.allow_outbound)
    layers = resources(stack, LAYER)
    [key] = [v["Content"]["S3Key"] for v in layers.values() if "CompatibleArchitectures" not in v]
    [asset] = Path(app.outdir).glob(f"asset.{key.removesuffix('.zip')}*")
    with zipfile.ZipFile(asset) as archive:
        lines = archive.read("shielded-function/policy").decode()
    assert lines == f"SHIELD_ALLOW_OUTBOUND={','.join(hosts)}\nSHIELD_ALLOW_BUCKETS=reports\n"


def test_what_does_not_fit_a_file_either(app: cdk.App, stack: cdk.Stack, props: Props) -> None:
    """Nor where no layer is free for it."""
    parameters = [cdk.CfnParameter(stack, f"Host{n}").value_as_string for n in range(20)]
    ShieldedFunction(stack, "Checkout", policy=ShieldPolicy(allow_outbound=parameters), **props)
    policy = ShieldPolicy(allow_outbound=[f"host-{n:03}.example.com:443" for n in range(200)])
    ShieldedFunction(stack, "Refund", policy=policy, layers=layers(stack, 4), **props)
    with pytest.raises(Exception, match=r"environment: up to \d+ bytes with the policy.* \"s3\"\] admits any") as error:
        app.synth()
    found = re.search(
        r"Shop/Refund: layers: 4 of 5 are in use .* needs one, and its long policy another: remove", str(error.value)
    )
    assert found is not None


def test_a_layer_of_your_own(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """By its ARN, which may be known at deployment only."""
    arn, later = "arn:aws:lambda:eu-west-1:111122223333:layer:shield:7", cdk.Fn.import_value("ShieldLayer")
    for name, layer in (("One", arn), ("Two", arn), ("Later", later)):
        ShieldedFunction(stack, name, shield_layer=layer, **props)
    found = [f["Layers"] for f in resources(stack, FUNCTION).values()]
    assert found == [[arn], [arn], [{"Fn::ImportValue": "ShieldLayer"}]]
    assert resources(stack, LAYER) == {}


def test_a_container_image_that_holds_the_shield(stack: cdk.Stack, resources: Resources) -> None:
    repository = aws.ecr.Repository.from_repository_name(stack, "Repository", "shop")
    code = lambda_.DockerImageCode.from_ecr(repository, tag_or_digest="1")
    attached = Shield(in_image=True).apply(lambda_.DockerImageFunction(stack, "Image", code=code))
    [function] = resources(stack, FUNCTION).values()
    assert function["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == WRAPPER
    assert "Layers" not in function
    assert attached.layer is None


def test_a_metric_of_no_policy(stack: cdk.Stack, props: Props) -> None:
    fn = ShieldedFunction(stack, "Checkout", **props)
    with pytest.raises(ValueError, match=r"metric_violations: 'outbound' is not a control; use one of outbound_conn"):
        fn.metric_violations(cast("Any", "outbound"))
