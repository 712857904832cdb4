"""Takes paid orders from the queue, and what was ordered from the stock.

Event: messages of Amazon SQS, each {"order": "1042"}
"""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")
secrets = boto3.client("secretsmanager")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Returns the numbers of the orders."""
    credentials = json.loads(secrets.get_secret_value(SecretId=os.environ["DATABASE_SECRET"])["SecretString"])
    orders: list[str] = [json.loads(record["body"])["order"] for record in event["Records"]]
    for order in orders:
        _take_from_stock(order, credentials)
        dynamodb.update_item(
            TableName=os.environ["ORDERS_TABLE"],
            Key={"id": {"S": order}},
            UpdateExpression="SET #state = :state",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":state": {"S": "fulfilled"}},
        )
    return {"orders": orders}


def _take_from_stock(order: str, credentials: dict[str, Any]) -> None:
    """Asks the database whether it speaks TLS. That is how a driver begins; the example does without one."""
    place = (os.environ["DATABASE_HOST"], int(os.environ["DATABASE_PORT"]))
    with socket.create_connection(place, timeout=10) as connection:
        connection.sendall(struct.pack("!ii", 8, 80877103))  # PostgreSQL's SSLRequest
        if connection.recv(1) not in (b"S", b"N"):
            raise ConnectionError(f"{place} is no PostgreSQL: {order} of {credentials['username']} has to wait")
