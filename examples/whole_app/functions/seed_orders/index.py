"""Writes the first orders when the stack is made. The events are a custom resource's."""

from __future__ import annotations

import os
from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What the CDK's provider framework expects: the id of what was made."""
    if event["RequestType"] == "Create":
        for number in range(int(event["ResourceProperties"]["Count"])):
            item = {"id": {"S": f"seed-{number}"}, "amount": {"N": "0"}, "state": {"S": "fulfilled"}}
            dynamodb.put_item(TableName=os.environ["ORDERS_TABLE"], Item=item)
    return {"PhysicalResourceId": "seed"}
