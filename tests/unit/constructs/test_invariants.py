"""The rules, over plain facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import aws_lambda as lambda_

from shielded_function.function_facts import FunctionFacts
from shielded_function.invariants import AppliedShield, eligibility_problems, environment_size, invariant_problems

pytestmark = pytest.mark.promise("construct.errors")

POLICY = {"SHIELD_READ_HANDLER": "block"}
PYTHON: Any = {"runtime": "python3.13", "family": lambda_.RuntimeFamily.PYTHON}
BEFORE = FunctionFacts(path="Shop/Checkout", architecture="x86_64", **PYTHON)
LAYERS, LOGS = [{"Ref": "Layer"}], {"Ref": "Logs"}
APPLIED = AppliedShield(environment=POLICY, layers=LAYERS, log_group=LOGS, log_class="STANDARD", architecture="x86_64")
WRAPPED = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/shielded-function/shield"}
ENVIRONMENT = {**POLICY, **WRAPPED}
AFTER = replace(BEFORE, environment=ENVIRONMENT, layers=LAYERS, logging={"logGroup": LOGS})


LATEST = {"Fn::FindInMap": ["Runtimes", {"Ref": "AWS::Region"}, "value"]}


@pytest.mark.parametrize("runtime", ["dotnet5", "python3.13.al2", "nodejs", "", None, LATEST])
@pytest.mark.parametrize("family", [None, lambda_.RuntimeFamily.OTHER])
def test_unsupported_runtimes(runtime: Any, family: Any) -> None:
    [problem] = eligibility_problems(replace(BEFORE, runtime=runtime, family=family), POLICY)
    assert problem.startswith(("runtime: ", "code: "))
    assert "python3.8+" in problem


def test_which_of_the_cdks_runtimes_are_refused() -> None:
    refused = {
        runtime.name
        for runtime in lambda_.Runtime.ALL
        if runtime.name != "FROM_IMAGE" and eligibility_problems(replace(BEFORE, runtime=runtime.name, family=None), {})
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
    ("facts", "says"),
    [
        (replace(BEFORE, layers=[1, 2, 3, 4, 5]), "layers: 5 of 5"),
        (replace(BEFORE, logging={"applicationLogLevel": "ERROR"}), "application_log_level: ERROR"),
        (replace(BEFORE, logging={"applicationLogLevel": "FATAL"}), "application_log_level: FATAL"),
        (replace(BEFORE, environment={"SHIELD_READ_HANDLER": "alert"}), "SHIELD_READ_HANDLER: set in"),
        (replace(BEFORE, environment={"SHIELD_READ_HANDLER": {"Ref": "P"}}), "SHIELD_READ_HANDLER: set in"),
        (replace(BEFORE, environment={"SHIELD_ALLOW_TMP": ""}), "SHIELD_ALLOW_TMP: set in"),
        (
            replace(BEFORE, environment=WRAPPED | {"SHIELD_NEXT_WRAPPER": "/b"}),
            "SHIELD_NEXT_WRAPPER: the shield sets it",
        ),
        (replace(BEFORE, environment=None), "environment: known only at deployment"),
        (replace(BEFORE, layers=None), "layers: known only at deployment"),
        (replace(BEFORE, environment={"SHIELD_POLICY_FILE": "/var/task/p"}), "SHIELD_POLICY_FILE: set in"),
        (replace(BEFORE, environment={"AWS_LAMBDA_EXEC_WRAPPER": "not/absolute"}), "AWS_LAMBDA_EXEC_WRAPPER: 'not/a"),
        (replace(BEFORE, environment={"SHIELD_NEXT_WRAPPER": "mine"}), "SHIELD_NEXT_WRAPPER: 'mine' is not"),
        (BEFORE, ""),
        (replace(BEFORE, runtime=LATEST, family=lambda_.RuntimeFamily.NODEJS), ""),
        (replace(BEFORE, layers=[1, 2, 3, 4]), ""),
        (replace(BEFORE, logging={"applicationLogLevel": "WARN"}), ""),
        (replace(BEFORE, environment=POLICY), ""),
        (replace(BEFORE, environment={"SHIELD_NEXT_WRAPPER": "/opt/mine"}), ""),
        (replace(BEFORE, environment={"MY_SHIELD_READ_HANDLER": "x"}), ""),
    ],
)
def test_unsupported(facts: FunctionFacts, says: str) -> None:
    problems = eligibility_problems(facts, POLICY)
    assert len(problems) == (1 if says else 0)
    assert all(problem.startswith(says) for problem in problems)


def beside(**variables: str) -> FunctionFacts:
    return replace(AFTER, environment={**ENVIRONMENT, **variables})


NO_SETTING = "there is no such setting, and the shield refuses to start with it"


@pytest.mark.parametrize(
    ("facts", "applied", "says"),
    [
        (AFTER, {}, []),
        (replace(AFTER, architecture="arm64"), {"architecture": None}, []),
        (replace(AFTER, runtime=None), {"in_image": True}, []),
        (AFTER, {"log_class": "DELIVERY"}, ["log_group: its class is DELIVERY"]),
        (replace(AFTER, runtime="provided.al2023"), {}, ["runtime: provided.al2023"]),
        (replace(AFTER, logging={**AFTER.logging, "applicationLogLevel": "ERROR"}), {}, ["application_log_level"]),
        (beside(AWS_LAMBDA_EXEC_WRAPPER="/opt/x"), {}, ["AWS_LAMBDA_EXEC_WRAPPER: it is /opt/x"]),
        (replace(AFTER, environment=WRAPPED), {}, ["SHIELD_READ_HANDLER: lost"]),
        (replace(AFTER, environment=POLICY), {}, ["AWS_LAMBDA_EXEC_WRAPPER: it is None"]),
        (beside(SHIELD_X="1"), {}, [f"SHIELD_X: {NO_SETTING}: rename it"]),
        (
            beside(SHIELD_READ_HANDLR="1"),
            {},
            [f"SHIELD_READ_HANDLR: {NO_SETTING}: did you mean read_handler? Set it in"],
        ),
        (beside(BIG="x" * 4096), {}, ["environment: up to 4"]),
        (replace(AFTER, overridden={"BIG": "x" * 4096}), {}, ["environment: up to 4"]),
        (
            replace(AFTER, architecture="arm64"),
            {},
            ["architectures: arm64 was set after the shield's layer for x86_64"],
        ),
        (replace(AFTER, layers=["other"]), {}, ["layers: the shield's layer"]),
        (replace(AFTER, layers=None), {}, ["layers: the shield's layer"]),
        (replace(AFTER, layers=[{"Ref": "Layer"}, 2, 3, 4, 5, 6]), {}, ["layers: 6, with the shield's"]),
        (replace(AFTER, runtime="nodejs24.x", on_instances=True), {}, ["read_handler: on Managed Instances"]),
        (replace(AFTER, logging={}), {}, ["log_group: changed"]),
        (replace(AFTER, logging={"logGroup": "other"}), {}, ["log_group: changed"]),
    ],
)
def test_broken(facts: FunctionFacts, applied: Any, says: list[str]) -> None:
    problems = invariant_problems(facts, replace(APPLIED, **applied))
    assert [text[: len(said)] for text, said in zip(problems, says, strict=True)] == says


def test_environment_size() -> None:
    sizes: list[tuple[dict[str, Any], int]] = [({}, 2), ({"A": "b"}, 9), ({"A": "b", "C": "d"}, 17), ({"A": "ü"}, 10)]
    sizes += [({"A": '"'}, 10), ({"A": {"Ref": "P"}}, 8), ({"A": {"Ref": "AWS::AccountId"}}, 20)]
    assert [environment_size(environment) for environment, _ in sizes] == [size for _, size in sizes]


def test_the_size_limit_is_exact() -> None:
    own = {name: value for name, value in ENVIRONMENT.items() if name not in POLICY}
    applied = replace(APPLIED, longest=environment_size(POLICY))

    def fitting(size: int) -> FunctionFacts:
        room = size - applied.longest - environment_size({**own, "FILL": ""})
        return replace(AFTER, environment={**ENVIRONMENT, "FILL": "x" * room})

    assert invariant_problems(fitting(4096), applied) == []
    assert len(invariant_problems(fitting(4097), applied)) == 1
