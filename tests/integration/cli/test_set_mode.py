"""`shielded-function set-mode` against moto: what it changes, what it keeps, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
from typing import Any
from unittest.mock import MagicMock

import pytest

from integration.cli.insights_account import Account, denying
from integration.cli.moto_account import REGION, SHIELDED, moto_account
from integration.cli.running import command
from shielded_function.cli import set_mode
from shielded_function.cli.aws import client
from shielded_function.cli.failures import CliError
from shielded_function.cli.modes import MODES, POLICIES, in_alert_mode
from shielded_function.cli.options import Place, SetMode
from shielded_function.policy import ShieldPolicy
from shielded_function.policy.fields import setting_of

pytestmark = pytest.mark.promise("cli.templates")

YES = SetMode((), yes=True, place=Place(REGION))
ALERT = ["read_handler=alert"]
ARN = f"arn:aws:lambda:{REGION}:123456789012:function:checkout"


def change(function: str, modes: list[str], options: SetMode = YES, *, json: bool = False) -> int:
    return set_mode.set_mode(options._replace(words=[function, *modes]), json=json)


@pytest.fixture
def checkout(aws: Account) -> Any:
    """A client, and a shielded function."""
    aws.make("checkout", Timeout=17, MemorySize=512, Description="takes payments")
    return aws.functions


def variables(client: Any) -> dict[str, str]:
    return client.get_function_configuration(FunctionName="checkout")["Environment"]["Variables"]


def test_only_the_mode_is_changed(checkout: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = checkout.get_function_configuration(FunctionName="checkout")
    assert change("checkout", ["outbound_connectivity=alert"]) == 0
    after = checkout.get_function_configuration(FunctionName="checkout")
    assert after["Environment"]["Variables"] == {**SHIELDED, "SHIELD_OUTBOUND_CONNECTIVITY": "alert"}
    for changing in ("Environment", "RevisionId", "LastModified", "ResponseMetadata"):
        before.pop(changing, None)
        after.pop(changing, None)
    assert before == after
    said = capsys.readouterr().out
    assert "outbound_connectivity: block -> alert" in said
    assert "A deployment that updates this function restores the template's mode" in said
    assert f"to undo: shielded-function set-mode checkout outbound_connectivity=block --region {REGION}" in said


def test_several_at_once_and_back_again(checkout: Any, capsys: pytest.CaptureFixture[str]) -> None:
    changes = ["read_write_tmp=allow", "SHIELD_READ_HANDLER=alert", "executable_memory=block"]
    assert change(ARN, changes, json=True) == 0
    (told,) = json.loads(capsys.readouterr().out)["functions"]
    assert told["changed"] is True
    assert [tuple(each.values()) for each in told["changes"]] == [
        ("read_write_tmp", "block", "allow"),
        ("read_handler", "block", "alert"),
        ("executable_memory", "", "block"),
    ]
    assert variables(checkout) != SHIELDED
    words = told["undo"].split()
    assert words[:3] == ["shielded-function", "set-mode", ARN]
    assert words[3:6] == ["read_write_tmp=block", "read_handler=block", "executable_memory=default"]
    assert change("checkout:$LATEST", words[3:6], json=True) == 0
    assert variables(checkout) == SHIELDED


def test_throttled_requests_are_tried_as_often_as_others() -> None:
    assert client("lambda", Place(REGION)).meta.config.retries["total_max_attempts"] == 9


def test_what_changes_nothing(aws: Account, checkout: Any, capsys: pytest.CaptureFixture[str]) -> None:
    aws.refuse = denying("UpdateFunctionConfiguration", code="NobodyAskedForThis")
    assert change("checkout", ALERT, YES._replace(dry_run=True)) == 0
    said = capsys.readouterr().out
    assert "read_handler: block -> alert" in said
    assert "dry run: nothing was changed" in said
    assert change("checkout", ["read_handler=block"]) == 0
    assert "nothing to change" in capsys.readouterr().out


def test_versions_behind_aliases_are_named(aws: Account, checkout: Any, capsys: pytest.CaptureFixture[str]) -> None:
    one = checkout.publish_version(FunctionName="checkout")["Version"]
    checkout.create_alias(FunctionName="checkout", Name="prod", FunctionVersion=one)
    checkout.create_alias(FunctionName="checkout", Name="dev", FunctionVersion="$LATEST")
    assert change("checkout", ALERT) == 0
    said = capsys.readouterr().out
    assert f"version {one}, to which the alias prod leads, keeps its modes" in said
    assert "dev" not in said
    aws.refuse = denying("ListAliases")
    assert change("checkout", ["read_handler=allow"]) == 0
    assert "its aliases are unknown: checkout: you need lambda:ListAliases" in capsys.readouterr().out
    assert variables(checkout)["SHIELD_READ_HANDLER"] == "allow"


ENCRYPTED = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "no kms:Decrypt"}}
NOT_SHIELDED = "checkout is not shielded: its AWS_LAMBDA_EXEC_WRAPPER is not /opt/shielded"
IN_THE_FILE = {"Variables": {**SHIELDED, "SHIELD_POLICY_FILE": "/opt/policy"}}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, NOT_SHIELDED),
        ({"Variables": {**SHIELDED, "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"}}, NOT_SHIELDED),
        (IN_THE_FILE, "SHIELD_EXECUTABLE_MEMORY is not in its environment and may be in the"),
        (ENCRYPTED, r"its variables cannot be read \(no kms:Decrypt\): allow kms:Decrypt"),
    ],
)
def test_what_cannot_be_changed(environment: dict[str, Any], said: str) -> None:
    with pytest.raises(CliError, match=said):
        set_mode.plan("checkout", {"Environment": environment}, {"executable_memory": "alert"})
    assert set_mode.plan("checkout", {"Environment": IN_THE_FILE}, {"read_handler": "alert"})


def test_what_aws_refuses(aws: Account) -> None:
    with pytest.raises(CliError, match="checkout: it does not exist in this account and region"):
        change("checkout", ALERT)
    aws.make("checkout")
    for operation, code, said in (
        ("GetFunctionConfiguration", "AccessDeniedException", "you need lambda:GetFunctionConfiguration: "),
        ("UpdateFunctionConfiguration", "AccessDeniedException", "you need lambda:UpdateFunctionConfiguration: "),
        ("UpdateFunctionConfiguration", "ResourceConflictException", "another update of it is running: wait"),
        ("UpdateFunctionConfiguration", "PreconditionFailedException", "it was changed in the meantime: review it"),
        ("UpdateFunctionConfiguration", "InvalidParameterValueException", "InvalidParameterValueException of the test"),
    ):
        aws.refuse = denying(operation, code=code)
        with pytest.raises(CliError, match=said):
            change("checkout", ALERT)


@pytest.fixture
def shop(aws: Account) -> Account:
    """Two shielded functions of a team, one of another, and one without a shield."""
    aws.make("shop-pay", "shop-refund", Tags={"team": "money"})
    aws.make("mail", Tags={"team": "post"})
    aws.make("shop-plain", variables={}, Tags={"team": "money"})
    return aws


def in_alert(aws: Account) -> set[str]:
    functions = aws.functions.list_functions()["Functions"]
    variables = {each["FunctionName"]: each.get("Environment", {}).get("Variables", {}) for each in functions}
    return {name for name, found in variables.items() if found.get("SHIELD_READ_HANDLER") == "alert"}


@pytest.mark.parametrize(
    ("selected", "changed"),
    [
        ({"words": ["shop-*", *ALERT]}, {"shop-pay", "shop-refund"}),
        ({"words": ["shop-pay", "mail", *ALERT]}, {"shop-pay", "mail"}),
        ({"words": ALERT, "tags": ["team=post"]}, {"mail"}),
        ({"words": ["*-pay", *ALERT], "tags": ["team=money"]}, {"shop-pay"}),
        ({"words": ALERT, "every": True}, {"shop-pay", "shop-refund", "mail"}),
    ],
)
def test_several_functions(
    selected: dict[str, Any], changed: set[str], shop: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set_mode.set_mode(YES._replace(**selected), json=True) == 0
    assert in_alert(shop) == changed
    told = json.loads(capsys.readouterr().out)["functions"]
    assert {each["function"] for each in told if each["changed"]} == changed


def test_one_that_fails_is_told_and_stops_no_other(shop: Account, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(operation: str, arguments: dict[str, Any]) -> None:
        if arguments.get("FunctionName") == "shop-pay":
            denying("UpdateFunctionConfiguration")(operation, arguments)

    shop.refuse = refuse
    assert set_mode.set_mode(YES._replace(words=["shop-*", *ALERT]), json=False) == 2
    assert in_alert(shop) == {"shop-refund"}
    said = capsys.readouterr()
    assert "shop-pay: you need lambda:UpdateFunctionConfiguration" in said.out
    assert "shop-refund: changed" in said.out
    assert "3 functions are selected; 1 of them are not shielded, and left out" in said.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (YES._replace(words=["shop-pay"]), "shop-pay: write control=mode"),
        (YES._replace(words=ALERT), "name a function, a glob"),
        (YES._replace(words=["x", *ALERT], every=True), "--all is every function: name none"),
    ],
)
def test_what_is_not_named(options: SetMode, said: str, aws: Account) -> None:
    with pytest.raises(CliError, match=said):
        set_mode.set_mode(options, json=False)


def test_the_revision_that_was_read_is_the_one_that_is_changed() -> None:
    """moto knows no revisions."""
    client = MagicMock()
    read = {"Environment": {"Variables": SHIELDED}, "RevisionId": "r-1"}
    set_mode._update(client, set_mode.Target("checkout", read, [set_mode.Change("read_handler", "block", "alert")]))
    asked = client.update_function_configuration.call_args.kwargs
    variables = {**SHIELDED, "SHIELD_READ_HANDLER": "alert"}
    assert asked == {"FunctionName": "checkout", "Environment": {"Variables": variables}, "RevisionId": "r-1"}


def test_the_command_asks_first() -> None:
    with moto_account() as (here, client):
        arguments = ("set-mode", "checkout", "outbound_connectivity=alert")

        nobody = command(*arguments, environment=here)
        assert nobody.returncode == 2
        assert "shielded-function: no terminal for the confirmation: add --yes, or --dry-run" in nobody.stderr
        declined = command(*arguments, environment=here, stdin="n\n")
        assert (declined.returncode, "nothing was changed" in declined.stderr) == (1, True)
        assert variables(client) == SHIELDED

        agreed = command(*arguments, "--json", environment=here, stdin="y\n")
        assert agreed.returncode == 0, agreed.stderr
        assert json.loads(agreed.stdout)["functions"][0]["changed"] is True
        assert variables(client)["SHIELD_OUTBOUND_CONNECTIVITY"] == "alert"


def test_the_table_has_every_field_with_a_mode() -> None:
    fields = {field.name for field in dataclasses.fields(ShieldPolicy) if field.type in ("Mode", "Mode | None")}
    assert set(POLICIES) == fields
    assert {name: getattr(ShieldPolicy(), name) or "" for name in POLICIES} == dict(POLICIES)
    for policy in POLICIES:
        for mode in MODES:
            assert getattr(ShieldPolicy.from_env({setting_of(policy): mode}), policy) == mode


def test_alert_mode_keeps_the_lists_and_what_is_allowed() -> None:
    policy = ShieldPolicy(allow_outbound=["a.example"], read_write_tmp="allow", executable_memory="block")
    changed = ShieldPolicy.from_env(in_alert_mode(policy.to_env()))
    assert changed == ShieldPolicy(
        allow_outbound=["a.example"],
        allow_aws="all",
        outbound_connectivity="alert",
        read_write_tmp="allow",
        create_child_process="alert",
        executable_memory="alert",
    )
    assert "SHIELD_READ_HANDLER" not in in_alert_mode({"SHIELD_POLICY_FILE": "/opt/policy"})
