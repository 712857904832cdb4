"""The function of `ShieldFindings`: from a line, as CloudWatch Logs delivers it, to the event on the bus, in moto."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import jsonschema
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from harness.alert_lines import alert, armed, at, connect, folded, lookup, program, refused, tmp
from shielded_function.findings.handler.shield_findings import main, ocsf, violations
from shielded_function_monitoring.filters import COUNTED, SEVERITIES
from shielded_function_monitoring.frames import outermost

ACCOUNT, REGION, GROUP, STREAM = "123456789012", "eu-west-1", "/aws/lambda/checkout", "2026/11/24/[7]4f2a"
SCHEMA = json.loads(Path(__file__).with_name("ocsf.schema.json").read_text(encoding="utf-8"))
CONTEXT = SimpleNamespace(invoked_function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:findings")
HOUR = 3600


def delivery(lines: Sequence[str], kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    events = [{"id": str(number), "timestamp": 0, "message": line} for number, line in enumerate(lines)]
    payload = {
        "messageType": kind, "owner": ACCOUNT, "logGroup": GROUP, "logStream": STREAM, "subscriptionFilters": ["x"],
        "logEvents": events,
    }  # fmt: skip
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()}}


@dataclass
class World:
    """The account: a table and a bus."""

    now: float = 1_795_168_800.0
    failing: set[str] = field(default_factory=set[str])
    published: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def deliver(self, *lines: str) -> dict[str, int]:
        return main.handler(delivery(lines), CONTEXT)

    def events(self) -> list[dict[str, Any]]:
        """What a rule got since the last call."""
        found, self.published = self.published, []
        return found

    def targets(self) -> list[str]:
        return [event["detail"]["unmapped"]["target"] for event in self.events()]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    settings = {
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION, "TABLE": "seen", "EVENT_BUS": "default", "REMEMBER_SECONDS": str(90 * 24 * HOUR),
        "MOST_AN_HOUR": "50", "PRODUCT_VERSION": "0.1.0",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    made = World()
    monkeypatch.setattr(main, "time", SimpleNamespace(time=lambda: made.now))
    with mock_aws():
        main._client.cache_clear()
        boto3.client("dynamodb", REGION).create_table(
            TableName="seen",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        _watch_bus(made, monkeypatch)
        yield made
        main._client.cache_clear()


def _watch_bus(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what EventBridge takes: all but events whose text has one of `world.failing`, as if it were throttled."""
    client = main._client("events")
    put = client.put_events

    def put_some(Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        if "everything" in world.failing:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slower"}}, "PutEvents")
        results = []
        for entry in Entries:
            if any(text in entry["Detail"] for text in world.failing):
                results.append({"ErrorCode": "InternalFailure"})
                continue
            results += put(Entries=[entry])["Entries"]
            named = {"source": entry["Source"], "detail-type": entry["DetailType"], "resources": entry["Resources"]}
            world.published.append({**named, "detail": json.loads(entry["Detail"])})
        return {"FailedEntryCount": 0, "Entries": results}

    monkeypatch.setattr(client, "put_events", put_some)


LINES = {
    "outbound_connectivity": connect("new.example", mode="block", through=("urllib3", "app"), allow="new.example:443"),
    "by name": lookup("asked.example"),
    "by address": connect(ip="203.0.113.7"),
    "read_write_tmp": tmp("/tmp/x"),
    "create_child_process": program("/usr/bin/id", arguments=["id", "-u"]),
    "self_protection": alert("self_protection", mode="block"),
    "executable_memory": alert("executable_memory", allow="libffi"),
    "start": refused("no such mode"),
    "folded": folded("outbound_connectivity", 18),
}


FORGED = json.loads(LINES["read_write_tmp"])


def test_from_a_line_to_the_event(world: World) -> None:
    """As the page shows it."""
    assert world.deliver(LINES["outbound_connectivity"]) == {"lines": 1, "unused": 0, "published": 1}
    (event,) = world.events()
    assert (event["source"], event["detail-type"]) == ("shielded-function", "Shield Finding")
    assert event["resources"] == [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checkout"]
    page = (Path(__file__).parents[4] / "docs" / "guide" / "findings.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    shown, detail = json.loads(shown), event["detail"]
    line, own = (each["evidences"][0].pop("data") for each in (shown, detail))
    assert detail == shown
    assert own == json.loads(LINES["outbound_connectivity"])
    assert line.items() <= own.items()
    assert detail["time"] == world.now * 1000
    assert detail["finding_info"]["src_url"].endswith(
        "#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fcheckout/log-events/2026$252F11$252F24$252F$255B7$255D4f2a"
        "$3Fstart$3D1795168740000$26end$3D1795168860000"
    )


def test_each_is_a_detection_finding(world: World) -> None:
    """Of the attributes that OCSF has, those that it requires, and values of its enumerations."""
    for _ in range(3):  # once each: a delivery may come again
        world.deliver(*LINES.values(), *LINES.values())
    events = world.events()
    assert len(events) == len(LINES)
    for event in events:
        jsonschema.validate(event["detail"], SCHEMA)
        assert len(event["detail"]["message"]) > len("checkout ")


def violation_in(line: str) -> violations.Violation:
    (violation,), _ = violations.violations_in(violations.Delivery(ACCOUNT, GROUP, STREAM, (line,)))
    return violation


@pytest.mark.parametrize(("told", "severity"), [*zip(SEVERITIES, SEVERITIES, strict=True), ("urgent", "critical")])
def test_severities_are_the_lines(told: str, severity: str) -> None:
    """It knows the policy; a line without one of them is not the shield's."""
    violation = violation_in(json.dumps({**FORGED, "severity": told}, separators=(",", ":")))
    assert ocsf.severity_of(violation) == severity
    assert {"severity"} <= set.intersection(*(set(json.loads(line)) for line in LINES.values()))
    assert set(violations.DID) == set(COUNTED)


@pytest.mark.parametrize("through", [(), ("app",), ("leftpad", "app"), ("urllib3", "requests", "leftpad", "app")])
def test_the_package_is_the_reports(through: tuple[str, ...]) -> None:
    assert violation_in(connect("a.example", through=through)).package == outermost(through)


def test_what_is_the_same(world: World) -> None:
    """Function, policy, target and package; not the mode, the time or the caller's line."""
    same = [
        connect("a.example", ip=f"198.51.100.{n}", mode=mode, time=at(20 + n), caller=f"{n}.so")
        for n, mode in enumerate(("alert", "block"))
    ]
    others = [connect("a.example", port=80), connect("a.example", function="refund"), tmp("/tmp/a.example")]
    repeated = folded("outbound_connectivity", 7, event="repeated", details={"host": "a.example", "port": 443})
    world.deliver(*same, repeated, *others, connect("a.example", through=("urllib3",)))
    world.deliver(*same, *others)
    assert sorted(world.targets()) == ["/tmp/a.example", *["a.example:443"] * 3, "a.example:80"]
    # Random names are one.
    world.deliver(*(tmp(f"/tmp/tmp{name}.csv") for name in ("k3j_x9a2", "q7w_e2r9")))
    world.deliver(*(tmp(f"/tmp/cache/{name}") for name in ("3858f62230ac3c91-part", "99aa11bb22cc33dd-part")))
    assert world.targets() == ["/tmp/*.csv", "/tmp/cache/*part"]


def test_what_was_not_seen_for_long_is_new_again(world: World) -> None:
    """DynamoDB removes items days after they expire: an expired one counts as gone."""
    days = 24 * HOUR
    seen = []
    for passed in (0, 50, 50, 80, 91):
        world.now += passed * days
        world.deliver(LINES["start"])
        seen.append(len(world.events()))
    assert seen == [1, 0, 0, 0, 1], "90 days after it was seen last"


def test_what_could_not_be_published_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures do not use up the limit."""
    monkeypatch.setenv("MOST_AN_HOUR", "4")  # so many are of outbound_connectivity
    world.failing = {"new.example"}
    with pytest.raises(main.NotPublishedError, match="1 of 9 findings could not be published"):
        world.deliver(*LINES.values())
    assert len(world.events()) == len(LINES) - 1, "one that is refused holds back no other"
    world.failing = {"everything"}
    for _ in range(3):
        with pytest.raises(main.NotPublishedError, match="1 of 1"):
            world.deliver(*LINES.values())
    world.failing = set()
    world.deliver(*LINES.values())
    assert world.targets() == ["new.example:443"]


def test_a_delivery_that_ended_in_the_midst_is_taken_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_: Any, **__: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(main, "_publish", end)
        with pytest.raises(MemoryError):
            world.deliver(LINES["start"])
    world.now += 30
    assert world.deliver(LINES["start"])["published"] == 0, "the first may still be at it"
    world.now += 30
    assert world.deliver(LINES["start"])["published"] == 1, "Lambda repeats it after a minute"


def test_more_than_somebody_reads(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of a function and policy in an hour, then one that says so: whoever prints lines can print many."""
    monkeypatch.setenv("MOST_AN_HOUR", "5")
    many = [connect(f"h{n}.example", mode="block") for n in range(12)]
    world.deliver(*many[:7])
    world.deliver(*many[7:])
    told = world.events()
    assert len(told) == 6
    assert told[-1]["detail"]["severity_id"] == 5
    assert told[-1]["detail"]["message"] == (
        "checkout tried to reach a new host, like too many others in one hour to list each"
    )
    world.deliver(tmp("/tmp/x"), connect("h1.example", function="refund"))
    assert len(world.events()) == 2, "others are told"
    world.now += HOUR
    world.deliver(many[11])
    assert world.targets() == ["h11.example:443"]


UNUSABLE = [
    "",
    "START RequestId: 1",
    armed(),
    LINES["start"][:-1],
    "[" * 5000,
    *(json.dumps({**FORGED, **fields}, separators=(",", ":")) for fields in (
        {"policy": "no_such"}, {"policy": ["a"]}, {"count": -5}, {"count": "5"}, {"count": True}, {"count": 10**9},
        {"count": float("inf")}, {"timestamp": "9999-99-99T99:99:99.999999Z"}, {"timestamp": 5}, {"x": "a" * 5000},
        {"details": float("nan")}, {"function": "\ud800"},
    )),
    LINES["read_write_tmp"][:-1] + ',"x":' + "[" * 1800 + "]" * 1800 + "}",
]  # fmt: skip


def test_lines_that_cannot_be_used_are_counted(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    told = world.deliver(*UNUSABLE, LINES["start"], f"2026-11-20T10:00:00Z {LINES['folded']}")
    assert told["published"] in (2, 3)  # how deep Python reads differs
    assert told["unused"] + told["published"] == told["lines"] == len(UNUSABLE) + 2
    assert json.loads(capsys.readouterr().out)["shield_findings"]["unused"] == told["unused"]
    for event in world.events():
        assert event["detail"]["unmapped"]["policy"] in ("start", "outbound_connectivity", "read_write_tmp")


def test_odd_fields_make_no_odd_finding(world: World) -> None:
    odd = [
        connect("\x1b[2J\u202eevil.example", function="a b/c" * 40),
        json.dumps(
            {**FORGED, "details": {"host": {}, "port": 1e9, "path": 7, "ip": "nowhere"}, "caller": 7, "mode": []}
        ),
        json.dumps({**FORGED, "details": [], "caller": {"package": ["x"]}, "version": {}, "allow": 9}),
        json.dumps({**FORGED, "details": {"ip": "203.0.113.7", "port": -1, "protocol": ["tcp"]}}),
    ]
    world.deliver(*(line.replace('{"function_shield": true', '{"function_shield":true') for line in odd))
    events = world.events()
    assert len(events) == 4
    for event in events:
        jsonschema.validate(event["detail"], SCHEMA)
        assert event["detail"]["message"].isprintable()
    assert "\\u001b[2J\\u202eevil.example" in events[0]["detail"]["message"]


def test_the_first_message_of_a_subscription(world: World) -> None:
    assert main.handler(delivery(["CWL CONTROL MESSAGE"], "CONTROL_MESSAGE"), CONTEXT)["lines"] == 0
    with pytest.raises(KeyError):
        main.handler({}, CONTEXT)


def test_security_hub_gets_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = boto3.client("securityhub", REGION)
    hub.enable_security_hub()
    world.deliver(LINES["outbound_connectivity"], LINES["read_write_tmp"])
    events = world.events()
    for event in [*events, *events]:
        assert main.handler({**event, "time": "2026-11-20T10:00:00Z"}, CONTEXT) == {"imported": 1}
    found = {each["Title"]: each for each in hub.get_findings()["Findings"]}
    first = found["checkout tried to reach a new host: new.example:443"]
    assert first["Severity"]["Label"] == "CRITICAL"
    assert first["ProductArn"] == f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"
    assert first["Resources"][0]["Id"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checkout"
    assert first["ProductFields"]["shielded-function/package"] == "urllib3"
    refuse = {"FailedCount": 1, "SuccessCount": 0, "FailedFindings": [{"Id": "x", "ErrorCode": "InvalidInput"}]}
    monkeypatch.setattr(main._client("securityhub"), "batch_import_findings", lambda **_: refuse)
    with pytest.raises(main.NotPublishedError, match="Security Hub refused a finding"):
        main.handler({**events[0], "time": "2026-11-20T10:00:00Z"}, CONTEXT)
