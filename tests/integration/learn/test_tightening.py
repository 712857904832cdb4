"""Learning never loosens: a function in alert mode, learned and pasted, reaches of AWS what its role's grants admit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from harness.thinning import long_but
from integration.cli.running import command
from runtimes.functions import STACK, Described, synthesize
from shielded_function.policy import ShieldPolicy
from shielded_function_emulator.cloud_assembly import CloudAssembly

from .test_roll_out import LANGUAGES

pytestmark = pytest.mark.promise("cli.tightens")

APP = """
import contextlib
import os
import socket

def handler(event, context):
    open("/tmp/cache.json", "w").close()
    for service in os.environ["SERVICES"].split():
        with contextlib.suppress(OSError):
            socket.create_connection((f"{service}.{os.environ['AWS_REGION']}.amazonaws.com", 443), 2).close()
"""


class Case(NamedTuple):
    """A function: its role's grants, the services that it calls, `allow_aws` of its policy, and of the learned one."""

    grants: tuple[str, ...]
    calls: str
    allow_aws: Any
    learned: Any


CASES: Mapping[str, Case] = {
    "a table and a bucket": Case(("table", "bucket"), "dynamodb", None, ("dynamodb", "granted")),
    "a call without a grant": Case(("table",), "dynamodb sqs", None, ("dynamodb", "sqs")),
    "every service": Case(("table",), "dynamodb sqs", "all", "all"),
}
CHECKED = ("SHIELD_ALLOW_AWS", "SHIELD_ALLOW_BUCKETS")


def write_app(folder: Path, case: Case, policy: ShieldPolicy) -> Path:
    """The app with this policy."""
    (folder / "code").mkdir(parents=True, exist_ok=True)
    (folder / "code" / "app.py").write_text(APP)

    def grant(fetch: lambda_.Function) -> None:
        if "table" in case.grants:
            key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
            dynamodb.Table(fetch.stack, "Orders", partition_key=key).grant_read_data(fetch)
        if "bucket" in case.grants:
            s3.Bucket(fetch.stack, "Invoices", bucket_name="shop-invoices").grant_read(fetch)

    described = Described("Fetch", *LANGUAGES["python"], folder / "code", policy, {"SERVICES": case.calls}, grant)
    synthesize(folder / "cdk.out", [described])
    return folder / "cdk.out"


def of_aws(directory: Path) -> dict[str, set[str]]:
    """What the function's variables admit of AWS."""
    assembly = CloudAssembly(directory)
    variables = assembly.function(STACK, "Fetch").environment
    return {name: set(variables.get(name, "").split(",")) for name in CHECKED}


def observe(folder: Path, case: Case, policy: ShieldPolicy, status: int = 3) -> tuple[Path, Path]:
    """The app's `cdk.out`, and the function's log of one event."""
    directory, log = write_app(folder, case, policy), folder / "run.log"
    done = command("run", directory, f"{STACK}/Fetch", "--log", log)
    assert done.returncode == status, done.stdout + done.stderr
    return directory, log


def learn_both(log: Path, folder: Path, *options: str | Path) -> tuple[ShieldPolicy, ...]:
    """The policy as a file, and as Python."""
    done = command("learn", log, "--output", folder / "p.toml", *options)
    assert done.returncode == 0, done.stderr
    names: dict[str, Any] = {}
    exec(command("learn", log, "--format", "python", *options).stdout, names)
    return ShieldPolicy.from_file(folder / "p.toml"), names["policy"]


@pytest.mark.parametrize("name", long_but({"a table and a bucket"}, CASES))
def test_block_mode_admits_what_alert_mode_did(tmp_path: Path, name: str) -> None:
    """Of AWS: what the policy of the log admitted, and what was reported; block mode then denies no call."""
    case = CASES[name]
    before = ShieldPolicy(allow_aws=case.allow_aws)
    directory, log = observe(tmp_path / "alert", case, before.with_mode("alert"))
    expected = of_aws(directory)
    learned = learn_both(log, tmp_path)
    assert [each.allow_aws for each in learned] == [case.learned] * 2
    assert "allow_aws" in (tmp_path / "p.toml").read_text().split("[")[0], "the file says what it means"
    if "sqs" in case.calls and case.allow_aws != "all":
        expected["SHIELD_ALLOW_AWS"] |= {"sqs"}
    for number, policy in enumerate((*learned, *learn_both(log, tmp_path, "--assembly", directory))):
        assert policy.outbound_connectivity == "block"
        folder = tmp_path / str(number)
        assert of_aws(write_app(folder, case, policy)) == expected, f"{number}: {policy.allow_aws}"
    observe(tmp_path / "block", case, learned[0], status=0)
