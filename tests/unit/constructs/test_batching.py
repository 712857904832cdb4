"""Many questions in one message get the answers that single ones get."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from shielded_function import Shield, ShieldPerimeter, ShieldPolicy
from shielded_function.reading import batching
from shielded_function.reading.batching import members_of
from shielded_function.reading.kinds import CLASSES, find_relevant
from unit.constructs.aws import aws, l1_function

pytestmark = [pytest.mark.promise("construct.batched"), pytest.mark.usefixtures("way")]


@pytest.fixture(params=["batch.js", "plain"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """By the module that jsii loads, and where it does not load one."""
    if request.param == "plain":
        without_batch(monkeypatch)
    yield request.param
    batching._batch.cache_clear()


def without_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: Any) -> None:
        raise RuntimeError("jsii takes no such package")

    monkeypatch.setattr(jsii, "load", load)
    batching._batch.cache_clear()
    with pytest.warns(UserWarning, match="jsii does not load batch.js .jsii takes no such package.: the synthesis"):
        assert batching._batch() is None


def functions(stack: cdk.Stack, props: dict[str, Any]) -> list[lambda_.Function]:
    return [lambda_.Function(stack, name, environment={"NAME": name}, **props) for name in ("One", "Two")]


def test_members(stack: cdk.Stack, props: dict[str, Any]) -> None:
    made = functions(stack, props)
    resources: list[Any] = [function.node.default_child for function in made]
    answers = members_of(resources, "handler", "node.path", "deadLetterConfig", "no.such.member")
    assert answers == [[r.handler, r.node.path, None, None] for r in resources]
    ((runtime, in_stack, text),) = members_of(made[:1], "runtime", "stack", "toString()")
    assert (runtime.name, in_stack, text) == (lambda_.Runtime.PYTHON_3_13.name, stack, made[0].to_string())


def test_what_is_looked_at_is_found(app: cdk.App, stack: cdk.Stack, props: dict[str, Any]) -> None:
    """Every class that something looks for is among those that are asked for."""
    functions(stack, props)
    kinds = (cdk.Stage, cdk.Stack, lambda_.FunctionBase, lambda_.CfnFunction)
    assert CLASSES == ("Stage", "Stack", "aws_lambda.FunctionBase")
    assert [found.node.path for found in find_relevant(app)] == [
        found.node.path for found in app.node.find_all() if isinstance(found, kinds)
    ]


@pytest.mark.parametrize("way", ["batch.js"], indirect=True)
def test_an_app_is_the_same_in_both_ways(props: dict[str, Any], monkeypatch: Any, tmp_path: Path) -> None:
    """With grants and a key, a `CfnFunction`, a handler of the CDK's, and a perimeter."""

    def synthesize(name: str) -> dict[str, Any]:
        app = cdk.App(outdir=str(tmp_path / name))
        stack = cdk.Stack(app, "Shop")
        first, second = functions(stack, props)
        queue = aws.sqs.Queue(stack, "Queue")
        queue.grant_send_messages(first)
        key = aws.kms.Key(stack, "Key")
        named: dict[str, Any] = {"bucket_name": "theirs", "encryption_key": key}
        aws.s3.Bucket.from_bucket_attributes(stack, "Imported", **named).grant_read(first)
        first.add_event_source_mapping("Polled", event_source_arn=queue.queue_arn)
        second.add_function_url()
        role = aws.iam.CfnRole(stack, "Role", assume_role_policy_document={})
        l1_function(stack, role.attr_arn)
        lambda_.Function(stack, "Kept", log_retention=aws.logs.RetentionDays.ONE_DAY, **props)
        vpc = aws.ec2.Vpc(stack, "Vpc", max_azs=2)
        lambda_.Function(stack, "Inside", vpc=vpc, **props)
        ShieldPerimeter(stack, vpc=vpc)
        Shield.everywhere(app, ShieldPolicy(allow_aws="granted"))
        return dict(Template.from_stack(stack).to_json())

    made = synthesize("batch")
    without_batch(monkeypatch)
    assert synthesize("plain") == made
