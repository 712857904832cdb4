"""Runs `shielded-function` in processes that are forked from this one, which has imported it: that is most of its time.

Each line on the socket asks for one run (`arguments`, `environment`, `cwd`, and a `folder` with its stdin, where its
stdout and stderr go), and is answered with the exit status.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import socket
import sys
from functools import cache
from typing import Any

import typer.main

from shielded_function.cli.learned_policy import aws_services
from shielded_function_monitoring.learning.hosts import domain_of

COMMAND = "shielded_function.cli"
# What the commands import when they are called. None of them may bring the CDK, which starts Node.js.
_IMPORTED = ("alerts", "audit", "layer", "learn", "policy", "render", "report", "run", "set_mode", "app")


def take_over(request: dict[str, Any]) -> None:
    """In the child: as if it had been started so."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, name, flags in (
        (0, "stdin", os.O_RDONLY),
        (1, "stdout", os.O_WRONLY | os.O_CREAT),
        (2, "stderr", os.O_WRONLY | os.O_CREAT),
    ):
        opened = os.open(os.path.join(request["folder"], name), flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = [COMMAND, *request["arguments"]]


def serve(channel: socket.socket) -> dict[str, Any]:
    """Returns in each child, with what it is to run."""
    with channel, channel.makefile("rw") as asked:
        for line in asked:
            if (child := os.fork()) == 0:
                return json.loads(line)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            asked.write(f"{status}\n")
            asked.flush()
    os._exit(0)


if __name__ == "__main__":
    for module in _IMPORTED:
        importlib.import_module(f"{COMMAND}.{module}")
    for module in ("boto3", "botocore.session", "typer._adapters"):
        importlib.import_module(module)
    domain_of("example.com")  # reads the list of public suffixes
    aws_services()  # lists botocore's folders
    # Each run would read the signatures of all commands again.
    typer.main.get_command = cache(typer.main.get_command)
    typer.main.get_command(importlib.import_module(f"{COMMAND}.app").app)
    assert "aws_cdk" not in sys.modules
    gc.freeze()
    take_over(serve(socket.socket(fileno=int(sys.argv[1]))))
    try:
        runpy.run_module(COMMAND, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        sys.stdout.flush()
        sys.stderr.flush()
        # An interpreter that ends visits, and so copies, all that it shares with its parent.
        os._exit(int(ended.code or 0))
