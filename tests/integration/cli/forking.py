"""What the processes of `running.command` are forked from: it has imported the command, which is most of its time."""

from __future__ import annotations

import gc
import importlib
import sys
from functools import cache

import typer.main

from shielded_function.cli.learned_policy import aws_services
from shielded_function_monitoring.learning.hosts import domain_of

# What the commands import when they are called. None of them may bring the CDK, which starts Node.js.
_IMPORTED = ("alerts", "audit", "layer", "learn", "policy", "render", "report", "run", "set_mode", "app")

for _name in (*(f"shielded_function.cli.{each}" for each in _IMPORTED), "boto3", "botocore.session", "typer._adapters"):
    importlib.import_module(_name)
domain_of("example.com")  # reads the list of public suffixes
aws_services()  # lists botocore's folders
# Each run would read the signatures of all commands again.
typer.main.get_command = cache(typer.main.get_command)
typer.main.get_command(sys.modules["shielded_function.cli.app"].app)
assert "aws_cdk" not in sys.modules
gc.freeze()
