"""An account of moto's with one shielded function."""

from __future__ import annotations

import io
import json
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from shielded_function.policy import ShieldPolicy

REGION = "eu-west-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
SHIELDED = {
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/shielded-function/shield",
    "TABLE": "orders",
    **ShieldPolicy(allow_outbound=["api.stripe.com:443"], read_handler="block").to_env(),
}


def make_role(iam: Any) -> None:
    """The role that the functions have: moto looks for it."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="checkout", AssumeRolePolicyDocument=policy)


def make_function(client: Any, name: str = "checkout", variables: dict[str, str] | None = None, **options: Any) -> None:
    """A function of a zip file; shielded, unless `variables` are given."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return event")
    client.create_function(
        FunctionName=name,
        Role="arn:aws:iam::123456789012:role/checkout",
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": SHIELDED if variables is None else variables},
        **options,
    )


@contextmanager
def moto_account() -> Iterator[tuple[dict[str, str], Any]]:
    """An account on moto's server with the function `checkout`: the environment to reach it, and a Lambda client."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        here = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
        # moto keeps its accounts in this process: what an earlier test made is there still.
        reset = urllib.request.Request(f"{here['AWS_ENDPOINT_URL']}/moto-api/reset", method="POST")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(reset, timeout=10).close()
        options = {"region_name": REGION, "endpoint_url": here["AWS_ENDPOINT_URL"]}
        options |= {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        make_role(boto3.client("iam", **options))
        client = boto3.client("lambda", **options)
        make_function(client)
        yield here, client
    finally:
        server.stop()
