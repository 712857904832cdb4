"""The published findings: a DynamoDB table, whose items expire.

An item is first claimed and, after its event is published, confirmed. A delivery that ends between the two leaves a
claim, which the next delivery takes over: an event may be published twice, but is never lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

_CLAIM_SECONDS: Final = 50
"""A claim expires after this time: longer than an invocation, and shorter than Lambda's wait before it retries a failed
one, a minute (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html)."""
_HOUR: Final = 3600
_FREE: Final = "attribute_not_exists(id) OR expires < :now OR (published = :no AND claimed < :stale)"


@dataclass(frozen=True)
class Memory:
    """The table.

    Attributes:
        client: DynamoDB's client.
        table: the table's name.
        keep: seconds that a finding is known after its last violation.
        limit: the most new findings of a function and control in an hour.
        clock: seconds since the epoch.
    """

    client: Any
    table: str
    keep: int
    limit: int
    clock: Callable[[], float]

    def claim(self, identity: str) -> bool:
        """Whether a finding is new, and claimed by this delivery."""
        now = int(self.clock())
        item = {"id": {"S": identity}, "published": {"BOOL": False}, **_numbers(claimed=now, expires=now + self.keep)}
        values = {":no": {"BOOL": False}, **_numbers(**{":now": now, ":stale": now - _CLAIM_SECONDS})}
        try:
            self.client.put_item(
                TableName=self.table,
                Item=item,
                ConditionExpression=_FREE,
                ExpressionAttributeValues=values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self.client.exceptions.ConditionalCheckFailedException as error:
            known = error.response.get("Item", {})
            if int(known.get("expires", {}).get("N", now)) < now + self.keep // 2:
                self._update(identity, "SET expires = :expires", _numbers(**{":expires": now + self.keep}))
            return False
        return True

    def confirm(self, identity: str) -> None:
        """Records that a finding's event is published."""
        self._update(identity, "SET published = :yes", {":yes": {"BOOL": True}})

    def release(self, identity: str) -> None:
        """Releases a finding whose event could not be published, for the next delivery."""
        self.client.delete_item(TableName=self.table, Key={"id": {"S": identity}})

    def uncount(self, function: str, policy: str, hour: int) -> None:
        """Takes a finding back that was counted in this hour, and could not be published."""
        self._update(_limit(function, policy, hour), "ADD told :less", _numbers(**{":less": -1}))

    @property
    def hour(self) -> int:
        """The hour since the epoch."""
        return int(self.clock()) // _HOUR

    def within_limit(self, function: str, policy: str) -> bool:
        """Counts a new finding; False above the limit of its function and control in this hour."""
        now = int(self.clock())
        answer = self.client.update_item(
            TableName=self.table,
            Key={"id": {"S": _limit(function, policy, self.hour)}},
            UpdateExpression="ADD told :one SET expires = :expires",
            ExpressionAttributeValues=_numbers(**{":one": 1, ":expires": now + 2 * _HOUR}),
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["told"]["N"]) <= self.limit

    def _update(self, identity: str, expression: str, values: dict[str, dict[str, Any]]) -> None:
        self.client.update_item(
            TableName=self.table,
            Key={"id": {"S": identity}},
            UpdateExpression=expression,
            ExpressionAttributeValues=values,
        )


def _limit(function: str, policy: str, hour: int) -> str:
    return f"limit {hour} {policy} {function}"


def _numbers(**values: int) -> dict[str, dict[str, Any]]:
    return {name: {"N": str(value)} for name, value in values.items()}
