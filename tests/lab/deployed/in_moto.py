"""The functions of an app in moto's CloudFormation, deployed again and again.

moto knows half of the types of a large app, and fails at what refers to the others. So templates are reduced to
functions and log groups. Left out are images, inline code (moto cannot update it), networks, and what moto drops of a
function: layers and `LoggingConfig`. A reference to what is not there becomes a text, all functions have one role, and
all code is one archive. So variables and identities are all that can be seen here. `test_deployed` deploys whole apps.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.deploying import Stack, read_stacks

_FUNCTION = "AWS::Lambda::Function"
_KEPT = {_FUNCTION, "AWS::Logs::LogGroup"}
_LEFT_OUT = ("FileSystemConfigs", "Layers", "LoggingConfig", "RuntimeManagementConfig", "VpcConfig")
_UNKNOWN = ":1:2:3:4:5/6/7/8"  # behind an id: what takes an ARN or a URL apart finds its part
_TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


class FunctionsInMoto:
    """What moto has of an app. Call it within `moto.mock_aws`."""

    def __init__(self) -> None:
        import boto3

        self._clients: dict[str, Any] = {
            name: boto3.client(name, region_name="us-east-1") for name in ("cloudformation", "iam", "lambda", "s3")
        }
        trust = json.dumps({"Statement": [_TRUST]})
        role = self._clients["iam"].create_role(RoleName="functions", AssumeRolePolicyDocument=trust)
        self._role = role["Role"]["Arn"]
        self._clients["s3"].create_bucket(Bucket="assets")
        with io.BytesIO() as archive:
            with zipfile.ZipFile(archive, "w") as code:
                code.writestr("index.py", "")
            self._clients["s3"].put_object(Bucket="assets", Key="code", Body=archive.getvalue())
        self.arns: dict[str, str] = {}

    def deploy(self, assembly: Path) -> dict[str, tuple[dict[str, str], dict[str, Any]]]:
        """Creates or updates all stacks: by function, the variables that moto has, and those of the template.

        Raises:
            AssertionError: a function has another ARN than before.
        """
        found: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}
        for stack in _all(read_stacks(assembly)):
            reduced, name = self._reduce(stack.template), stack.name.replace("/", "-")
            if reduced["Resources"]:
                found |= self._deploy(name, reduced)
        return found

    def _deploy(self, name: str, template: dict[str, Any]) -> dict[str, tuple[dict[str, str], dict[str, Any]]]:
        cloudformation = self._clients["cloudformation"]
        there = any(stack["StackName"] == name for stack in cloudformation.describe_stacks()["Stacks"])
        change = cloudformation.update_stack if there else cloudformation.create_stack
        change(StackName=name, TemplateBody=json.dumps(template))
        found: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}
        for resource in cloudformation.describe_stack_resources(StackName=name)["StackResources"]:
            if resource["ResourceType"] == _FUNCTION:
                logical_id, physical_id = resource["LogicalResourceId"], resource["PhysicalResourceId"]
                made = self._clients["lambda"].get_function_configuration(FunctionName=physical_id)
                key = f"{name}/{logical_id}"
                assert self.arns.setdefault(key, made["FunctionArn"]) == made["FunctionArn"]
                wanted = template["Resources"][logical_id]["Properties"]["Environment"]["Variables"]
                found[key] = made.get("Environment", {}).get("Variables", {}), wanted
        return found

    def _reduce(self, template: dict[str, Any]) -> dict[str, Any]:
        kept = {n: r for n, r in template["Resources"].items() if r["Type"] in _KEPT and _stays(n, r)}
        return {"Resources": {name: self._part(resource, set(kept)) for name, resource in kept.items()}}

    def _part(self, resource: dict[str, Any], kept: set[str]) -> dict[str, Any]:
        properties = {k: _known(v, kept) for k, v in resource.get("Properties", {}).items() if k not in _LEFT_OUT}
        if resource["Type"] == _FUNCTION:
            properties |= {"Role": self._role, "Code": {"S3Bucket": "assets", "S3Key": "code"}}
            # moto leaves the variables of a function as they are where a template has none any more.
            properties.setdefault("Environment", {"Variables": {}})
        return {"Type": resource["Type"], "Properties": properties}


def _all(stacks: list[Stack] | tuple[Stack, ...]) -> Iterator[Stack]:
    for stack in stacks:
        yield stack
        yield from _all(stack.nested)


def _stays(logical_id: str, resource: dict[str, Any]) -> bool:
    """It has an archive, and no step deletes it: moto asks for what comes back by its former name."""
    return "FirstSeen" not in logical_id and not {"ZipFile", "ImageUri"} & set(
        resource.get("Properties", {}).get("Code", {})
    )


def _known(value: Any, kept: set[str]) -> Any:
    """A value without references to what is not there."""
    if isinstance(value, list):
        return [_known(each, kept) for each in value]
    if not isinstance(value, dict):
        return value
    if "Fn::ImportValue" in value:
        return f"imported{_UNKNOWN}"
    referred = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
    if isinstance(referred, str) and referred not in kept and not referred.startswith("AWS::"):
        return f"{referred}{_UNKNOWN}"
    return {key: _known(each, kept) for key, each in value.items()}
