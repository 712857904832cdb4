"""`ShieldedFunction`: where its layer comes, and which exec wrapper runs next."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from harness.function_template import FUNCTION, WRAPPER, Props, Resources, layer_arn, only, variables
from shielded_function import ShieldedFunction

# ---- layers


def test_its_layer_comes_last(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    mine = lambda_.LayerVersion.from_layer_version_arn(stack, "Mine", "arn:aws:lambda:eu-west-1:1:layer:mine:1")
    fn = ShieldedFunction(stack, "Checkout", layers=[mine], **props)
    assert only(resources(stack, FUNCTION))["Layers"] == [
        "arn:aws:lambda:eu-west-1:1:layer:mine:1",
        stack.resolve(layer_arn(fn)),
    ]


# ---- exec wrappers


def test_a_wrapper_in_the_environment_runs_next(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    ShieldedFunction(stack, "Checkout", environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/datadog_wrapper"}, **props)
    environment = variables(resources, stack)
    assert environment["AWS_LAMBDA_EXEC_WRAPPER"] == WRAPPER
    assert environment["SHIELD_NEXT_WRAPPER"] == "/opt/datadog_wrapper"


def test_a_wrapper_known_at_deployment_runs_next(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    parameter = cdk.CfnParameter(stack, "Wrapper")
    ShieldedFunction(stack, "Checkout", environment={"AWS_LAMBDA_EXEC_WRAPPER": parameter.value_as_string}, **props)
    assert variables(resources, stack)["SHIELD_NEXT_WRAPPER"] == {"Ref": "Wrapper"}


def test_open_telemetrys_wrapper_runs_next(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    ShieldedFunction(
        stack,
        "Checkout",
        adot_instrumentation=lambda_.AdotInstrumentationConfig(
            exec_wrapper=lambda_.AdotLambdaExecWrapper.INSTRUMENT_HANDLER,
            layer_version=lambda_.AdotLayerVersion.from_python_sdk_layer_version(
                lambda_.AdotLambdaLayerPythonSdkVersion.LATEST
            ),
        ),
        **props,
    )
    environment = variables(resources, stack)
    assert environment["AWS_LAMBDA_EXEC_WRAPPER"] == WRAPPER
    assert environment["SHIELD_NEXT_WRAPPER"] == "/opt/otel-instrument"
    assert len(only(resources(stack, FUNCTION))["Layers"]) == 2


def test_a_wrapper_added_later_runs_next(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    fn = ShieldedFunction(stack, "Checkout", environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/first"}, **props)
    fn.add_environment("AWS_LAMBDA_EXEC_WRAPPER", "/opt/second")
    environment = variables(resources, stack)
    assert environment["AWS_LAMBDA_EXEC_WRAPPER"] == WRAPPER
    assert environment["SHIELD_NEXT_WRAPPER"] == "/opt/second"


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_shield_is_not_its_own_next_wrapper(
    stack: cdk.Stack, props: Props, resources: Resources, when: str
) -> None:
    environment = {"AWS_LAMBDA_EXEC_WRAPPER": WRAPPER} if when == "before" else {}
    fn = ShieldedFunction(stack, "Checkout", environment=environment, **props)
    if when == "after":
        fn.add_environment("AWS_LAMBDA_EXEC_WRAPPER", WRAPPER)
    assert "SHIELD_NEXT_WRAPPER" not in variables(resources, stack)


def test_a_next_wrapper_by_hand_is_kept(stack: cdk.Stack, props: Props, resources: Resources) -> None:
    ShieldedFunction(stack, "Checkout", environment={"SHIELD_NEXT_WRAPPER": "/opt/mine"}, **props)
    assert variables(resources, stack)["SHIELD_NEXT_WRAPPER"] == "/opt/mine"
