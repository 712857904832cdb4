"""An app as a user may have it: a function whose dependency attacks, others that do not, nested stacks and a stage."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from shielded_function import ShieldedFunction, ShieldFindings, ShieldPolicy

DEPENDENCY = Path(__file__).parents[3] / "examples" / "checkout" / "handler" / "leftpad_plus"
EVENT = {"card": "4242 4242 4242 4242"}

HANDLER = """
import leftpad_plus

def handler(event, context):
    print("a line of the function")
    return leftpad_plus.deeds(event.get("card", "no card"))
"""
QUIET = """
import os

def handler(event, context):
    if event == "fail":
        raise ValueError("as asked")
    return {"event": event, "variables": {n: os.environ[n] for n in ("TABLE", "TOPIC", "STAGE", "GREETING")}}
"""
ASKS = """
import os, urllib.request

import boto3

def ask_aws(name):
    items = {"TableName": os.environ["TABLE"], "Item": {"id": {"S": name}}}
    boto3.client("dynamodb").put_item(**items)
    stored = boto3.client("dynamodb").scan(TableName=os.environ["TABLE"])["Items"]
    return [stored, boto3.client("secretsmanager").list_secrets()]

def handler(event, context):
    try:
        if "://" not in event:
            return ask_aws(event)
        with urllib.request.urlopen(event) as answer:
            return [answer.status, answer.headers["content-type"], answer.read().decode()]
    except Exception as error:
        return [type(error).__name__, str(error)]
"""
_ARCHITECTURES = {"x86_64": lambda_.Architecture.X86_64, "aarch64": lambda_.Architecture.ARM_64}


def props(**more: Any) -> dict[str, Any]:
    """What the functions have in common: they are for this machine, and this Python."""
    version = f"python3.{sys.version_info.minor}"
    return {
        "runtime": lambda_.Runtime(version, lambda_.RuntimeFamily.PYTHON, supports_inline_code=True),
        "handler": "index.handler",
        "architecture": _ARCHITECTURES[platform.machine()],
        "timeout": cdk.Duration.seconds(20),
        **more,
    }


def synthesize(folder: Path) -> Path:
    """Writes the app's `cdk.out` below `folder`."""
    code = folder / "code"
    code.mkdir(mode=0o755)
    (code / "app.py").write_text(HANDLER)
    shutil.copytree(DEPENDENCY, code / "leftpad_plus", ignore=shutil.ignore_patterns("__pycache__"))

    def attacked() -> dict[str, Any]:
        return props(handler="app.handler", code=lambda_.Code.from_asset(str(code)))

    app = cdk.App(outdir=str(folder / "cdk.out"), analytics_reporting=False)
    stack = cdk.Stack(app, "Shop", env=cdk.Environment(account="210987654321", region="eu-west-1"))
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    table, topic = dynamodb.Table(stack, "Orders", partition_key=key), sns.Topic(stack, "Topic")
    stage = cdk.CfnParameter(stack, "StageName", type="String").value_as_string
    ShieldedFunction(stack, "Checkout", policy=ShieldPolicy(read_handler="block"), **attacked())
    lambda_.Function(stack, "Plain", **attacked())
    quiet = ShieldedFunction(
        stack,
        "Quiet",
        function_name="quiet-one",
        code=lambda_.Code.from_inline(QUIET),
        environment={"TABLE": table.table_name, "TOPIC": topic.topic_arn, "STAGE": stage, "GREETING": "hello"},
        **props(),
    )
    table.grant_read_data(quiet)
    findings = ShieldFindings(stack, "Findings").function
    findings.add_environment("AWS_MAX_ATTEMPTS", "1")
    asks = ShieldedFunction(
        stack,
        "Asks",
        code=lambda_.Code.from_inline(ASKS),
        environment={"TABLE": table.table_name, "AWS_MAX_ATTEMPTS": "1"},
        policy=ShieldPolicy(allow_outbound=["*.good.example"]),
        **props(),
    )
    table.grant_read_write_data(asks)
    nested = cdk.NestedStack(stack, "Nested")
    ShieldedFunction(
        nested,
        "Checkout",
        code=lambda_.Code.from_inline("def handler(event, context):\n    import os\n    return os.environ['TABLE']"),
        environment={"TABLE": table.table_name},
        **props(),
    )
    production = cdk.Stage(app, "Prod")
    ShieldedFunction(cdk.Stack(production, "Shop"), "Refund", policy=ShieldPolicy(read_handler="block"), **attacked())
    app.synth()
    return folder / "cdk.out"
