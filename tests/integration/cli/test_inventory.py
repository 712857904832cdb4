"""`shielded-function inventory` against moto: what it finds in an account, and what it says where it may not look."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest

from harness.alert_lines import armed
from integration.cli.insights_account import Account, ago, denying
from integration.cli.moto_account import REGION, SHIELDED
from integration.cli.test_learn import write_assembly
from integration.emulator.test_cloud_assembly import function
from shielded_function.cli import inventory
from shielded_function.cli.aws import call
from shielded_function.cli.failures import CliError
from shielded_function.cli.options import Inventory, Selection
from shielded_function.layer.archive import layer_zip
from shielded_function_monitoring.filters import NAMESPACE

pytestmark = pytest.mark.promise("cli.inventory")

HERE = Inventory(regions=[REGION])


def found(capsys: pytest.CaptureFixture[str], options: Inventory = HERE, status: int = 0) -> dict[str, dict[str, Any]]:
    """The functions by name, as JSON has them."""
    assert inventory.run(options, json=True) == status
    return {each["name"]: each for each in json.loads(capsys.readouterr().out)["functions"]}


def publish(aws: Account, name: str, content: bytes) -> str:
    return aws.functions.publish_layer_version(LayerName=name, Content={"ZipFile": content})["LayerVersionArn"]


def other_layer() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("shielded-function/shield", "an earlier one")
    return packed.getvalue()


def alarm(name: str, function: str, **more: Any) -> None:
    metric = {"Namespace": NAMESPACE, "MetricName": "Violations", "Statistic": "Sum", "Period": 60}
    boto3.client("cloudwatch", region_name=REGION).put_metric_alarm(
        AlarmName=name,
        Dimensions=[{"Name": "FunctionName", "Value": function}],
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        **(metric | more),
    )


TOPIC = f"arn:aws:sns:{REGION}:123456789012:topic"


@pytest.fixture
def shop(aws: Account) -> Account:
    """A function with all that can be required, one with an older layer in another mode, and one without a shield."""
    ours, older = publish(aws, "ShieldedFunctionLayer", layer_zip("x86_64")), publish(aws, "shield-old", other_layer())
    aws.make("pay", Layers=[ours])
    aws.make("refund", Layers=[older], variables={**SHIELDED, "SHIELD_READ_WRITE_TMP": "alert"}, Tags={"team": "money"})
    aws.make("mail", variables={}, Tags={"team": "post"})
    aws.write("/aws/lambda/pay", [armed(time=ago(hours=5), function="pay"), armed(time=ago(hours=3), function="pay")])
    alarm("pay-violations", "pay", AlarmActions=[TOPIC])
    alarm("refund-without-actions", "refund")
    return aws


def test_what_it_finds(shop: Account, capsys: pytest.CaptureFixture[str]) -> None:
    functions = found(capsys)
    pay, refund, mail = (functions[name] for name in ("pay", "refund", "mail"))
    assert pay["layer"] == "ShieldedFunctionLayer:1"
    assert pay["last_armed"] == ago(hours=3)
    assert pay["alarms"] == ["pay-violations"]
    assert (pay["problems"], pay["unknown"]) == ({}, {})
    assert refund["modes"]["read_write_tmp"] == "alert"
    assert refund["problems"] == {
        "layer": "shield-old:1 does not hold the shield of this package",
        "block": "read_write_tmp is alert",
        "armed": "no start with the shield in 7d",
        "alarm": "no alarm with an action watches it",
    }
    assert mail["problems"] == {"shield": "it is not shielded"}
    assert not mail["shielded"]
    questions = [each for each in shop.asked if "armed" in each["queryString"]]
    assert sum(len(each["logGroupNames"]) for each in questions) <= 3  # one that is missing is left out


def test_a_start_in_the_log_of_another_function_is_forged(shop: Account, capsys: pytest.CaptureFixture[str]) -> None:
    shop.write("/aws/lambda/pay", [armed(time=ago(hours=1), function="refund")])
    assert inventory.run(HERE._replace(require=["armed"]), json=True) == 1
    answer = json.loads(capsys.readouterr().out)
    [refund] = [each for each in answer["functions"] if each["name"] == "refund"]
    assert (refund["last_armed"], "armed" in refund["problems"]) == ("", True)
    assert "lines in the log group /aws/lambda/pay say that they are of refund" in str(answer["notes"])


@pytest.mark.parametrize("required", ["shield", "layer", "block", "armed", "alarm"])
def test_require_fails_where_it_does_not_hold(required: str, shop: Account, capsys: pytest.CaptureFixture[str]) -> None:
    found(capsys, HERE._replace(require=[required]), status=1)
    pay = HERE._replace(require=[required], selection=Selection(["pay"]))
    found(capsys, pay)


def test_names_globs_and_tags_select(shop: Account, capsys: pytest.CaptureFixture[str]) -> None:
    def selected(*names: str, tags: tuple[str, ...] = ()) -> set[str]:
        return {*found(capsys, HERE._replace(selection=Selection(names, tags)))}

    assert selected("pa*", "mail") == {"pay", "mail"}
    assert selected(tags=("team=money",)) == {"refund"}
    assert selected("pay", tags=("team",)) == set()
    assert selected(tags=("team",)) == {"refund", "mail"}


def test_a_composite_alarm_acts_for_those_it_names(
    shop: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto has none."""
    composite = {"AlarmName": "any", "AlarmRule": 'ALARM("refund-without-actions")', "AlarmActions": [TOPIC]}

    def played(*positional: Any, **named: Any) -> Any:
        return [composite] if named.get("AlarmTypes") == ["CompositeAlarm"] else call(*positional, **named)

    monkeypatch.setattr("shielded_function.cli.inventory.call", played)
    assert found(capsys)["refund"]["alarms"] == ["refund-without-actions"]


def test_an_older_version_behind_an_alias(shop: Account, capsys: pytest.CaptureFixture[str]) -> None:
    client = shop.functions
    version = client.publish_version(FunctionName="mail")["Version"]
    client.create_alias(FunctionName="mail", Name="live", FunctionVersion=version)
    client.update_function_configuration(FunctionName="mail", Environment={"Variables": SHIELDED})
    problem = found(capsys, HERE._replace(require=["alias"]), status=1)["mail"]["problems"]["alias"]
    assert problem == f"live (version {version}) differs: it is not shielded"


def test_runtime_updates_of_production(shop: Account, capsys: pytest.CaptureFixture[str]) -> None:
    production = HERE._replace(production=["pay"], require=["runtime"])
    assert "FUNCTION_UPDATE" in found(capsys, production, status=1)["pay"]["problems"]["runtime"]
    shop.runtime_updates["pay"] = "FunctionUpdate"
    found(capsys, production)


def test_drift_from_the_assembly(shop: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    in_template = {**SHIELDED, "SHIELD_READ_HANDLER": {"Ref": "Mode"}, "SHIELD_READ_WRITE_TMP": "block"}
    functions = {
        each.title(): function(FunctionName=each, Environment={"Variables": in_template}) for each in ("pay", "refund")
    }
    drift = HERE._replace(assembly=write_assembly(tmp_path, ("Shop", "Shop", functions)), require=["drift"])
    told = found(capsys, drift, status=1)
    assert told["refund"]["problems"]["drift"] == "SHIELD_READ_WRITE_TMP: block -> alert"
    assert "drift" not in told["pay"]["problems"]


@pytest.mark.parametrize(
    ("operation", "unknown", "needs"),
    [
        ("DescribeAlarms", "alarm", "cloudwatch:DescribeAlarms"),
        ("GetLayerVersion", "layer", "lambda:GetLayerVersion"),
        ("ListAliases", "alias", "lambda:ListAliases"),
        ("StartQuery", "armed", "logs:StartQuery"),
        ("GetRuntimeManagementConfig", "runtime", "lambda:GetRuntimeManagementConfig"),
    ],
)
def test_a_missing_right_is_told_and_is_no_answer(
    operation: str, unknown: str, needs: str, shop: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.refuse = denying(operation)
    options = HERE._replace(selection=Selection(["pay"]), production=["pay"])
    assert f"you need {needs}" in found(capsys, options)["pay"]["unknown"][unknown]
    found(capsys, options._replace(require=[unknown]), status=1)
    inventory.run(options, json=False)
    assert f"{unknown} unknown: " in capsys.readouterr().out


def test_without_the_right_to_list_it_fails(aws: Account) -> None:
    aws.refuse = denying("ListFunctions", code="ThrottlingException")
    with pytest.raises(CliError, match="the functions: AWS asks for fewer requests"):
        inventory.run(HERE, json=False)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (HERE._replace(require=["shields"]), "--require shields: unknown; known are shield, layer"),
        (HERE._replace(require=["drift"]), "--require drift needs --assembly"),
        (HERE._replace(require=["runtime"]), "--require runtime needs --production"),
        (HERE._replace(selection=Selection(tags=["=x"])), "--tag =x: write KEY=VALUE"),
    ],
)
def test_wrong_options(options: Inventory, says: str, aws: Account) -> None:
    with pytest.raises(CliError, match=says):
        inventory.run(options, json=False)


def test_the_table_fits_80_columns(
    shop: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    inventory.run(HERE, json=False)
    said = capsys.readouterr().out
    assert all(len(line) <= 80 for line in said.splitlines()), said
    assert "3 functions, 2 shielded" in said
