"""Tells whoever subscribed to the topic."""

from __future__ import annotations

import os
from typing import Any

import boto3

sns = boto3.client("sns")


def handler(event: dict[str, Any], context: Any) -> None:
    """Event: {"text": "..."}"""
    sns.publish(TopicArn=os.environ["TOPIC"], Message=event["text"])
