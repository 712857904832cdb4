"""The handler: publishes one event for each new violation."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .asff import asff_of
from .memory import Memory
from .ocsf import DETAIL_TYPE, SOURCE, finding_of
from .violations import Violation, delivery_of, violations_in

_EVENTS_AT_ONCE: Final = 10
"""https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""


class NotPublishedError(Exception):
    """Findings could not be published. Lambda retries the invocation."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """Called by CloudWatch Logs with lines of a log stream, and by a rule with a finding for Security Hub.

    Returns:
        The numbers of lines, of unusable lines, and of published findings.

    Raises:
        NotPublishedError: some findings could not be published.
    """
    if event.get("source") == SOURCE:
        return _import(event)
    delivery = delivery_of(event)
    if delivery is None:
        return {"lines": 0, "unused": 0, "published": 0}
    memory = _memory()
    hour = memory.hour
    found, unused = violations_in(delivery)
    partition = context.invoked_function_arn.split(":")[1]
    place = {"region": os.environ["AWS_REGION"], "version": os.environ["PRODUCT_VERSION"]}
    new = list(_new_of(found, memory))
    published = set(
        _publish([finding_of(each, now=int(memory.clock() * 1000), partition=partition, **place) for each, _ in new])
    )
    for each, counted in new:
        (memory.confirm if each.identity in published else memory.release)(each.identity)
        if counted and each.identity not in published:
            memory.uncount(*counted, hour)
    counts = {"lines": len(delivery.lines), "unused": unused, "published": len(published)}
    print(json.dumps({"shield_findings": {**counts, "log_group": delivery.log_group}}))
    if len(published) < len(new):
        raise NotPublishedError(f"{len(new) - len(published)} of {len(new)} findings could not be published")
    return counts


def _new_of(found: Sequence[Violation], memory: Memory) -> Iterator[tuple[Violation, tuple[str, str] | None]]:
    """The new ones, each with the function and control whose limit counts it."""
    too_many: set[tuple[str, str]] = set()
    for each in found:
        kind = each.function, each.policy
        if kind in too_many or not memory.claim(each.identity):
            continue
        if memory.within_limit(*kind):
            yield each, kind
            continue
        too_many.add(kind)
        memory.release(each.identity)
        further = each.further(memory.hour)
        if memory.claim(further.identity):
            yield further, None


def _publish(findings: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Puts events on the bus; yields the ids of the published findings."""
    for first in range(0, len(findings), _EVENTS_AT_ONCE):
        batch = findings[first : first + _EVENTS_AT_ONCE]
        entries = [
            {
                "Source": SOURCE,
                "DetailType": DETAIL_TYPE,
                "Detail": json.dumps(finding),
                "EventBusName": os.environ["EVENT_BUS"],
                "Resources": [finding["resources"][0]["uid"]],
            }
            for finding in batch
        ]
        try:
            answer = _client("events").put_events(Entries=entries)
        except (BotoCoreError, ClientError) as error:  # the other batches may succeed
            print(json.dumps({"shield_findings": {"refused": str(error)}}))
            continue
        for finding, result in zip(batch, answer["Entries"], strict=True):
            if "EventId" in result:
                yield finding["finding_info"]["uid"]


def _import(event: Mapping[str, Any]) -> dict[str, int]:
    """Sends a finding to Security Hub, where a repeated one is an update."""
    answer = _client("securityhub").batch_import_findings(Findings=[asff_of(event["detail"], event["time"])])
    if answer["FailedCount"]:
        raise NotPublishedError(f"Security Hub refused a finding: {answer.get('FailedFindings')}")
    return {"imported": 1}


@lru_cache(maxsize=4)
def _client(service: str) -> Any:
    return boto3.client(service)


def _memory() -> Memory:
    keep, limit = int(os.environ["REMEMBER_SECONDS"]), int(os.environ["MOST_AN_HOUR"])
    return Memory(_client("dynamodb"), os.environ["TABLE"], keep, limit, time.time)
