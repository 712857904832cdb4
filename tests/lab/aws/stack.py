"""The app in `app/`: synthesized, planned, deployed, and removed again whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from harness.command_line import CDK
from lab.aws.account import Account
from shielded_function_emulator import node_program as node

APP = Path(__file__).parent / "app"

_DEPLOY_SECONDS = 1800
Say = Callable[[str], None]


class StackError(Exception):
    """A step on the stack failed; the text ends with what was said."""


@dataclass
class Stack:
    """One stack of this run.

    Attributes:
        name: unique to the run.
        assembly: what `cdk synth` wrote.
        qualifier: that of the CDK's bootstrap.
        account: where it goes.
        present: assets that were in the bootstrap's bucket before, which stay there; None: nobody has looked yet.
    """

    name: str
    assembly: Path
    qualifier: str
    account: Account
    present: set[str] | None = None

    def template(self) -> Mapping[str, Any]:
        """The synthesized template."""
        return json.loads((self.assembly / f"{self.name}.template.json").read_text())

    def assets(self) -> dict[str, str]:
        """The bucket of each object that the deployment uploads, by key."""
        manifest = json.loads((self.assembly / f"{self.name}.assets.json").read_text())
        found: dict[str, str] = {}
        for asset in manifest["files"].values():
            for destination in asset["destinations"].values():
                bucket = destination["bucketName"].replace("${AWS::AccountId}", self.account.account_id)
                bucket = bucket.replace("${AWS::Region}", self.account.region)
                found[destination["objectKey"]] = bucket.replace("${AWS::Partition}", "aws")
        return found

    def plan(self) -> list[str]:
        """What it will create and what that costs, in lines."""
        template = self.template()
        kinds = Counter(resource["Type"] for resource in template["Resources"].values())
        kinds.pop("AWS::CDK::Metadata", None)
        size = sum(file.stat().st_size for file in self.assembly.rglob("*") if file.is_file()) / 1e6
        return [
            f"stack {self.name} in account {self.account.account_id}, {self.account.region}, as {self.account.caller}",
            *(f"  {count} x {kind}" for kind, count in sorted(kinds.items())),
            f"  and {len(self.assets())} objects in the CDK's bucket, {size:.1f} MB before compression",
            f"cost: about {kinds['AWS::Lambda::Function'] * 2} invocations of at most 2 minutes at 256 MB, less than",
            f"  1 MB of logs, {kinds['AWS::CloudWatch::Alarm']} alarms and as many custom metrics for less than an",
            "  hour: a few US cents at list prices, nothing within the free tier",
            "the functions try to reach 203.0.113.66 and names under .example (nobody's), write one file to /tmp, and",
            "  run `id`; nothing else of the account is touched; all is deleted at the end, also after Ctrl-C",
        ]

    def synthesize(self) -> None:
        """Writes the cloud assembly."""
        settings = {"stack": self.name, "@aws-cdk/core:bootstrapQualifier": self.qualifier}
        context = [option for name, value in settings.items() for option in ("--context", f"{name}={value}")]
        self._cdk("synth", "--quiet", "--output", str(self.assembly), *context)

    def deploy(self) -> dict[str, str]:
        """Deploys; returns the physical id of each resource by its construct's path in the stack (`BlockedX8664`)."""
        self.present = self._existing_assets()
        self._cdk("deploy", self.name, "--require-approval=never", "--app", str(self.assembly))
        pages = self.account.client("cloudformation").get_paginator("list_stack_resources")
        found = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages.paginate(StackName=self.name)
            for resource in page["StackResourceSummaries"]
        }
        paths = {
            name: r.get("Metadata", {}).get("aws:cdk:path", "") for name, r in self.template()["Resources"].items()
        }
        return {
            path.removeprefix(f"{self.name}/").removesuffix("/Resource"): found[name]
            for name, path in paths.items()
            if name in found
        }

    def delete(self) -> list[str]:
        """Deletes the stack and the assets that were not there before; returns what could not be deleted."""
        return [*self._delete_stack(), *self._delete_assets()]

    def _delete_stack(self) -> list[str]:
        client = self.account.client("cloudformation")
        try:
            client.delete_stack(StackName=self.name)
            client.get_waiter("stack_delete_complete").wait(
                StackName=self.name, WaiterConfig={"Delay": 5, "MaxAttempts": 180}
            )
        except WaiterError:
            kept = client.list_stack_resources(StackName=self.name)["StackResourceSummaries"]
            kept = [resource for resource in kept if resource["ResourceStatus"] != "DELETE_COMPLETE"]
            return [f"stack {self.name}", *(f"{r['ResourceType']} {r.get('PhysicalResourceId')}" for r in kept)]
        except (BotoCoreError, ClientError) as error:
            try:  # who may not call CloudFormation may still assume the CDK's role
                self._cdk("destroy", self.name, "--force", "--app", str(self.assembly))
            except StackError as second:
                return [f"stack {self.name}: {error}; {second}"]
        return []

    def _existing_assets(self) -> set[str]:
        return {key for key, bucket in self.assets().items() if self._exists(bucket, key)}

    def _exists(self, bucket: str, key: str) -> bool:
        try:
            self.account.client("s3").head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            return error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound")  # in doubt it is not ours
        return True

    def _delete_assets(self) -> list[str]:
        left: list[str] = []
        for key, bucket in self.assets().items():
            if self.present is None or key in self.present:
                continue
            try:
                self.account.client("s3").delete_object(Bucket=bucket, Key=key)
            except (BotoCoreError, ClientError) as error:
                left.append(f"s3://{bucket}/{key}: {error}")
        return left

    def _cdk(self, *arguments: str) -> None:
        if not CDK.exists():
            raise StackError("the CDK command line is not in node_modules: run `make setup`")
        environment = {**node.environment_with(node.choose()), "CDK_DISABLE_CLI_TELEMETRY": "true"}
        environment |= {"AWS_REGION": self.account.region, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                [str(CDK), *arguments, "--no-notices", "--no-color"],
                cwd=APP,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_DEPLOY_SECONDS,
                check=False,
                start_new_session=True,  # Ctrl-C is this program's, which stops it and cleans up
            )
        except subprocess.TimeoutExpired as error:
            raise StackError(f"cdk {arguments[0]} did not end within {_DEPLOY_SECONDS} s") from error
        if done.returncode != 0:
            raise StackError(f"cdk {arguments[0]} failed:\n{done.stdout[-4000:]}")


class LeftBehind(Exception):
    """Something could not be deleted; the text names it."""


@contextmanager
def deployed(stack: Stack, say: Say) -> Iterator[dict[str, str]]:
    """Deploys, gives the names of what is there, and deletes: after success, a failure, Ctrl-C, SIGTERM or SIGHUP.

    A signal during the deletion is ignored, and said so.

    Raises:
        LeftBehind: something could not be deleted.
    """
    ours = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in ours}
    for number in ours:
        signal.signal(number, _interrupt)
    try:
        yield stack.deploy()
    finally:
        for number in ours:
            signal.signal(number, _insist)
        say(f"deleting the stack {stack.name}")
        try:
            left = stack.delete()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if left:
            raise LeftBehind("could not be deleted:" + "".join(f"{os.linesep}  {what}" for what in left))
        say("everything is deleted")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _insist(*_: object) -> None:
    print("test-aws: still deleting; what is left otherwise costs money", file=sys.stderr)
