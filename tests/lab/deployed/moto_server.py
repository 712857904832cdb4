"""moto's server on loopback, in a process of its own, and the AWS clients and the CDK command line that talk to it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from harness.command_line import CDK, ROOT, cdk_environment

ACCOUNT = "123456789012"  # moto's own
REGION = "us-east-1"
# In the name of the bootstrap's bucket. moto reads a template that the CLI has put into a bucket only where the word
# "localhost" is in the address, and the CLI addresses buckets by path only where the host is a number.
QUALIFIER = "localhost"

# Nobody listens there: what does not go to loopback fails.
_NOWHERE = "http://127.0.0.1:9"
_SERVE = Path(__file__).with_name("serve.py")
_START_SECONDS = 60.0
_CDK_SECONDS = 600.0


@dataclass(frozen=True)
class MotoServer:
    """A running server."""

    port: int

    @property
    def url(self) -> str:
        """The endpoint of every service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes any AWS SDK talk to this server and to nobody else."""
        return {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "HTTP_PROXY": _NOWHERE,
            "HTTPS_PROXY": _NOWHERE,
            "NO_PROXY": "127.0.0.1",
        }

    def client(self, service: str) -> Any:
        """A boto3 client of this server, whatever the environment says."""
        session = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION)
        return session.client(service, endpoint_url=self.url)

    def post(self, path: str, body: Mapping[str, Any]) -> None:
        """Asks for one of moto's own services (`/moto-api/...`)."""
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"Content-Type": "application/json"})
        with _direct().open(request, timeout=30):
            pass

    def cdk(self, *arguments: str, home: Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """Runs the CDK command line against this server; stderr, where it reports, is part of stdout.

        Args:
            arguments: the command and its options.
            home: a folder for what the command line keeps between runs.
            cwd: where the app is.
        """
        return subprocess.run(
            [str(CDK), *arguments, "--no-notices", "--no-color", "--ci=false"],
            cwd=cwd,
            env={**cdk_environment(home), **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_CDK_SECONDS,
            check=False,
        )


@contextmanager
def moto_server(log: Path) -> Iterator[MotoServer]:
    """Starts a server, and stops it at the end.

    Args:
        log: what it prints.

    Raises:
        RuntimeError: it did not start; the text ends with what it printed.
    """
    server = MotoServer(_free_port())
    command = [sys.executable, "-W", "ignore", str(_SERVE), "--host", "127.0.0.1", "--port", str(server.port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output)
        try:
            _wait_until_ready(server, process, log)
            # Functions are not run: moto would need Docker for it.
            server.post("/moto-api/config", {"lambda": {"use_docker": False}})
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)


def physical_resources(server: MotoServer, stack: str) -> dict[str, str]:
    """The physical id of each resource that moto says it made, by logical id.

    moto lists what it dropped as well, but without a name.
    """
    pages = server.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    summaries: list[dict[str, Any]] = [summary for page in pages for summary in page["StackResourceSummaries"]]
    return {s["LogicalResourceId"]: s["PhysicalResourceId"] for s in summaries if s["LogicalResourceId"]}


def stacks(server: MotoServer, *, without: Sequence[str] = ("CDKToolkit",)) -> list[str]:
    """The names of the stacks that are there, nested ones too."""
    found = server.client("cloudformation").describe_stacks()["Stacks"]
    return [stack["StackName"] for stack in found if stack["StackName"] not in without]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _direct() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _wait_until_ready(server: MotoServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            _direct().open(f"{server.url}/moto-api/data.json", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"moto's server did not start:\n{log.read_text()[-4000:]}")
