"""`assert_shielded`, in people's own unit tests."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from shielded_function import ShieldError, ShieldPolicy
from shielded_function.checks import LEFT_OUT
from shielded_function.testing import assert_shielded

from .conftest import MakeFunction
from .test_assembly import acknowledge

Props = dict[str, Any]


@pytest.mark.parametrize("is_shielded", [True, False])
def test_every_form_of_a_template(
    app: cdk.App, stack: cdk.Stack, shielded: MakeFunction, props: Props, tmp_path: Path, is_shielded: bool
) -> None:
    shielded(stack) if is_shielded else lambda_.Function(stack, "Plain", **props)
    template = Template.from_stack(stack)
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template.to_json()))
    folder = app.synth().directory
    for form in (stack, app, template, template.to_json(), file, str(file), folder, Path(folder)):
        plain = pytest.raises(AssertionError, match=r"Plain.*: no shield: neither wrapper")
        with nullcontext() if is_shielded else plain:
            assert_shielded(form)


def test_a_stack_of_several(app: cdk.App, shielded: MakeFunction, props: Props) -> None:
    good, bad = cdk.Stack(app, "Good"), cdk.Stack(cdk.Stage(app, "Live"), "Bad")
    shielded(cdk.NestedStack(good, "Nested"))
    lambda_.Function(bad, "Plain", **props)
    assert_shielded(good)
    with pytest.raises(AssertionError, match="Live/Bad/Plain"):
        assert_shielded(bad)


def test_only_these(stack: cdk.Stack, shielded: MakeFunction, props: Props) -> None:
    shielded(stack, "One")
    lambda_.Function(stack, "Two", **props)
    assert_shielded(stack, functions=["Shop/One"])
    with pytest.raises(AssertionError, match="Shop/Two"):
        assert_shielded(stack, functions=["Shop/T*"])
    with pytest.raises(AssertionError, match="no function is called 'Shop/Tow'; there are: Shop/One, Shop/Two"):
        assert_shielded(stack, functions=["Shop/Tow"])
    with pytest.raises(ShieldError, match="write a list"):
        assert_shielded(stack, functions="Shop/One")


def test_other_code_is_no_function_and_is_found(stack: cdk.Stack, shielded: MakeFunction) -> None:
    shielded(stack)
    cdk.CfnResource(stack, "Web", type="AWS::Lambda::WebFunctionRevision")
    for form in (stack, Template.from_stack(stack).to_json()):
        with pytest.raises(AssertionError, match=r"Web.*: no shield: a web function takes no layers"):
            assert_shielded(form)


def test_a_policy_is_an_upper_bound(stack: cdk.Stack, shielded: MakeFunction) -> None:
    shielded(stack, policy=ShieldPolicy(allow_outbound=["a.example:443"], allow_aws=["s3"]))
    assert_shielded(stack, policy=ShieldPolicy(allow_outbound=["*.example", "a.example"][1:], allow_aws=["s3", "sqs"]))
    with pytest.raises(AssertionError, match=r"Shop/Fn: it allows more than expected: allow_outbound: a\.example:443"):
        assert_shielded(stack, policy=ShieldPolicy())


def test_what_is_excused(stack: cdk.Stack, props: Props) -> None:
    acknowledge(lambda_.Function(stack, "One", **props), "it runs our own code")
    lambda_.Function(stack, "Two", **props).node.add_metadata(LEFT_OUT, "a vendor's")
    assert_shielded(stack)
    with pytest.raises(AssertionError, match=r"Shop/Two: no shield: it is left out \(a vendor's\)"):
        assert_shielded(stack, functions=["Shop/Two"])


def test_no_function_is_no_proof_and_something_else_no_template(stack: cdk.Stack) -> None:
    with pytest.raises(AssertionError, match="nothing was checked"):
        assert_shielded(stack)
    with pytest.raises(ShieldError, match="is no template"):
        assert_shielded(7)  # pyright: ignore[reportArgumentType]
