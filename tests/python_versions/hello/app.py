"""The least that a function does, and what most functions do besides."""

import json
import logging
import os

import boto3

TABLE = boto3.resource("dynamodb", region_name=os.environ["AWS_REGION"]).Table("orders")
logging.getLogger().setLevel(logging.INFO)


def handler(event, context):
    logging.getLogger().info("asked by %s", event["name"])
    return {"hello": event["name"], "table": TABLE.name, "function": context.function_name, "event": json.dumps(event)}
