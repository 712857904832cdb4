"""docs/reference/iam-permissions.md names the actions that the commands call, and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.alert_lines import connect
from integration.cli.insights_account import Account, account, ago, denying
from integration.cli.moto_account import REGION
from shielded_function.cli import alerts, inventory, learn, report, set_mode
from shielded_function.cli.failures import CliError
from shielded_function.cli.options import Alerts, Inventory, Learn, Page, Place, Selection, SetMode, Where

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "iam-permissions.md"
HERE = Place(REGION)
GROUP = "/aws/lambda/checkout"


def documented(heading: str) -> set[str]:
    """The actions of the policy below a heading."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    (block,) = re.findall("```json\n(.*?)```", section, re.DOTALL)
    found: set[str] = set()
    for statement in json.loads(block)["Statement"]:
        actions = statement["Action"]
        found |= {actions} if isinstance(actions, str) else set(actions)
    return found


@pytest.fixture(scope="module")
def all_in_one() -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch, account(patch) as made:
        made.make("checkout", "refund")
        made.stacks["Shop"] = ("checkout", "refund")
        for name in made.stacks["Shop"]:
            made.write(f"/aws/lambda/{name}", [connect("a.example", time=ago(hours=1), function=name)])
            made.count(f"/aws/lambda/{name}", name)
        yield made


@pytest.fixture
def aws(all_in_one: Account) -> Account:
    all_in_one.calls.clear()
    all_in_one.refuse = lambda operation, arguments: None
    return all_in_one


# With the actions besides the two for Logs Insights, as the page's table has it.
SOURCES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "a log group": ({"log_groups": [GROUP]}, set()),
    "a function": ({"functions": ["checkout"]}, {"lambda:GetFunctionConfiguration"}),
    "a stack": (
        {"stacks": ["Shop"]}, {"lambda:GetFunctionConfiguration", "cloudformation:ListStackResources"},
    ),
    "all": ({}, {"logs:DescribeMetricFilters"}),
}  # fmt: skip
COMMANDS: dict[str, Callable[[Where, Path], int]] = {
    "alerts": lambda where, folder: alerts.alerts(where, Alerts(), json=True),
    "alerts --lines": lambda where, folder: alerts.alerts(where, Alerts(lines=True), json=True),
    "learn": lambda where, folder: learn.run(where, Learn(), json=True),
    "report": lambda where, folder: report.report(where, Page(output=str(folder / "report.html")), json=False),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_command_calls(aws: Account, tmp_path: Path, name: str) -> None:
    for source, (where, more) in SOURCES.items():
        aws.calls.clear()
        COMMANDS[name](Where(**where, place=HERE), tmp_path)
        assert set(aws.calls) == {"logs:StartQuery", "logs:GetQueryResults"} | more, source
        assert set(aws.calls) <= documented("alerts, learn, report")


def test_what_is_documented_is_called(aws: Account) -> None:
    for where, _ in SOURCES.values():
        alerts.alerts(Where(**where, place=HERE), Alerts(), json=True)
    aws.refuse = denying("GetQueryResults")
    with pytest.raises(CliError):
        alerts.alerts(Where(log_groups=[GROUP], place=HERE), Alerts(), json=True)
    assert set(aws.calls) == documented("alerts, learn, report")


def test_follow(aws: Account) -> None:
    messages = alerts._new_messages(Where(log_groups=[GROUP], since="2h", place=HERE), lambda seconds: None)
    assert "a.example" in next(messages)
    assert set(aws.calls) == documented("alerts --follow")


def test_set_mode(aws: Account) -> None:
    set_mode.set_mode(SetMode(["checkout", "read_handler=alert"], yes=True, place=HERE), json=True)
    set_mode.set_mode(SetMode(["*", "read_handler=allow"], ["team"], yes=True, place=HERE), json=True)
    called = set(aws.calls) - {"lambda:GetFunction"}  # of the waiter
    assert called == documented("set-mode")


def test_inventory(aws: Account) -> None:
    aws.functions.publish_version(FunctionName="checkout")
    aws.functions.create_alias(FunctionName="checkout", Name="live", FunctionVersion="1")
    arn = aws.functions.publish_layer_version(LayerName="shield", Content={"ZipFile": b"x"})["LayerVersionArn"]
    aws.functions.update_function_configuration(FunctionName="checkout", Layers=[arn])
    tagged = Selection(tags=["team=money"])
    for function in ("checkout", "refund"):
        aws.functions.tag_resource(
            Resource=f"arn:aws:lambda:{REGION}:123456789012:function:{function}", Tags={"team": "money"}
        )
    aws.calls.clear()
    inventory.run(Inventory(tagged, production=["*"], regions=[REGION]), json=True)
    assert set(aws.calls) == documented("inventory") - {"logs:StopQuery"}  # of an interrupt
