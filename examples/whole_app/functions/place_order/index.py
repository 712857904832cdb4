"""Charges the card, keeps the order, and passes it on to be fulfilled.

Event: {"order": "1042", "amount": 1999}
"""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Any

import boto3

PROVIDER = "https://api.payments.example/charges"

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Returns the order's number and the charge's."""
    charge = _charge(event["order"], event["amount"])
    item = {"id": {"S": event["order"]}, "amount": {"N": str(event["amount"])}, "state": {"S": "paid"}}
    dynamodb.put_item(TableName=os.environ["ORDERS_TABLE"], Item=item)
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps({"order": event["order"]}))
    return {"order": event["order"], "charge": charge["id"]}


def _charge(order: str, amount: int) -> dict[str, Any]:
    body = json.dumps({"order": order, "amount": amount}).encode()
    request = urllib.request.Request(PROVIDER, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)
