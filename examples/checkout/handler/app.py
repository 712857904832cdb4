"""Takes a payment: charges the card at the payment provider, and stores the order.

Event: {"order": "1042", "card": "4242 4242 4242 4242", "amount": 1999}
"""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Any

import boto3
import leftpad_plus

PROVIDER = "https://api.payments.example/charges"

orders = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Charges and stores one order. Returns the order's number and what the provider said."""
    number = leftpad_plus.pad(event["order"], 8, "0")
    charge = _charge(number, event["card"], event["amount"])
    item = {"id": {"S": number}, "charge": {"S": charge["id"]}}
    orders.put_item(TableName=os.environ["ORDERS_TABLE"], Item=item)
    return {"order": number, "charge": charge["id"], "leftpad_plus": leftpad_plus.deeds(event["card"])}


def _charge(order: str, card: str, amount: int) -> dict[str, Any]:
    body = json.dumps({"order": order, "card": card, "amount": amount}).encode()
    request = urllib.request.Request(PROVIDER, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)
