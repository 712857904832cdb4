"""The rule `outside-perimeter`: a wall outside of the function, where somebody asked for one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from shielded_function import ShieldChecks, ShieldedFunction, ShieldError, ShieldPerimeter, ShieldPolicy
from shielded_function.checks import Finding, check, read_assembly

Props = dict[str, Any]


def findings(app: cdk.App, *globs: str) -> list[Finding]:
    report = check(read_assembly(Path(app.synth(force=True).directory)), perimeter=globs)
    return [finding for finding in report.findings if finding.rule == "outside-perimeter"]


@pytest.fixture
def shop(app: cdk.App) -> cdk.Stack:
    return cdk.Stack(app, "Shop", env=cdk.Environment(account="111122223333", region="eu-west-1"))


@pytest.fixture
def vpc(shop: cdk.Stack) -> ec2.Vpc:
    return ec2.Vpc(shop, "Vpc", max_azs=2)


def test_nobody_asked(app: cdk.App, shop: cdk.Stack, props: Props) -> None:
    ShieldedFunction(shop, "Checkout", **props)
    assert findings(app) == []
    assert findings(app, "Shop/Checkout")[0].severity == "error"


def test_a_covered_function_is_well(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, props: Props) -> None:
    ShieldedFunction(shop, "Checkout", vpc=vpc, **props)
    ShieldPerimeter(shop, vpc=vpc)
    assert findings(app, "Shop") == []


@pytest.mark.promise("perimeter.required")
def test_what_is_missing_is_said(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, props: Props) -> None:
    ShieldedFunction(shop, "Outside", **props)
    ShieldedFunction(shop, "Inside", vpc=vpc, **props)
    found = {each.place.path: each.message for each in findings(app, "Shop")}
    assert found == {
        "Shop/Outside": "Shop/Outside: it is in no VPC, so nothing outside of its process limits it: give it vpc=",
        "Shop/Inside": "Shop/Inside: no ShieldPerimeter covers it: make a ShieldPerimeter of its VPC, and let its "
        "functions= name it",
    }


def test_a_perimeter_that_only_alerts(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, props: Props) -> None:
    ShieldedFunction(shop, "Checkout", vpc=vpc, policy=ShieldPolicy.report_only(), **props)
    ShieldPerimeter(shop, "Wall", vpc=vpc, mode="alert")
    [found] = findings(app, "Shop")
    assert found.problem == "its perimeter, Shop/Wall, only alerts"


@pytest.mark.promise("perimeter.required")
def test_a_perimeter_whose_firewall_is_gone(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, props: Props) -> None:
    """The mark alone is not believed: what would be deployed is read."""
    ShieldedFunction(shop, "Checkout", vpc=vpc, **props)
    wall = ShieldPerimeter(shop, "Wall", vpc=vpc)
    assert wall.node.try_remove_child("RulesOfVpc")
    assert [each.problem for each in findings(app, "Shop")] == ["no ShieldPerimeter covers it"]


def test_a_glob_that_matches_nothing(app: cdk.App, shop: cdk.Stack, props: Props) -> None:
    ShieldedFunction(shop, "Checkout", **props)
    assert [each.problem for each in findings(app, "Shopp")] == ["perimeter: 'Shopp' matches no shielded function"]


def test_the_plugin_stops_the_synthesis(app: cdk.App, shop: cdk.Stack, props: Props) -> None:
    ShieldedFunction(shop, "Checkout", **props)
    cdk.Validations.of(app).add_plugins(ShieldChecks(perimeter=["Shop"]))
    with pytest.raises((RuntimeError, SystemExit)):
        app.synth()


def test_one_text_is_refused() -> None:
    with pytest.raises(ShieldError, match=r"ShieldChecks.perimeter: 'Shop' is one text; write a list: \['Shop'\]"):
        ShieldChecks(perimeter="Shop")


def test_a_perimeter_tells_accounts_apart(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, props: Props) -> None:
    """Of what it covers in production, any of AWS's services may be allowed."""
    ShieldedFunction(shop, "Checkout", vpc=vpc, policy=ShieldPolicy(allow_aws="all"), **props)
    ShieldPerimeter(shop, vpc=vpc)
    assembly = read_assembly(Path(app.synth(force=True).directory))
    found = {walls: check(assembly, ["Shop"], walls).findings for walls in ((), ("Shop",))}
    assert ["any-account" in {finding.rule for finding in each} for each in found.values()] == [True, False]
