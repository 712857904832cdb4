"""Writes the orders into a file, and the file into the bucket."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import boto3

REPORT = Path("/tmp/report.csv")

dynamodb = boto3.client("dynamodb")
s3 = boto3.client("s3")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Returns how many orders there are."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=os.environ["ORDERS_TABLE"])
    rows = [[item["id"]["S"], item["amount"]["N"]] for page in pages for item in page["Items"]]
    with REPORT.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    s3.put_object(Bucket=os.environ["BUCKET"], Key="report.csv", Body=REPORT.read_bytes())
    return {"orders": len(rows)}
