"""The rule `outside-perimeter`: a wall outside of the function, where somebody asked for one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from shielded_function import ShieldedFunction, ShieldPerimeter, ShieldPolicy
from shielded_function.checks import check, read_assembly

Props = dict[str, Any]


@pytest.mark.promise("perimeter.required")
def test_what_is_found(app: cdk.App, props: Props) -> None:
    """The mark of a perimeter alone is not believed: what would be deployed is read."""

    def function(name: str, policy: ShieldPolicy | None = None) -> tuple[cdk.Stack, ec2.Vpc]:
        env = cdk.Environment(account="111122223333", region="eu-west-1")
        stack = cdk.Stack(cdk.Stage(app, name), "Shop", env=env)
        vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
        ShieldedFunction(stack, "Fn", vpc=None if name == "Outside" else vpc, policy=policy, **props)
        return stack, vpc

    function("Outside")
    function("Inside")
    stack, vpc = function("Covered", ShieldPolicy())
    ShieldPerimeter(stack, vpc=vpc)
    stack, vpc = function("Alerting", ShieldPolicy.report_only())
    ShieldPerimeter(stack, "Wall", vpc=vpc, mode="alert")
    stack, vpc = function("Gone")
    assert ShieldPerimeter(stack, "Wall", vpc=vpc).node.try_remove_child("RulesOfVpc")
    assembly = read_assembly(Path(app.synth().directory))

    def found(*globs: str) -> dict[str, str]:
        findings = [f for f in check(assembly, perimeter=globs).findings if f.rule == "outside-perimeter"]
        assert {f.severity for f in findings} <= {"error"}
        return {f.place.path: f"{f.problem}: {f.fix}" for f in findings}

    uncovered = "no ShieldPerimeter covers it: make a ShieldPerimeter of its VPC, and let its functions= name it"
    assert found() == {}
    assert found("*") == {
        "Outside/Shop/Fn": "it is in no VPC, so nothing outside of its process limits it: give it vpc=",
        "Inside/Shop/Fn": uncovered,
        "Alerting/Shop/Fn": "its perimeter, Alerting/Shop/Wall, only alerts: "
        'say mode="block" there, once its log is quiet',
        "Gone/Shop/Fn": uncovered,
    }
    [unmatched] = found("Covred").values()
    assert unmatched.startswith("perimeter: 'Covred' matches no shielded function")
