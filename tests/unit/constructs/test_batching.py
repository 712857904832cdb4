"""Many questions in one message get the answers that single ones get."""

from __future__ import annotations

from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from shielded_function.batching import (
    add_environment,
    call_all,
    create,
    create_alarm,
    inspect_all,
    members_of,
    resolve_all,
    set_member,
)
from shielded_function.paths import learn_paths, path_of


def functions(stack: cdk.Stack, props: dict[str, Any]) -> list[lambda_.Function]:
    return [lambda_.Function(stack, name, environment={"NAME": name}, **props) for name in ("One", "Two")]


def test_members(stack: cdk.Stack, props: dict[str, Any]) -> None:
    made = functions(stack, props)
    resources: list[Any] = [function.node.default_child for function in made]
    answers = members_of(resources, "handler", "node.path", "deadLetterConfig", "no.such.member")
    assert answers == [[r.handler, r.node.path, None, None] for r in resources]
    ((runtime, in_stack),) = members_of(made[:1], "runtime", "stack")
    assert (runtime.name, in_stack) == (lambda_.Runtime.PYTHON_3_13.name, stack)


def test_nothing_is_asked_of_nothing() -> None:
    assert (members_of([], "node"), call_all([], "toString"), inspect_all([])) == ([], [], [])


def test_calls_and_paths(stack: cdk.Stack, props: dict[str, Any]) -> None:
    everything = [*functions(stack, props), stack, *stack.node.find_all()]
    assert call_all(everything, "toString") == [construct.to_string() for construct in everything]
    learn_paths(everything)
    assert [path_of(construct)[0] for construct in everything] == [construct.node.path for construct in everything]


def test_what_resources_disclose(stack: cdk.Stack, props: dict[str, Any]) -> None:
    made = functions(stack, props)
    told = inspect_all([function.node.default_child for function in made])
    properties = [stack.resolve(each["aws:cdk:cloudformation:props"]) for each in told]
    assert [each["environment"]["variables"] for each in properties] == [{"NAME": "One"}, {"NAME": "Two"}]


def test_variables(stack: cdk.Stack, props: dict[str, Any]) -> None:
    function, _ = functions(stack, props)
    add_environment(function, {"REGION": cdk.Aws.REGION, "PLAIN": "text"})
    (told,) = inspect_all([function.node.default_child])
    variables = stack.resolve(told["aws:cdk:cloudformation:props"])["environment"]["variables"]
    assert variables == {"NAME": "One", "REGION": {"Ref": "AWS::Region"}, "PLAIN": "text"}


def test_what_resources_are_resolved_to(stack: cdk.Stack, props: dict[str, Any]) -> None:
    resources = [function.node.default_child for function in functions(stack, props)]
    told = [each["aws:cdk:cloudformation:props"] for each in inspect_all(resources)]
    assert resolve_all(resources, "aws:cdk:cloudformation:props") == [stack.resolve(each) for each in told]
    assert (resolve_all(resources, "no:such:attribute"), resolve_all([], "any")) == ([None, None], [])


def test_constructs_are_made(stack: cdk.Stack) -> None:
    made = create("aws_logs", "LogGroup", stack, "Logs", {"retention": logs.RetentionDays.ONE_DAY})
    assert isinstance(made, logs.LogGroup)
    with pytest.raises(RuntimeError, match="There is already a Construct with name 'Logs'"):
        create("aws_logs", "LogGroup", stack, "Logs", {})
    alarm = create_alarm(
        stack,
        "Alarm",
        {"namespace": "N", "metricName": "M", "period": cdk.Duration.minutes(5)},
        {"threshold": 2, "evaluationPeriods": 1},
    )
    assert isinstance(alarm, cloudwatch.Alarm)
    (properties,) = resolve_all([alarm.node.default_child], "aws:cdk:cloudformation:props")
    assert (properties["metricName"], properties["period"], properties["threshold"]) == ("M", 300, 2)


def test_members_are_set(stack: cdk.Stack, props: dict[str, Any]) -> None:
    function, other = functions(stack, props)
    resource: Any = function.node.default_child
    set_member(resource, "loggingConfig", {"logGroup": other.function_name})
    ((told,),) = members_of([resource], "loggingConfig.logGroup")
    assert stack.resolve(told) == {"Ref": stack.get_logical_id(cast("Any", other.node.default_child))}
