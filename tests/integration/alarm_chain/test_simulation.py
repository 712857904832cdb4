"""`shielded_function.testing`'s simulated CloudWatch: of apps, stages, stacks, templates and folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from harness.function_template import sns_action
from integration.alarm_chain.real import checkout, new_app
from shielded_function import AlarmOptions, ShieldError
from shielded_function.testing import simulate_cloudwatch

pytestmark = pytest.mark.promise("alarm.simulated")

VIRGINIA = cdk.Environment(account="111111111111", region="us-east-1")
IRELAND = cdk.Environment(account="111111111111", region="eu-west-1")


def stack(scope: Any, name: str, env: cdk.Environment | None = None) -> cdk.Stack:
    made = cdk.Stack(scope, name, env=env)
    checkout(made, AlarmOptions(actions=[sns_action(made, "OnCall")]))
    return made


def test_the_same_from_every_source(tmp_path: Path) -> None:
    """That of a folder calls, by test_end_to_end.py."""
    made = new_app(tmp_path)
    shop = stack(made, "Shop")
    made.synth()
    for source in (shop, tmp_path, tmp_path / "Shop.template.json"):
        cloudwatch = simulate_cloudwatch(source)
        assert (cloudwatch.problems, cloudwatch.unfed()) == ((), ())
        assert cloudwatch.function("Shop/Checkout") == cloudwatch.functions[0]
        assert [alarm.place.path.rpartition("/")[0] for alarm in cloudwatch.alarms] == ["Shop/Checkout/Shield"] * 2
        (topic,) = {action for alarm in cloudwatch.alarms for action in alarm.actions["ALARM"]}
        assert topic.rpartition(":")[2].partition("-")[2].startswith("OnCall")


def test_one_region_of_several(tmp_path: Path) -> None:
    made = new_app(tmp_path)
    stage = cdk.Stage(made, "Live")
    home, away = stack(stage, "Home", VIRGINIA), stack(stage, "Away", IRELAND)
    with pytest.raises(ValueError, match="111111111111 in us-east-1, 111111111111 in eu-west-1"):
        simulate_cloudwatch(made)
    assert [f.place.path for f in simulate_cloudwatch(made, region="eu-west-1").functions] == ["Live/Away/Checkout"]
    for found, region in ((home, "us-east-1"), (away, "eu-west-1")):
        cloudwatch = simulate_cloudwatch(found)
        assert [alarm.arn.split(":")[3:5] for alarm in cloudwatch.alarms] == [[region, "111111111111"]] * 2


def test_what_is_no_source() -> None:
    with pytest.raises(ShieldError, match="source: 7 is no template"):
        simulate_cloudwatch(7)  # pyright: ignore[reportArgumentType]
