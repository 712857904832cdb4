"""`shielded-function mute`, with requests that botocore checks: what CloudWatch is asked, and what is said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from integration.cli.running import command, says
from integration.cli.test_iam import documented
from shielded_function.cli import mute
from shielded_function.cli.errors import CliError
from shielded_function.cli.mute import Options
from shielded_function_monitoring.queries import QUERIES

pytestmark = pytest.mark.promise("alarm.monitoring")

NOW = datetime(2026, 11, 30, 7, 0, 42, tzinfo=timezone.utc)
DEPLOYMENT = Options("2h", "deployment of 3.1")
CRITICAL, REST, FLEET = "shield-critical-Shop-Fn", "shield-rest-Shop-Fn", "shield-rest-Shop-fleet"
ANY, LINES = "shield-any-Shop", "shield-lines-Shop"
KINDS = {"AlarmRule": "CompositeAlarm", "ScheduledQueryConfiguration": "LogAlarm"}
METRIC = {"Namespace": "ShieldedFunction", "MetricName": "Violations"}
QUERY = {"Id": "q", "Expression": 'SELECT SUM(Violations) FROM SCHEMA("ShieldedFunction", FunctionName)'}


def asking(query: str) -> dict[str, Any]:
    """A log alarm's query, with what CloudWatch answers besides."""
    given = {"ScheduledQueryRoleARN": "arn:aws:iam::123456789012:role/query", "AggregationExpression": "count(*)"}
    schedule = {"ScheduleExpression": "rate(1 minute)", "StartTimeOffset": 120}
    return {**given, "ScheduleConfiguration": schedule, "QueryString": query}


ALARMS: list[dict[str, Any]] = [
    {"AlarmName": CRITICAL, "AlarmDescription": "https://x\n[critical] Shop/Fn: it", **METRIC},
    {"AlarmName": REST, **METRIC},
    {"AlarmName": FLEET, "Metrics": [QUERY]},
    {"AlarmName": "cpu", "Namespace": "AWS/Lambda"},
    {"AlarmName": "composite of others", "AlarmRule": 'ALARM("cpu")'},
    {"AlarmName": ANY, "AlarmRule": f'ALARM("{CRITICAL}") OR ALARM("{REST}")'},
    {"AlarmName": LINES, "ScheduledQueryConfiguration": asking(QUERIES["lines"].text)},
    {"AlarmName": "errors", "ScheduledQueryConfiguration": asking("filter @message like /ERROR/")},
]


class Account:
    """What AWS is to be asked, and what it answers; `calls` are those that came, as IAM names them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self.clients: dict[str, Any] = {name: boto3.client(name, **given) for name in ("cloudwatch", "cloudformation")}
        self.stubs = {name: Stubber(each) for name, each in self.clients.items()}
        self.calls: set[str] = set()
        for name, each in self.clients.items():
            each.meta.events.register("before-parameter-build", self._seen(name))
        for stub in self.stubs.values():
            stub.activate()
        monkeypatch.setattr(mute, "client", lambda name, place: self.clients[name])

    def _seen(self, service: str) -> Callable[..., None]:
        return lambda model, **_: self.calls.add(f"{service}:{model.name}")

    def has(self, alarms: list[dict[str, Any]]) -> None:
        """The stack Shop has these, and one nested in it."""
        made = [_resource(f"AWS::CloudWatch::{_kind(e).removeprefix('Metric')}", e["AlarmName"]) for e in alarms]
        listed = self.stubs["cloudformation"].add_response
        nested = [_resource("AWS::CloudFormation::Stack", "Inner"), _resource("AWS::Lambda::Function", "fn")]
        listed("list_stack_resources", {"StackResourceSummaries": [*nested, *made[1:]]}, {"StackName": "Shop"})
        listed("list_stack_resources", {"StackResourceSummaries": made[:1]}, {"StackName": "Inner"})
        for at in range(0, len(alarms), 100):
            part = [*alarms[1:], *alarms[:1]][at : at + 100]
            kinds = sorted({_kind(each) for each in part})
            answer = {f"{kind}s": [each for each in part if _kind(each) == kind] for kind in kinds}
            asked = {"AlarmNames": [each["AlarmName"] for each in part], "AlarmTypes": kinds, "MaxRecords": 100}
            self.stubs["cloudwatch"].add_response("describe_alarms", answer, asked)

    def puts(self, rule: str, names: list[str]) -> None:
        """A rule for these alarms, as DEPLOYMENT says."""
        schedule = {"Expression": "at(2026-11-30T07:01)", "Duration": "PT120M", "Timezone": "UTC"}
        wanted = {"Name": rule, "Description": "deployment of 3.1", "Rule": {"Schedule": schedule}}
        wanted |= {
            "MuteTargets": {"AlarmNames": names},
            "ExpireDate": datetime(2026, 11, 30, 9, 1, tzinfo=timezone.utc),
        }
        self.stubs["cloudwatch"].add_response("put_alarm_mute_rule", {}, wanted)

    def deletes(self, rule: str) -> None:
        self.stubs["cloudwatch"].add_response("delete_alarm_mute_rule", {}, {"AlarmMuteRuleName": rule})


def _kind(alarm: dict[str, Any]) -> str:
    return next((kind for field, kind in KINDS.items() if field in alarm), "MetricAlarm")


def _resource(kind: str, name: str) -> dict[str, Any]:
    told = {"LogicalResourceId": "x", "LastUpdatedTimestamp": NOW, "ResourceStatus": "CREATE_COMPLETE"}
    return {"ResourceType": kind, "PhysicalResourceId": name, **told}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """All that is expected of it is asked."""
    made = Account(monkeypatch)
    yield made
    for stub in made.stubs.values():
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("keep", "names"), [(False, sorted((CRITICAL, REST, FLEET, ANY, LINES))), (True, sorted((REST, FLEET)))]
)
def test_the_alarms_of_a_stack(aws: Account, capsys: pytest.CaptureFixture[str], keep: bool, names: list[str]) -> None:
    aws.has(ALARMS)
    aws.puts("shielded-function-Shop", names)
    assert mute.mute("Shop", DEPLOYMENT._replace(keep_critical=keep), json=True, now=NOW) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["alarms"] == names
    assert (told["since"], told["until"]) == ("2026-11-30T07:01:00Z", "2026-11-30T09:01:00Z")


def test_more_alarms_than_one_rule_takes(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    alarms = [{"AlarmName": f"shield-rest-{number:03}", **METRIC} for number in range(150)]
    names = [each["AlarmName"] for each in alarms]
    aws.has(alarms)
    aws.puts("shielded-function-Shop", names[:100])
    aws.puts("shielded-function-Shop_1", names[100:])
    mute.mute("Shop", DEPLOYMENT, json=False, now=NOW)
    shown = capsys.readouterr()
    assert shown.out.endswith("150 alarms are muted from 2026-11-30T07:01:00Z to 2026-11-30T09:01:00Z\n")
    assert re.search(r"shielded-function alerts --stack Shop --since 2h$", shown.err.strip())


def test_fewer_alarms_than_before(aws: Account) -> None:
    """A rule that an earlier call made for alarms that are not to be muted now is deleted."""
    alarms: list[dict[str, Any]] = [{"AlarmName": f"shield-rest-{number:03}", **METRIC} for number in range(60)]
    critical = [{**each, "AlarmName": f"{each['AlarmName']}-c", "AlarmDescription": "[critical]"} for each in alarms]
    aws.has([*alarms, *critical])
    aws.puts("shielded-function-Shop", [each["AlarmName"] for each in alarms])
    aws.deletes("shielded-function-Shop_1")
    mute.mute("Shop", DEPLOYMENT._replace(keep_critical=True), json=True, now=NOW)


def test_the_end_and_what_is_documented_is_called(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    aws.has(ALARMS)
    aws.deletes("shielded-function-Shop")
    mute.mute("Shop", Options(end=True), json=False)
    assert "5 alarms are active again; those in ALARM notify now" in capsys.readouterr().out
    aws.has(ALARMS)
    aws.puts("shielded-function-Shop", sorted((CRITICAL, REST, FLEET, ANY, LINES)))
    mute.mute("Shop", DEPLOYMENT, json=True, now=NOW)
    assert aws.calls == documented("mute")


def test_a_stack_without_alarms(aws: Account) -> None:
    keeping = DEPLOYMENT._replace(keep_critical=True)
    for alarms, options, more in ((ALARMS[3:5], DEPLOYMENT, "$"), (ALARMS[:1], keeping, " except")):
        aws.has(alarms)
        with pytest.raises(CliError, match=f"the stack Shop has no alarm of the shield{more}"):
            mute.mute("Shop", options, json=False)


def test_what_stands_in_the_way(aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.has(ALARMS)
    aws.stubs["cloudwatch"].add_client_error("put_alarm_mute_rule", "AccessDenied")
    with pytest.raises(CliError, match="shielded-function-Shop: you need cloudwatch:PutAlarmMuteRule"):
        mute.mute("Shop", DEPLOYMENT, json=False)
    monkeypatch.setattr(mute, "client", lambda name, place: object())
    with pytest.raises(CliError, match=r"boto3 [\d.]+ has no mute rules: upgrade it"):
        mute.mute("Shop", DEPLOYMENT, json=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), 'give a duration and a reason: --for 2h --reason "deployment of 3.1"'),
        (("--for", "2h", "--reason", " "), "give a duration and a reason"),
        (("--for", "soon", "--reason", "x"), "--for soon: write 30m, 2h or 1d"),
        (("--for", "16d", "--reason", "x"), "--for 16d: from 1m to 15d"),
        (("--for", "30s", "--reason", "x"), "--for 30s: from 1m to 15d"),
        (("--for", "9" * 30 + "w", "--reason", "x"), "w: that is too long"),
        (("--for", "2h", "--reason", "x" * 1001), "--reason: 1001 characters, of which 1,000 fit: shorten it"),
        (("--end", "--for", "2h"), "--end ends the mute of all alarms now: remove the other options"),
        (("--end", "--keep-critical"), "remove the other options"),
    ],
)
def test_what_is_wrong_is_said(arguments: tuple[str, ...], said: str) -> None:
    assert said in says(command("mute", "Shop", *arguments))
