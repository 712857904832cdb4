"""`ShieldedFunction`: its layer and its files, missing ones too, and which exec wrapper runs next."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from harness.function_template import FUNCTION, LAYER, WRAPPER, Props, Resources, only, variables
from shielded_function import Shield, ShieldedFunction, ShieldError, ShieldPolicy
from unit.constructs.aws import add_aspect

pytestmark = pytest.mark.promise("construct.layer")


def in_an_aspect(function: lambda_.Function) -> None:
    def to_graviton(node: Any) -> None:
        if isinstance(node, lambda_.CfnFunction):
            node.architectures = ["arm64"]

    add_aspect(function, to_graviton)


def by_an_override(function: lambda_.Function) -> None:
    resource: Any = function.node.default_child
    resource.add_property_override("Architectures", ["arm64"])


@pytest.mark.parametrize("change", [in_an_aspect, by_an_override])
@pytest.mark.parametrize("everywhere", [True, False])
def test_its_layer_follows_a_later_architecture(
    app: cdk.App, stack: cdk.Stack, props: Props, resources: Resources, change: Any, everywhere: bool
) -> None:
    if everywhere:
        function = lambda_.Function(stack, "Checkout", **props)
        Shield.everywhere(app, ShieldPolicy())
    else:
        function = ShieldedFunction(stack, "Checkout", **props)
    change(function)
    [layer] = only(resources(stack, FUNCTION))["Layers"]
    assert resources(stack, LAYER)[layer["Ref"]]["CompatibleArchitectures"] == ["arm64"]


def test_an_architecture_that_comes_too_late(app: cdk.App, stack: cdk.Stack, props: Props) -> None:
    """`Shield` as an aspect, and behind it another of the same priority."""
    function = lambda_.Function(stack, "Checkout", **props)
    cdk.Aspects.of(app).add(Shield())
    in_an_aspect(function)
    with pytest.raises(
        RuntimeError, match=r"Shop/Checkout: its architecture is arm64, and .* before the shield's \(pri"
    ):
        app.synth()


def test_an_architecture_known_at_deployment(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    """It is refused, unless the layer is given."""
    cdk.CfnCondition(stack, "Arm", expression=cdk.Fn.condition_equals(cdk.Aws.REGION, "eu-west-1"))
    parameter = cdk.CfnParameter(stack, "Architecture").value_as_string
    functions = [lambda_.Function(stack, name, **props) for name in ("One", "Two")]
    one_of_two = cdk.Token.as_list(cdk.Fn.condition_if("Arm", ["arm64"], ["x86_64"]))
    for function, value in zip(functions, ([parameter], one_of_two), strict=True):
        resource: Any = function.node.default_child
        resource.architectures = value
        with pytest.raises(ShieldError, match=f"{function.node.path}: architectures: known only at deployment"):
            Shield().apply(function)
        Shield(shield_layer="arn:aws:lambda:eu-west-1:1:layer:shield:1").apply(function)
    assert len(resources(stack, FUNCTION)) == 2


_FORM = "write arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION"


@pytest.mark.parametrize(
    ("layer", "fix"),
    [
        ("hello", _FORM),
        (7, _FORM),
        ("arn:aws:lambda:eu-west-1:111122223333:function:shield:7", _FORM),
        ("arn:aws:lambda:eu-west-1:111122223333:layer:shield:latest", _FORM),
        ("arn:aws:lambda:eu-west-1:1:layer:shield", "write arn:aws:lambda:eu-west-1:1:layer:shield:VERSION"),
    ],
)
def test_what_is_no_layer(app: cdk.App, stack: cdk.Stack, props: Props, layer: Any, fix: str) -> None:
    says = re.escape(f"shield_layer: {layer!r} is no layer, and no ARN of a layer's version: {fix}")
    for give in (Shield, lambda shield_layer: Shield.everywhere(app, ShieldPolicy(), shield_layer=shield_layer)):
        with pytest.raises(ShieldError, match=f"^{says}$"):
            give(shield_layer=layer)
    with pytest.raises(ShieldError, match=f"^{says}$"):
        ShieldedFunction(stack, "Fn", shield_layer=layer, **props)
    assert stack.node.try_find_child("Fn") is None


OTEL = lambda_.AdotInstrumentationConfig(
    exec_wrapper=lambda_.AdotLambdaExecWrapper.INSTRUMENT_HANDLER,
    layer_version=lambda_.AdotLayerVersion.from_python_sdk_layer_version(
        lambda_.AdotLambdaLayerPythonSdkVersion.LATEST
    ),
)


@pytest.mark.parametrize(
    ("given", "later", "expected"),
    [
        ({"AWS_LAMBDA_EXEC_WRAPPER": "/opt/datadog_wrapper"}, None, "/opt/datadog_wrapper"),
        ({"AWS_LAMBDA_EXEC_WRAPPER": cdk.Fn.import_value("Wrapper")}, None, {"Fn::ImportValue": "Wrapper"}),
        ({"AWS_LAMBDA_EXEC_WRAPPER": "/opt/first"}, "/opt/second", "/opt/second"),
        ({"AWS_LAMBDA_EXEC_WRAPPER": WRAPPER}, None, None),
        ({}, WRAPPER, None),
        ({"SHIELD_NEXT_WRAPPER": "/opt/mine"}, None, "/opt/mine"),
        (OTEL, None, "/opt/otel-instrument"),
    ],
)
def test_which_wrapper_runs_next(
    stack: cdk.Stack, props: Props, resources: Resources, given: Any, later: str | None, expected: Any
) -> None:
    """The environment's, or one that is added later."""
    how = {"adot_instrumentation" if given is OTEL else "environment": given}
    fn = ShieldedFunction(stack, "Checkout", **how, **props)
    if later:
        fn.add_environment("AWS_LAMBDA_EXEC_WRAPPER", later)
    environment = variables(resources, stack)
    assert (environment["AWS_LAMBDA_EXEC_WRAPPER"], environment.get("SHIELD_NEXT_WRAPPER")) == (WRAPPER, expected)
    assert len(only(resources(stack, FUNCTION))["Layers"]) == (2 if given is OTEL else 1)


def test_missing_binaries(stack: cdk.Stack, props: Props, layers_folder: Path) -> None:
    (layers_folder / "x86_64" / "shielded-function" / "libshield.so").unlink()
    says = r"Shop/Checkout: the shield is not built for x86_64 \(shielded-function/libshield.so not in"
    with pytest.raises(ShieldError, match=f"{says}.*python -m shielded_function_runtime.build"):
        ShieldedFunction(stack, "Checkout", **props)
    ShieldedFunction(stack, "Arm", architecture=lambda_.Architecture.ARM_64, **props)


def test_each_function_gets_the_files_of_its_own_architecture(app: cdk.App, stack: cdk.Stack, props: Props) -> None:
    """From the function in the template to the file that ends up in its /opt."""
    architectures = {"x86_64": lambda_.Architecture.X86_64, "aarch64": lambda_.Architecture.ARM_64}
    for name, architecture in architectures.items():
        ShieldedFunction(stack, name, architecture=architecture, **props)
    assembly = Path(app.synth().directory)
    resources = json.loads((assembly / f"{stack.stack_name}.template.json").read_text())["Resources"]
    files = json.loads((assembly / f"{stack.stack_name}.assets.json").read_text())["files"]
    seen: dict[str, str] = {}
    for function in (r for r in resources.values() if r["Type"] == FUNCTION):
        [reference] = function["Properties"]["Layers"]
        version = resources[reference["Ref"]]["Properties"]
        assert version["CompatibleArchitectures"] == function["Properties"].get("Architectures", ["x86_64"])
        source = files[version["Content"]["S3Key"].removesuffix(".zip")]["source"]
        assert source["packaging"] == "file", "the bytes are ours: no mode of the machine is in them"
        with zipfile.ZipFile(assembly / source["path"]) as archive:
            seen[version["CompatibleArchitectures"][0]] = archive.read("shielded-function/shield").decode()
    assert seen == {"x86_64": "shield for x86_64\n", "arm64": "shield for aarch64\n"}
