"""In moto: log lines become metrics, states of alarms, and messages in a queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import boto3
import pytest
from moto import mock_aws

from harness import chains
from harness.chains import STACK, TOPIC
from shielded_function_monitoring.simulated import LogEvent, MotoCloudWatch, SimulatedCloudWatch, alert_line

REGION = "us-east-1"
CHECKOUT, LOGS = "Shop-Checkout", "Shop-CheckoutLogs"
# moto takes log lines of the last 14 days.
NOW = datetime.now(timezone.utc).timestamp() // 60 * 60


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield


def made(template: dict[str, Any]) -> MotoCloudWatch:
    found = MotoCloudWatch(SimulatedCloudWatch.from_template(template, stack=STACK), client)
    found.create()
    return found


def states() -> dict[str, str]:
    return {a["AlarmName"]: a["StateValue"] for a in client("cloudwatch").describe_alarms()["MetricAlarms"]}


@pytest.mark.usefixtures("aws")
def test_what_anybody_puts_into_motos_logs_is_counted_once() -> None:
    found = made(chains.template("function"))
    client("logs").create_log_stream(logGroupName=LOGS, logStreamName="2026/11/28/[$LATEST]1")
    event = {"timestamp": int(NOW * 1000), "message": alert_line(CHECKOUT, count=2)}
    for _ in range(2):
        client("logs").put_log_events(logGroupName=LOGS, logStreamName="2026/11/28/[$LATEST]1", logEvents=[event])
        found.evaluate(NOW)
    (datum,) = client("cloudwatch").get_metric_statistics(
        Namespace="ShieldedFunction",
        MetricName="Violations",
        Dimensions=[{"Name": "FunctionName", "Value": CHECKOUT}],
        StartTime=datetime.fromtimestamp(NOW - 60, timezone.utc),
        EndTime=datetime.fromtimestamp(NOW + 60, timezone.utc),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    assert datum["Sum"] == 4
    assert states()["Shop-CheckoutAlarm"] == "ALARM"


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("composite", [True, False])
def test_an_alarm_that_is_over(composite: bool) -> None:
    """A composite alarm calls its topic, too."""
    template = chains.template("function", ["Checkout"])
    template["Resources"]["CheckoutAlarm"]["Properties"]["OKActions"] = [{"Ref": "Topic"}]
    if composite:
        template["Resources"]["CheckoutAlarm"]["Properties"].update(AlarmActions=[], OKActions=[])
        template["Resources"]["Any"] = chains.composite_alarm("CheckoutAlarm", OKActions=[{"Ref": "Topic"}])
    found = made(template)
    queue = client("sqs").create_queue(QueueName="on-call")["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)
    found.put_log_events(LOGS, [LogEvent(NOW, alert_line(CHECKOUT))])
    found.evaluate(NOW)
    found.evaluate(NOW + 600)
    messages = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    told = [json.loads(json.loads(message["Body"])["Message"]) for message in messages]
    name = "Shop-Any" if composite else "Shop-CheckoutAlarm"
    assert [(each["AlarmName"], each["NewStateValue"]) for each in told] == [(name, "ALARM"), (name, "OK")]
    assert states()["Shop-CheckoutAlarm"] == "OK"
