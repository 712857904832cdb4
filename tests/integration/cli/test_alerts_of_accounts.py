"""`shielded-function alerts`: from an account's log groups."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws
from moto.core.botocore_stubber import MockRawResponse as RawResponse
from typer.testing import CliRunner

from harness.alert_lines import alert, armed, connect, refused, tmp
from harness.function_template import sns_action
from harness.thinning import long_but
from integration.alarm_chain.real import checkout
from integration.cli.alert_logs import GROUP, HERE, log, packages_log, told
from integration.cli.insights_account import Account, ago, denying
from integration.cli.moto_account import CREDENTIALS, REGION
from shielded_function import AlarmOptions, ControlAlarm, ShieldMonitoring
from shielded_function.cli import alerts, learn, report
from shielded_function.cli.app import app as cli
from shielded_function.cli.aws import call, client
from shielded_function.cli.failures import CliError
from shielded_function.cli.options import Alerts, Learn, Page, Where
from shielded_function.testing import simulate_cloudwatch
from shielded_function_monitoring.alert import POLICIES
from shielded_function_monitoring.cfn.values import Resolver
from shielded_function_monitoring.queries import function_link

pytestmark = pytest.mark.promise("cli.logs")


@pytest.fixture
def shop(aws: Account) -> Account:
    """With a stack of two functions, of which one has a log."""
    aws.make("checkout", "refund")
    aws.stacks["Shop"] = ("checkout", "refund")
    aws.write(GROUP, log())
    aws.calls.clear()
    return aws


A_GROUP: dict[str, Any] = {"log_groups": [GROUP]}
STACK: dict[str, Any] = {"stacks": ["Shop"]}
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(aws: Account, capsys: pytest.CaptureFixture[str]) -> Ask:
    """What `alerts --json` prints of a log group, or of what is named."""

    def run(options: Alerts = Alerts(), where: Mapping[str, Any] = A_GROUP) -> dict[str, Any]:  # noqa: B008
        assert alerts.alerts(Where(**where, place=HERE), options, json=True) == 3
        return told(capsys)

    return run


def test_learn_and_report_from_a_log_group(aws: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = ago(days=3)
    old = [connect("api.stripe.com", time=began)] * 3
    aws.write(GROUP, [armed(began), *old, connect("b.example", time=ago(hours=2))])
    assert learn.run(Where(**A_GROUP, place=HERE), Learn(), json=True) == 0
    (function,) = told(capsys)["functions"]
    assert function["policy"] == {"allow_outbound": ["api.stripe.com:443", "b.example:443"]}
    assert function["entries"][0]["evidence"]["days"] == 1
    options = Page(str(tmp_path / "made"))
    assert report.report(Where(**A_GROUP, since="1d", place=HERE), options, json=True) == 0
    made = json.loads((tmp_path / "made").read_text())
    assert [(each["target"], each["count"]) for each in made["groups"]] == [("b.example:443", 1)]
    assert [each["begun"][:13] for each in made["periods"]] == [ago(hours=2)[:13].replace("T", " ")], "by the hour"
    assert [asked["endTime"] - asked["startTime"] for asked in aws.asked][:2] == [14 * 86400, 86400]


@pytest.mark.parametrize("by", ["target", "function", "policy", "package"])
def test_the_same_as_from_a_file(aws: Account, ask: Ask, tmp_path: Path, by: Any) -> None:
    lines = [*log(), *packages_log(ago(hours=1))]
    aws.write(GROUP, lines)
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    said = ask(Alerts(by))
    assert said["groups"] == ask(Alerts(by), {"files": [str(tmp_path / "log")]})["groups"] != []
    assert said["sources"] == [GROUP]
    (asked,) = aws.asked
    assert asked["endTime"] - asked["startTime"] == 24 * 3600
    chain = "caller.package, caller.through.1, caller.through.2"
    assert (chain in asked["queryString"]) == (by in ("package", "target"))


def test_a_function_is_asked_where_it_logs(aws: Account, ask: Ask) -> None:
    aws.make("checkout")
    aws.log_groups["checkout"] = "shared"
    aws.write("shared", [*log(), tmp("/tmp/other", ago(hours=1), function="other")])
    aws.calls.clear()
    said = ask(where={"functions": ["checkout"]})
    assert said["violations"] == 24, "lines of others in the same log group are not the function's"
    assert aws.calls[0] == "lambda:GetFunctionConfiguration"


def test_a_stack(shop: Account, ask: Ask) -> None:
    """Lambda makes a log group at the first invocation, and Insights answers for no log group if one is not there."""
    said = ask(Alerts("function"), STACK)
    assert [(group["function"], group["violations"]) for group in said["groups"]] == [("checkout", 24)]
    assert said["notes"] == ["missing log groups: /aws/lambda/refund: did the function ever run?"]
    shop.write("/aws/lambda/refund", [tmp("/tmp/y", ago(hours=1), function="refund")])
    said = ask(Alerts("function"), STACK)
    assert [(group["function"], group["violations"]) for group in said["groups"]] == [("checkout", 24), ("refund", 1)]
    shop.stacks |= {"Empty": (), "Outer": ("Shop",)}
    assert ask(Alerts("function"), {"stacks": ["Outer"]})["groups"] == said["groups"]
    with pytest.raises(CliError, match="the stack Empty has no function"):
        ask(where={"stacks": ["Empty"]})


def test_all_that_is_shielded(aws: Account, ask: Ask) -> None:
    """Where nothing is named: each log group with a filter of the shield's, as the functions that it names."""
    with pytest.raises(CliError, match="no log group here has a metric filter of ShieldedFunction; name a source: f"):
        ask(where={})
    for name in ("checkout", "refund", "other"):
        aws.write(f"/aws/lambda/{name}", [connect("a.example", time=ago(hours=1), function=name)])
    aws.write("shared", [tmp("/tmp/x", ago(hours=1), function=name) for name in ("one", "two", "strange")])
    aws.count("/aws/lambda/checkout", "checkout")
    aws.count("/aws/lambda/refund")
    aws.count("shared", "one", "two")
    groups = ask(Alerts("function"), {})["groups"]
    assert {group["function"] for group in groups} == {"checkout", "refund", "one", "two"}


ALARMS: dict[str, dict[str, Any]] = {
    "function": {},
    "control": {"granularity": "control"},
    "fleet": {"granularity": "fleet"},
    "severities": {"severities": {"critical": [], "warning": [], "notice": []}},
    "one call": {"granularity": "fleet", "contributors": False},
}


def _texts(stack: cdk.Stack) -> dict[str, str]:
    """The descriptions of a stack's alarms, by their names."""
    resolver = Resolver("Shop", Template.from_stack(stack).to_json())
    made = [each.get("Properties", {}) for each in resolver.template["Resources"].values()]
    told = [resolver.resolve([each["AlarmName"], each["AlarmDescription"]]) for each in made if "AlarmName" in each]
    return dict(told)


@pytest.mark.parametrize("alarms", long_but([*ALARMS][:2], ALARMS))
def test_each_link_and_command_of_an_alarm_works(
    aws: Account, alarms: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = cdk.App()
    stack = cdk.Stack(app, "Shop", env=cdk.Environment(account="123456789012", region=REGION))
    on = ControlAlarm(except_hosts=["telemetry.example"])
    options = AlarmOptions(**ALARMS[alarms], outbound_connectivity=on)
    for name in ("Checkout", "Refund"):
        checkout(stack, options, name)
    fleet = options.granularity == "fleet"
    over_all: Any = {"alarms": options if fleet else AlarmOptions(enabled=False)}
    ShieldMonitoring(stack, heartbeat_actions=[sns_action(stack, "Topic")], **over_all)
    cloudwatch = simulate_cloudwatch(app)
    for function in map(cloudwatch.function, ("Shop/Checkout", "Shop/Refund")):
        aws.log_groups[function.name] = function.log_group
        who: Any = {"function": function.name, "time": ago(minutes=9)}
        lines = [alert(policy, mode="block", path="/tmp/x", **who) for policy in POLICIES]
        aws.write(function.log_group, [*lines, connect("a.example", **who), refused("no such mode", **who)])
        aws.count(function.log_group, function.name)
    aws.stacks["Shop"] = [function.name for function in cloudwatch.functions]
    aws.make(*aws.stacks["Shop"])
    texts = _texts(stack)
    assert len(texts) == len(cloudwatch.alarms) + 2, "two heartbeats are not simulated"
    for name, text in texts.items():
        *_, last = text.split("\n")
        if "/functions/" in last:
            assert any(last == function_link(REGION, function.name) for function in cloudwatch.functions)
        elif "silent" not in name:
            assert last.endswith(f"#alarmsV2:alarm/{name}")
    commands = [found for text in texts.values() for found in re.findall("`(shielded-[^`]+)`", text)]
    assert len(commands) == len(texts)
    for command_line in dict.fromkeys(commands):
        done = CliRunner().invoke(cli, shlex.split(command_line)[1:], env={"COLUMNS": "400"})
        assert done.exit_code == (0 if " report " in command_line else 3), (command_line, done.output)
        shown = Path(done.stdout.strip()).read_text(encoding="utf-8") if " report " in command_line else done.stdout
        assert "Checkout" in shown or "Refund" in shown


def test_a_function_cannot_speak_for_another(aws: Account, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    """Its code can write any line into its own log, with any name in it, and into no other."""
    aws.make("checkout", "refund")
    aws.stacks["Shop"] = ("checkout", "refund")
    aws.write(GROUP, [connect("true.example", time=ago(hours=1))])
    aws.write("/aws/lambda/refund", [connect("evil.example", time=ago(hours=1), function="checkout")])
    note = "lines in the log group /aws/lambda/refund say that they are of checkout: "
    for options in (Alerts(), Alerts("function"), Alerts("policy")):
        said = ask(options, STACK)
        assert (said["violations"], said["notes"]) == (1, [note + "left out, for it logs elsewhere"])
    assert alerts.alerts(Where(**STACK, place=HERE), Alerts(lines=True), json=True) == 3
    out, err = capsys.readouterr()
    assert "evil" not in out
    assert note in err
    assert next(followed(**STACK, since="3h")) == "true.example"
    # Of log groups by name it is not known who logs there.
    said = ask(where={"log_groups": [GROUP, "/aws/lambda/refund"]})
    assert (said["violations"], said["notes"]) == (2, [note + "if it does not log there, they are forged"])


def test_many_log_groups_are_asked_in_parts(aws: Account, ask: Ask) -> None:
    groups = [f"/aws/lambda/f{n}" for n in range(51)]
    for number, group in enumerate(groups):
        aws.write(group, [tmp("/tmp/x", ago(hours=1), function=f"f{number}")])
    assert ask(Alerts("function"), {"log_groups": groups})["violations"] == 51
    assert [len(asked["logGroupNames"]) for asked in aws.asked] == [50, 1]
    with pytest.raises(CliError, match=r"^/aws/lambda/f51: it does not exist in this account and region$"):
        ask(where={"log_groups": [*groups, "/aws/lambda/f51"]})


def test_a_full_result_is_asked_for_in_halves(aws: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shielded_function_monitoring.insights.queries.MAX_ROWS", 10)
    aws.write(GROUP, [tmp(f"/tmp/{n % 15}", ago(hours=1 + n)) for n in range(60)])
    said = ask(Alerts("target", limit=10), {**A_GROUP, "since": "7d"})
    assert (said["violations"], said["kinds"], said["whole"]) == (60, 15, True)
    assert {group["violations"] for group in said["groups"]} == {4}
    assert len(aws.asked) > 3
    assert any(asked["startTime"] % 86400 == 0 for asked in aws.asked), "parted at midnight, so that days add up"


@pytest.mark.long
def test_what_cannot_be_parted_is_said(
    aws: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shielded_function_monitoring.insights.queries.MAX_ROWS", 3)
    note = f"the result is incomplete: one second of {GROUP} has more than Logs Insights' 10,000 rows"
    here = Where(log_groups=[GROUP, "/aws/lambda/other"], place=HERE)
    aws.write("/aws/lambda/other", [tmp("/tmp/x", ago(hours=1), function="other")])
    aws.write(GROUP, [tmp(f"/tmp/{n}", ago(hours=1)) for n in range(9)])
    assert alerts.alerts(here, Alerts("target", limit=3), json=True) == 2
    said = told(capsys)
    assert (said["whole"], said["violations"]) == (False, 4), "the other log group's are all there"
    assert [text[: len(note)] for text in said["notes"]] == [note]
    assert alerts.alerts(here, Alerts("target", limit=3), json=False) == 2
    shown = capsys.readouterr()
    assert "at least 4 violations" in shown.out
    assert note in shown.err
    assert report.report(here, Page("-"), json=True) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out)["whole"] is False
    assert note in shown.err
    for options in (Learn(), Learn(check=True, policy=Path(os.devnull))):
        with pytest.raises(CliError, match=f"{note}.*; learn needs complete logs"):
            learn.run(here, options, json=True)


REFUSED = [
    ("StartQuery", "AccessDeniedException", A_GROUP, f"{GROUP}: you need logs:StartQuery"),
    ("GetQueryResults", "AccessDeniedException", A_GROUP, "you need logs:GetQueryResults"),
    ("GetFunctionConfiguration", "AccessDeniedException", {"functions": ["checkout"]},
     "checkout: you need lambda:GetFunctionConfiguration"),
    ("ListStackResources", "AccessDeniedException", STACK,
     "the stack Shop: you need cloudformation:ListStackResources"),
    ("StartQuery", "ResourceNotFoundException", A_GROUP, f"{GROUP}: it does not exist in this account and region"),
    ("StartQuery", "LimitExceededException", A_GROUP, f"{GROUP}: the account runs its maximum of queries: try again"),
    ("StartQuery", "ExpiredTokenException", A_GROUP, f"{GROUP}: the credentials have expired: sign in again"),
    ("every", "", A_GROUP, f"{GROUP}: Could not connect to the endpoint URL"),
    ("StartQuery", "MalformedQueryException", A_GROUP, f"{GROUP}: MalformedQueryException: MalformedQueryException of"),
]  # fmt: skip


def without_a_network(operation: str, arguments: dict[str, object]) -> None:
    raise EndpointConnectionError(endpoint_url="https://logs.example")


@pytest.mark.parametrize(("operation", "code", "where", "said"), REFUSED)
def test_what_aws_refuses(aws: Account, ask: Ask, operation: str, code: str, where: Any, said: str) -> None:
    aws.write(GROUP, log())
    aws.refuse = denying(operation, code=code) if code else without_a_network
    with pytest.raises(CliError, match=said):
        ask(where=where)
    assert (aws.calls[-1] == "logs:StopQuery") == (operation == "GetQueryResults"), "what still runs is stopped"


@mock_aws
def test_it_waits_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account runs so many queries at once: botocore asks again, longer after each time, and not for ever."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    logs, refusals = client("logs", HERE), iter([True, True, True])
    logs.create_log_group(logGroupName=GROUP)

    def refuse(**_: object) -> AWSResponse | None:
        body = RawResponse(b'{"__type": "LimitExceededException"}')
        return AWSResponse("", 400, {}, body) if next(refusals, False) else None

    logs.meta.events.register_first("before-send.cloudwatch-logs.StartQuery", refuse)
    asked: dict[str, Any] = {"startTime": 0, "endTime": 1, "queryString": "fields @message"}
    assert call(logs, "logs:StartQuery", GROUP, logGroupNames=[GROUP], **asked)["queryId"]
    assert len(waits) == 3


def test_a_query_that_fails(aws: Account, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.write(GROUP, log())
    monkeypatch.setattr(Account, "query_results", lambda self, arguments: {"status": "Timeout", "results": []})
    with pytest.raises(CliError, match="the query ended as Timeout: ask for less time, or fewer log groups"):
        ask()


def test_the_newest_lines_of_a_log_group(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    aws.write(GROUP, log())
    assert alerts.alerts(Where(log_groups=[GROUP], place=HERE), Alerts(lines=True, limit=2), json=True) == 3
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("event") for line in shown][-1] == "folded"
    assert [line["log_stream"] for line in shown] == ["one"] * 2
    alerts.alerts(Where(log_groups=[GROUP], place=HERE), Alerts(lines=True, limit=1), json=False)
    assert capsys.readouterr().out.rstrip().endswith("[stream: one]")


def late(aws: Account, host: str) -> Callable[[float], None]:
    """Waits for the next look: a line is written during the first."""
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        assert len(waits) < 5, "it was not found"
        if len(waits) == 1:
            aws.write(GROUP, [connect(host, time=f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ}")], "two")

    return pause


def followed(pause: Callable[[float], None] = lambda seconds: None, **where: Any) -> Iterator[str]:
    """The hosts."""
    messages = alerts._new_messages(Where(**where, place=HERE), pause)
    return (json.loads(message)["details"]["host"] for message in messages)


def test_follow_a_log_group(aws: Account) -> None:
    """Late lines too, and each once."""
    aws.write(GROUP, [connect("a.example", time=ago(hours=1))])
    aws.calls.clear()
    found = followed(late(aws, "b.example"), **A_GROUP, since="2h")
    assert [next(found), next(found)] == ["a.example", "b.example"]
    assert set(aws.calls) >= {"logs:FilterLogEvents"}
    with pytest.raises(CliError, match="nowhere: it does not exist"):
        next(followed(log_groups=["nowhere"]))


def test_follow_a_function(aws: Account) -> None:
    """One that never ran, and one that shares its log group."""
    aws.make("checkout", "sharing")
    aws.log_groups["sharing"] = "shared"
    assert next(followed(late(aws, "a.example"), functions=["checkout"])) == "a.example"
    others = tmp("/tmp/other", ago(hours=2), function="other")
    aws.write("shared", ["START", others, connect("b.example", time=ago(hours=1), function="sharing")])
    assert next(followed(functions=["sharing"], since="3h")) == "b.example"
