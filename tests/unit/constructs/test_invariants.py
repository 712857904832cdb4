"""The rules, over plain facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import aws_lambda as lambda_

from shielded_function.policy.lengths import environment_size
from shielded_function.reading.functions import FunctionFacts
from shielded_function.shield.invariants import (
    applied_problems,
    eligibility_problems,
    late_problems,
    log_group_problems,
)

pytestmark = pytest.mark.promise("construct.errors")

POLICY = {"SHIELD_READ_HANDLER": "block"}
PYTHON: Any = {"runtime": "python3.13", "family": lambda_.RuntimeFamily.PYTHON}
BEFORE = FunctionFacts(path="Shop/Checkout", architecture="x86_64", **PYTHON)
LAYERS = [{"Ref": "Layer"}]
WRAPPED = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/shielded-function/shield"}
AFTER = replace(BEFORE, environment={**POLICY, **WRAPPED}, layers=LAYERS)
LATEST = {"Fn::FindInMap": ["Runtimes", {"Ref": "AWS::Region"}, "value"]}


@pytest.mark.parametrize("runtime", ["dotnet5", "python3.13.al2", "nodejs", "", None, LATEST])
@pytest.mark.parametrize("family", [None, lambda_.RuntimeFamily.OTHER])
def test_unsupported_runtimes(runtime: Any, family: Any) -> None:
    [problem] = eligibility_problems(replace(BEFORE, runtime=runtime, family=family))
    assert problem.startswith(("runtime: ", "code: "))
    assert "python3.8+" in problem


def test_which_of_the_cdks_runtimes_are_refused() -> None:
    refused = {
        runtime.name
        for runtime in lambda_.Runtime.ALL
        if runtime.name != "FROM_IMAGE" and eligibility_problems(replace(BEFORE, runtime=runtime.name, family=None))
    }
    no_wrapper = {"provided", "provided.al2", "provided.al2023", "go1.x"}
    withdrawn = {
        *("python2.7", "python3.6", "python3.7"),
        *("nodejs", "nodejs4.3", "nodejs6.10", "nodejs8.10", "nodejs10.x"),
        *("java8", "ruby2.5"),
        *("dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1"),
    }
    assert refused == no_wrapper | withdrawn


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"layers": [1, 2, 3, 4, 5]}, "layers: 5 of 5 are in use and the shield needs one"),
        ({"environment": WRAPPED | {"SHIELD_NEXT_WRAPPER": "/b"}}, "SHIELD_NEXT_WRAPPER: the shield sets it"),
        ({"environment": None}, "environment: known only at deployment"),
        ({"layers": None}, "layers: known only at deployment"),
        ({}, ""),
        ({"runtime": LATEST, "family": lambda_.RuntimeFamily.NODEJS}, ""),
        ({"layers": [1, 2, 3, 4]}, ""),
        ({"environment": {"SHIELD_NEXT_WRAPPER": "/opt/mine"}}, ""),
    ],
)
def test_unsupported(changed: Any, says: str) -> None:
    problems = eligibility_problems(replace(BEFORE, **changed))
    assert len(problems) == (1 if says else 0)
    assert all(problem.startswith(says) for problem in problems)


def beside(**variables: str) -> FunctionFacts:
    return replace(AFTER, environment={**POLICY, **WRAPPED, **variables})


HALF = "half a shield: its layer is there, but AWS_LAMBDA_EXEC_WRAPPER is "
LOST = "half a shield: the wrapper is set, but the layer that the construct added is gone"
UNSET = (
    "SHIELD_{} is there, and its policy does not set it: there is no such setting, and the shield refuses to start "
    "with it: "
)
FILE = {"SHIELD_POLICY_FILE": "/opt/shielded-function/policy"}
IMAGE = replace(AFTER, runtime=None, layers=[])
FAR: Any = {"layers": [*LAYERS, "file"], "settings": POLICY | FILE}


@pytest.mark.parametrize(
    ("facts", "applied", "says"),
    [
        (AFTER, {}, []),
        (replace(AFTER, architecture="arm64"), {"architecture": None}, []),
        (IMAGE, {"layers": []}, []),
        (replace(IMAGE, environment=POLICY), {"layers": []}, ["half a shield: its policy is there, but AWS_LAMBDA_EX"]),
        (replace(AFTER, logging={"applicationLogLevel": "FATAL"}), {}, ["the application log level FATAL drops"]),
        (replace(AFTER, logging={"applicationLogLevel": "WARN"}), {}, []),
        (replace(AFTER, environment=POLICY), {}, [f"{HALF}not /opt"]),
        (replace(AFTER, environment=None), {}, [f"{HALF}not /opt", "half a shield: no SHIELD_* variable"]),
        (beside(SHIELD_X="1"), {}, [f"{UNSET.format('X')}rename it: SHIELD_"]),
        (beside(SHIELD_READ_HANDLR="1"), {}, [f"{UNSET.format('READ_HANDLR')}did you mean read_handler? Set it in Sh"]),
        (replace(AFTER, architecture="arm64"), {}, ["its architecture is arm64, and the shield in its layer is f"]),
        (replace(AFTER, layers=None), {}, [LOST]),
        (beside(**FILE), FAR, ["SHIELD_POLICY_FILE is '/opt/sh"]),
    ],
)
def test_what_no_longer_holds(facts: FunctionFacts, applied: Any, says: list[str]) -> None:
    record = {"settings": POLICY, "layers": LAYERS, "architecture": "x86_64", **applied}
    problems = applied_problems(facts, record, record["architecture"])
    assert [text[: len(said)] for text, said in zip(problems, says, strict=True)] == says


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (AFTER, ""),
        (beside(BIG="x" * 4096), "environment: up to 4"),
        (replace(AFTER, overridden={"BIG": "x" * 4096}), "environment: up to 4"),
        (replace(AFTER, layers=[*LAYERS, 2, 3, 4, 5, 6]), "layers: 6 of 5 are in use: remove"),
        (replace(AFTER, runtime="nodejs24.x", on_instances=True), "read_handler: on Managed Instances"),
        (beside(SHIELD_NEXT_WRAPPER="mine"), "AWS_LAMBDA_EXEC_WRAPPER: 'mine' is not an absolute path: write the wra"),
        (beside(SHIELD_NEXT_WRAPPER="/opt/mine"), ""),
    ],
)
def test_what_exceeds_a_limit(facts: FunctionFacts, says: str) -> None:
    problems = late_problems(facts, POLICY, 0)
    assert [text[: len(says)] for text in problems] == [says] * bool(says)


def test_log_groups_without_the_filters_lines() -> None:
    logs = {"Ref": "Logs"}
    assert log_group_problems(logs, logs, "STANDARD") == log_group_problems(logs, logs, None) == []
    assert log_group_problems(logs, logs, "DELIVERY")[0].startswith("log_group: its class is DELIVERY, which has no")
    assert [log_group_problems(now, logs, None)[0][:18] for now in (None, "other")] == ["log_group: changed"] * 2


def test_environment_size() -> None:
    sizes: list[tuple[dict[str, Any], int]] = [({}, 2), ({"A": "b"}, 9), ({"A": "b", "C": "d"}, 17), ({"A": "ü"}, 10)]
    sizes += [({"A": '"'}, 10), ({"A": {"Ref": "P"}}, 8), ({"A": {"Ref": "AWS::AccountId"}}, 20)]
    assert [environment_size(environment) for environment, _ in sizes] == [size for _, size in sizes]


def test_the_size_limit_is_exact() -> None:
    longest = environment_size(POLICY)
    room = 4096 - longest - environment_size({**WRAPPED, "FILL": ""})
    assert late_problems(beside(FILL="x" * room), POLICY, longest) == []
    assert len(late_problems(beside(FILL="x" * (room + 1)), POLICY, longest)) == 1
