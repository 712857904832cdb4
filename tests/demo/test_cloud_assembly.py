"""Functions are read from `cdk.out` as they would be deployed; what cannot be known is an error that names it."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from shielded_function_emulator.cloud_assembly import CloudAssembly, CloudAssemblyError
from shielded_function_emulator.intrinsics import IntrinsicError, Resolver
from shielded_function_emulator.kernel import machine

ARCHITECTURE = {"aarch64": "arm64"}.get(machine(), machine())
PATH = {"aws:cdk:path": "Shop/Pay/Resource"}


def function(**properties: Any) -> dict[str, Any]:
    """A function resource of an app `Shop`, with some properties replaced."""
    usual = {
        "Architectures": [ARCHITECTURE],
        "Code": {"S3Bucket": {"Fn::Sub": "assets-${AWS::Region}"}, "S3Key": "code.zip"},
        "Handler": "app.handler",
        "Runtime": "python3.13",
        "Layers": [{"Ref": "First"}, {"Ref": "Second"}],
    }
    return {"Type": "AWS::Lambda::Function", "Metadata": PATH, "Properties": usual | properties}


def assembly(folder: Path, pay: dict[str, Any]) -> CloudAssembly:
    """Writes a `cdk.out` with a directory asset, a directory layer and a zipped layer over it."""
    layer = {"Type": "AWS::Lambda::LayerVersion"}
    resources = {
        "Pay": pay,
        "First": layer | {"Properties": {"Content": {"S3Key": "first.zip"}}},
        "Second": layer | {"Properties": {"Content": {"S3Key": "second.zip"}}},
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
    }
    for name, text in {"asset.code/app.py": "", "asset.first/a": "first", "asset.first/b": "first"}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with zipfile.ZipFile(folder / "asset.second.zip", "w") as archive:
        entry = zipfile.ZipInfo("b")
        entry.external_attr = (stat.S_IFREG | 0o755) << 16
        archive.writestr(entry, "second")
    sources = {"code": "asset.code", "first": "asset.first", "second": "asset.second.zip"}
    files = {name: {"source": {"path": path}} for name, path in sources.items()}
    documents = {
        "manifest.json": {
            "artifacts": {
                "Shop": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Shop.template.json"}},
                "Shop.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Shop.assets.json"}},
            }
        },
        "Shop.template.json": {"Resources": resources},
        "Shop.assets.json": {"files": files},
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document))
    return CloudAssembly(folder)


def test_a_function_is_read_whole(tmp_path: Path) -> None:
    variables = {"TABLE": {"Ref": "Table"}, "WHERE": {"Fn::Join": ["-", ["in", {"Ref": "AWS::Region"}]]}}
    pay = function(Environment={"Variables": variables}, MemorySize=512, Timeout=9)
    package = assembly(tmp_path, pay).function("Shop", "Pay")
    assert (package.logical_id, package.handler, package.memory_mb, package.timeout_seconds) == (
        "Pay",
        "app.handler",
        512,
        9,
    )
    assert package.environment == {"TABLE": "Shop-Table", "WHERE": "in-us-east-1"}


def test_defaults_are_lambdas(tmp_path: Path) -> None:
    package = assembly(tmp_path, function()).function("Shop", "Pay")
    assert (package.memory_mb, package.timeout_seconds, package.environment) == (128, 3, {})


def test_layers_are_merged_in_their_order_with_their_permissions(tmp_path: Path) -> None:
    package = assembly(tmp_path, function()).function("Shop", "Pay")
    package.unpack_layers(tmp_path / "opt")
    assert {path.name: path.read_text() for path in (tmp_path / "opt").iterdir()} == {"a": "first", "b": "second"}
    assert (tmp_path / "opt" / "b").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"Environment": {"Variables": {"Q": {"Ref": "Queue"}}}}, "Ref Queue: what a AWS::SQS::Queue refers to"),
        ({"Environment": {"Variables": {"Q": {"Fn::GetAtt": ["Queue", "Arn"]}}}}, "Fn::GetAtt .* without a deployment"),
        ({"Architectures": ["riscv"]}, "Pay is for riscv; this machine is"),
        ({"Code": {"ZipFile": "def handler(): ..."}}, "only file assets can be run"),
        ({"Code": {"S3Key": "other.zip"}}, "the asset other.zip is not in"),
        ({"Layers": ["arn:aws:lambda:us-east-1:1:layer:x:1"]}, "is not in the template"),
    ],
)
def test_what_cannot_be_run_is_named(tmp_path: Path, properties: dict[str, Any], message: str) -> None:
    with pytest.raises(CloudAssemblyError, match=message):
        assembly(tmp_path, function(**properties)).function("Shop", "Pay")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    read = assembly(tmp_path, function())
    with pytest.raises(CloudAssemblyError, match=r"no stack Shed in .*; there are: Shop"):
        read.function("Shed", "Pay")
    with pytest.raises(CloudAssemblyError, match="no function Refund in the stack Shop"):
        read.function("Shop", "Refund")
    with pytest.raises(CloudAssemblyError, match="is not the output of `cdk synth`"):
        CloudAssembly(tmp_path / "nowhere")


TEMPLATE: dict[str, Any] = {
    "Parameters": {"Stage": {"Default": "test"}, "Secret": {}},
    "Resources": {"Named": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "attic"}}},
}


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("plain", "plain"),
        ({"Ref": "AWS::StackName"}, "Shop"),
        ({"Ref": "Stage"}, "test"),
        ({"Ref": "Named"}, "attic"),
        ({"Fn::Sub": "${Stage}.${AWS::URLSuffix}/${!Literal}"}, "test.amazonaws.com/${Literal}"),
        ({"Fn::Sub": ["${Own}-${Named}", {"Own": {"Ref": "Stage"}}]}, "test-attic"),
        ({"a": [{"Ref": "Stage"}, 1], "Ref": 2}, {"a": ["test", 1], "Ref": 2}),
    ],
)
def test_intrinsics(value: Any, resolved: Any) -> None:
    assert Resolver("Shop", TEMPLATE).resolve(value) == resolved


@pytest.mark.parametrize("value", [{"Ref": "Secret"}, {"Ref": "Missing"}, {"Fn::ImportValue": "x"}])
def test_what_only_a_deployment_knows_is_an_error(value: Any) -> None:
    with pytest.raises(IntrinsicError, match=r"Secret|Missing|ImportValue"):
        Resolver("Shop", TEMPLATE).resolve(value)
