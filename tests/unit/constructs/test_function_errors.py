"""`ShieldedFunction`: what is refused, what is found at synthesis, and policies that need a file."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Annotations, Match

from harness.function_template import FUNCTION, LAYER, WRAPPER, Props, Resources
from shielded_function import ControlAlarm, Shield, ShieldedFunction, ShieldError, ShieldPolicy
from unit.constructs.aws import aws

pytestmark = pytest.mark.promise("construct.errors")


def arn_of(version: int) -> str:
    return f"arn:aws:lambda:eu-west-1:1:layer:l:{version}"


JSON: Any = {"logging_format": lambda_.LoggingFormat.JSON}


def layers(stack: cdk.Stack, number: int) -> Any:
    return [lambda_.LayerVersion.from_layer_version_arn(stack, f"L{n}", arn_of(n)) for n in range(number)]


def cheap(stack: cdk.Stack) -> Any:
    return aws.logs.LogGroup(stack, "Cheap", log_group_class=aws.logs.LogGroupClass.INFREQUENT_ACCESS)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"runtime": lambda_.Runtime.PROVIDED_AL2023}, "runtime: provided.al2023 cannot be shielded"),
        ({"environment": {"SHIELD_READ_HANDLER": "allow"}}, "SHIELD_READ_HANDLER: set in the environment"),
        ({"environment": {"SHIELD_POLICY_FILE": "/var/task/x"}}, "give yours to ShieldPolicy.from_file"),
        ({**JSON, "application_log_level_v2": lambda_.ApplicationLogLevel.ERROR}, "application_log_level: ERROR drops"),
        ({"layers": lambda stack: layers(stack, 5), "environment": {"SHIELD_X": "1"}}, "layers: 5 of 5 are in use"),
        ({"layers": lambda stack: layers(stack, 5), "environment": {"SHIELD_X": "1"}}, "SHIELD_X"),
        ({"log_group": cheap}, "log_group: its class is INFREQUENT_ACCESS"),
        ({"policy": {"read_handler": "alert"}}, "is a dict, not a ShieldPolicy; write ShieldPolicy(...) with its"),
        ({"alarms": ShieldPolicy()}, "alarms: ShieldPolicy(...) is no AlarmOptions; write AlarmOptions(...)"),
        ({"alarms": ControlAlarm()}, "ControlAlarm is for one control: write AlarmOptions(outbound_connectivity=Contr"),
        ({"logs": 7}, "logs: 7 is no LogOptions; write LogOptions(...)"),
    ],
)
def test_what_cannot_be_shielded(stack: cdk.Stack, props: Props, more: Props, says: str) -> None:
    bucket = aws.s3.Bucket.from_bucket_name(stack, "Bucket", "code")  # inline code is not for every runtime
    given = {name: make(stack) if name in ("layers", "log_group") else make for name, make in more.items()}
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


def replaced(**properties: Any) -> Callable[[Any], None]:
    """As an escape hatch does it."""

    def tamper(fn: Any) -> None:
        for name, value in properties.items():
            setattr(fn.node.default_child, name, value)

    return tamper


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (replaced(environment={"variables": {"NEW": "1"}}), "lost after the shield was applied"),
        (replaced(layers=[arn_of(1)]), "layers: the shield's layer was removed"),
        (lambda fn: fn.add_environment("SHIELD_READ_HANDLER", "block"), "SHIELD_READ_HANDLER: set in the environment"),
        (lambda fn: fn.add_environment("SHIELD_ACCOUNT_ID", "1"), "SHIELD_ACCOUNT_ID: set in the environment, but the"),
        (lambda fn: fn.add_environment("SHIELD_ALLOW_TMP", "/tmp/**"), "SHIELD_ALLOW_TMP: set in the environment"),
        (lambda fn: fn.add_environment("SHIELD_FOO", "1"), "SHIELD_FOO: there is no such setting"),
        (lambda fn: fn.add_environment("BIG", "x" * 4000), "bytes with the policy, of which Lambda takes 4096"),
        (
            lambda fn: fn.node.default_child.add_property_override("Environment.Variables.BIG", "x" * 4000),
            "bytes with the policy, of which Lambda takes 4096",
        ),
        (lambda fn: fn.add_environment("AWS_LAMBDA_EXEC_WRAPPER", "late"), "AWS_LAMBDA_EXEC_WRAPPER: 'late' is not an"),
    ],
)
def test_later_additions_are_checked(app: cdk.App, stack: cdk.Stack, props: Props, change: Any, says: str) -> None:
    change(ShieldedFunction(stack, "Checkout", **props))
    with pytest.raises(Exception, match="Shop/Checkout") as error:
        app.synth()
    assert says in str(error.value)
    assert "lost" in says or str(error.value).count("Shop/Checkout: ") == 1, "each is told once"


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
    found = re.search(r"Shop/Refund: policy: it does not fit .* but 4 of 5 are in use", str(error.value))
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
