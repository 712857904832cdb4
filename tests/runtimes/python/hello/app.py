"""The least that a function does, and what most functions do besides."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

import boto3

CLIENT = boto3.client("dynamodb", region_name=os.environ["AWS_REGION"])
logging.getLogger().setLevel(logging.INFO)


def handler(event: dict[str, str], context: Any) -> dict[str, str]:
    logging.getLogger().info("asked by %s", event["name"])
    return {
        "hello": event["name"],
        "endpoint": CLIENT.meta.endpoint_url,
        "function": context.function_name,
        "version": sys.version,
        "event": json.dumps(event),
    }
