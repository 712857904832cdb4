"""An account of moto's whose Logs Insights answers by `harness.logs_insights`: moto's own gives raw rows.

Everything else is moto's: log groups, events, functions, stacks. What was called is kept, as IAM names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cached_property
from operator import itemgetter
from typing import Any

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from harness.logs_insights import evaluate
from integration.cli.moto_account import CREDENTIALS, REGION, make_function, make_role
from shielded_function_monitoring.filters import NAMESPACE, VALUE, metric_name, of_functions, violations
from shielded_function_monitoring.insights.queries import Row
from shielded_function_monitoring.insights.records import Record, record_of
from shielded_function_monitoring.pattern import parse as parse_pattern

NOW = datetime.now(timezone.utc).replace(microsecond=1)


def ago(**time: float) -> str:
    """A time as lines write it: so long before the tests began."""
    return (NOW - timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Account:
    """What happens in it.

    Attributes:
        calls: every request, as `service:Operation`.
        asked: the queries that were started: log groups, text, seconds from and to.
        refuse: raises for an operation, or not.
        polls: how often a query says that it is running.
        log_groups: where functions log that do not log to their own; moto does not keep it.
        stacks: the functions and nested stacks of each stack; moto's CloudFormation takes a second to import.
        runtime_updates: of functions, where not automatic; moto does not have it.
    """

    calls: list[str] = field(default_factory=list[str])
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refuse: Callable[[str, dict[str, Any]], None] = lambda operation, arguments: None
    polls: int = 1
    log_groups: dict[str, str] = field(default_factory=dict[str, str])
    stacks: dict[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    runtime_updates: dict[str, str] = field(default_factory=dict[str, str])

    @cached_property
    def logs(self) -> Any:
        """moto's client."""
        return boto3.client("logs", region_name=REGION)

    @cached_property
    def functions(self) -> Any:
        """moto's client of Lambda."""
        return boto3.client("lambda", region_name=REGION)

    def make(self, *functions: str, **options: Any) -> None:
        """Makes functions, and the role that they have."""
        make_role(boto3.client("iam", region_name=REGION))
        for name in functions:
            make_function(self.functions, name, **options)

    def write(self, log_group: str, lines: Sequence[str], stream: str = "one") -> None:
        """Puts lines into a log group, which is made where it is not there: at the time that they say."""
        logs = self.logs
        for create, more in ((logs.create_log_group, {}), (logs.create_log_stream, {"logStreamName": stream})):
            try:
                create(logGroupName=log_group, **more)
            except logs.exceptions.ResourceAlreadyExistsException:
                continue
        events = sorted(
            ({"timestamp": _milliseconds(each), "message": each} for each in lines), key=itemgetter("timestamp")
        )
        logs.put_log_events(logGroupName=log_group, logStreamName=stream, logEvents=events)

    def count(self, log_group: str, *functions: str) -> None:
        """Puts the shield's metric filter on a log group, for these functions."""
        transformation = {"metricName": metric_name(), "metricNamespace": NAMESPACE, "metricValue": VALUE}
        pattern = violations(by_level=True).render()
        self.logs.put_metric_filter(
            logGroupName=log_group,
            filterName="violations",
            filterPattern=of_functions(pattern, functions) if functions else pattern,
            metricTransformations=[transformation],
        )

    def stack_resources(self, arguments: dict[str, Any]) -> dict[str, Any]:
        said: dict[str, Any] = {"LastUpdatedTimestamp": NOW, "ResourceStatus": "CREATE_COMPLETE"}
        nested, function = "AWS::CloudFormation::Stack", "AWS::Lambda::Function"
        kinds = [(nested if e in self.stacks else function, e) for e in self.stacks[arguments["StackName"]]]
        every = [("AWS::IAM::Role", "role"), *kinds]
        return {"StackResourceSummaries": [{**said, "ResourceType": k, "PhysicalResourceId": e} for k, e in every]}

    def runtime_management(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"UpdateRuntimeOn": self.runtime_updates.get(arguments["FunctionName"], "Auto")}

    def start_query(self, arguments: dict[str, Any]) -> dict[str, Any]:
        pages = self.logs.get_paginator("describe_log_groups").paginate()
        known = {group["logGroupName"] for page in pages for group in page["logGroups"]}
        for group in arguments["logGroupNames"]:
            if group not in known:
                raise _error("ResourceNotFoundException", "StartQuery")
        assert len(arguments["logGroupNames"]) <= 50
        self.asked.append({**arguments, "polls": self.polls})
        return {"queryId": str(len(self.asked) - 1)}

    def query_results(self, arguments: dict[str, Any]) -> dict[str, Any]:
        asked = self.asked[int(arguments["queryId"])]
        if asked["polls"]:
            asked["polls"] -= 1
            return {"status": "Running", "results": [], "statistics": {"bytesScanned": 1e6}}
        rows = self._rows(asked)[: asked["limit"]]
        results = [[{"field": name, "value": value} for name, value in row.items()] for row in rows]
        return {"status": "Complete", "results": results, "statistics": {"bytesScanned": 2e6}}

    def _rows(self, asked: dict[str, Any]) -> list[Row]:
        found: list[Record] = []
        for group in asked["logGroupNames"]:
            pages = self.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=asked["startTime"] * 1000, endTime=asked["endTime"] * 1000 + 999
            )
            for event in (event for page in pages for event in page["events"]):
                record = record_of(event["message"])
                if record is not None:
                    record |= {"@timestamp": event["timestamp"] / 1000, "@log": group}
                    found.append({**record, "@logStream": event["logStreamName"]})
        return evaluate(asked["queryString"], found)


def _milliseconds(line: str) -> int:
    record = record_of(line)
    if record is None:
        return int(NOW.timestamp() * 1000)
    moment = datetime.strptime(record["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return int(moment.timestamp() * 1000)


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code} of the test"}}, operation)


def denying(*operations: str, code: str = "AccessDeniedException") -> Callable[[str, dict[str, Any]], None]:
    """Refuses operations, as AWS does whoever may not."""

    def refuse(operation: str, arguments: dict[str, Any]) -> None:
        if operation in operations:
            raise _error(code, operation)

    return refuse


@contextmanager
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An empty account; nothing in it waits."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("shielded_function.cli.asking.time.sleep", lambda seconds: None)
    with mock_aws():
        made = Account()
        real = botocore.client.BaseClient._make_api_call
        inside = False

        def call(self: Any, operation: str, arguments: dict[str, Any]) -> Any:
            nonlocal inside
            if inside:
                return real(self, operation, arguments)
            made.calls.append(f"{self.meta.service_model.service_name}:{operation}")
            made.refuse(operation, arguments)
            if operation == "FilterLogEvents" and "filterPattern" in arguments:  # moto reads no JSON patterns
                pattern = parse_pattern(arguments.pop("filterPattern"))
                found = real(self, operation, arguments)
                return {**found, "events": [each for each in found["events"] if pattern.matches(each["message"])]}
            if operation == "GetFunctionConfiguration" and arguments["FunctionName"] in made.log_groups:
                logging = {"LoggingConfig": {"LogGroup": made.log_groups[arguments["FunctionName"]]}}
                return {**real(self, operation, arguments), **logging}
            played = {"StartQuery": made.start_query, "GetQueryResults": made.query_results, "StopQuery": lambda _: {}}
            played["ListStackResources"] = made.stack_resources
            played["GetRuntimeManagementConfig"] = made.runtime_management
            inside = True
            try:
                return played[operation](arguments) if operation in played else real(self, operation, arguments)
            finally:
                inside = False

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
        yield made
