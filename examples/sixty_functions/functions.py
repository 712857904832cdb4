"""How a row of a table becomes a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

HERE = Path(__file__).parent

# Languages: the runtime, and the handler in handlers/.
PYTHON = (lambda_.Runtime.PYTHON_3_13, "index.handler")
NODE = (lambda_.Runtime.NODEJS_22_X, "index.handler")
JAVA = (lambda_.Runtime.JAVA_21, "Handler::handleRequest")
RUST = (lambda_.Runtime.PROVIDED_AL2023, "bootstrap")

# The methods that grant, by what a row calls them; a resource has one of each line.
METHODS = {
    "read": ("grant_read_data", "grant_read"),
    "write": ("grant_write_data", "grant_put", "grant_write"),
    "change": ("grant_read_write_data", "grant_read_write"),
    "send": ("grant_send_messages", "grant_publish", "grant_put_events_to"),
    "receive": ("grant_consume_messages",),
    "connect": ("grant_connect",),
}


@dataclass(frozen=True)
class Row:
    """A function."""

    name: str
    language: tuple[lambda_.Runtime, str]
    may: str = ""  # what it is granted: "write parcels, send registered", or an action on any resource, "ses:SendEmail"
    on: str = ""  # what starts it, as its stack reads it
    arm: bool = False
    vpc: bool = False
    make: Callable[..., Any] = lambda_.Function
    options: dict[str, Any] = field(default_factory=dict[str, Any])


def make_functions(scope: Construct, data: Any, rows: Iterable[Row]) -> dict[str, Any]:
    """The functions of a table, by name, with what they are granted of the resources in `data`."""
    code = lambda_.Code.from_asset(str(HERE / "handlers"), exclude=["__pycache__"])
    # A new libc or interpreter comes with a deployment, which CodeDeploy shifts to, and not by itself.
    updates = lambda_.RuntimeManagementMode.FUNCTION_UPDATE
    common: dict[str, Any] = {
        "code": code,
        "memory_size": 512,
        "timeout": cdk.Duration.seconds(30),
        "runtime_management_mode": updates,
    }
    functions: dict[str, Any] = {}
    for row in rows:
        options = {**common, "runtime": row.language[0], "handler": row.language[1], **row.options}
        if row.arm:
            options["architecture"] = lambda_.Architecture.ARM_64
        if row.vpc:
            options |= {"vpc": data.vpc, "security_groups": [data.inside]}
        functions[row.name] = row.make(scope, row.name, **options)
        for grant in filter(None, row.may.split(", ")):
            _grant(functions[row.name], grant, data)
    return functions


def _grant(function: Any, grant: str, data: Any) -> None:
    verb, _, name = grant.partition(" ")
    if verb in METHODS:
        resource = getattr(data, name)
        next(getattr(resource, method) for method in METHODS[verb] if hasattr(resource, method))(function)
    else:
        function.add_to_role_policy(iam.PolicyStatement(actions=[verb], resources=["*"]))
