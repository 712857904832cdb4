"""Functions are read from `cdk.out` as they would be deployed; what cannot be known is an error that names it."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shielded_function_emulator.cloud_assembly import CloudAssembly, CloudAssemblyError, Known
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
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Shop.template.json"}}
    assets = {"type": "cdk:asset-manifest", "properties": {"file": "Shop.assets.json"}}
    documents = {
        "manifest.json": {"artifacts": {"Shop": stack, "Shop.assets": assets}},
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
    found = (package.logical_id, package.handler, package.memory_mb, package.timeout_seconds, package.environment)
    assert found == ("Pay", "app.handler", 512, 9, {"TABLE": "Shop-Table", "WHERE": "in-us-east-1"})
    package = assembly(tmp_path, function()).function("Shop", "Pay")
    assert (package.memory_mb, package.timeout_seconds, package.environment) == (128, 3, {})  # Lambda's defaults
    package.unpack_layers(tmp_path / "opt")
    assert {path.name: path.read_text() for path in (tmp_path / "opt").iterdir()} == {"a": "first", "b": "second"}
    assert (tmp_path / "opt" / "b").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"Environment": {"Variables": {"Q": {"Ref": "Queue"}}}}, "Ref Queue: the Ref of a AWS::SQS::Queue"),
        ({"Environment": {"Variables": {"Q": {"Fn::GetAtt": ["Queue", "Arn"]}}}}, "GetAtt Queue.Arn: known only after"),
        ({"Architectures": ["riscv"]}, "Pay: it is for riscv; this machine is"),
        ({"Code": {"ImageUri": "x"}, "PackageType": "Image"}, "a function of a container image cannot be run here"),
        ({"Code": {"ZipFile": "..."}, "Runtime": "java21"}, "java21 takes no code from the template"),
        ({"Code": {"S3Bucket": "b", "S3Key": {"Ref": "Key"}}}, "only file assets can be run"),
        ({"Code": {"S3Key": "other.zip"}}, "the asset 'other.zip' is not in"),
        ({"Layers": ["arn:aws:lambda:us-east-1:1:layer:x:1"]}, "is not in the template"),
    ],
)
def test_what_cannot_be_run_is_named(tmp_path: Path, properties: dict[str, Any], message: str) -> None:
    with pytest.raises(CloudAssemblyError, match=message):
        assembly(tmp_path, function(**properties)).function("Shop", "Pay")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    read = assembly(tmp_path, function())
    for stack, name, said in (
        ("Shed", "Pay", r"no stack Shed in .*; there are: Shop"),
        ("Shop", "Refund", "no function R"),
    ):
        with pytest.raises(CloudAssemblyError, match=said):
            read.function(stack, name)
    with pytest.raises(CloudAssemblyError, match="is not the output of `cdk synth`"):
        CloudAssembly(tmp_path / "nowhere")


def test_all_unknown_values_are_named_at_once_with_their_fix(tmp_path: Path) -> None:
    variables = {
        "URL": {"Ref": "Queue"},
        "ARN": {"Fn::Sub": "x-${Queue.Arn}"},
        "SECRET": "{{resolve:secretsmanager:s}}",
        "GONE": {"Ref": "AWS::NoValue"},
        "KNOWN": "yes",
    }
    read = assembly(tmp_path, function(Environment={"Variables": variables}))
    with pytest.raises(CloudAssemblyError) as error:
        read.function("Shop", "Pay")
    for name, key in {"URL": "Queue", "ARN": "Queue.Arn", "SECRET": "{{resolve:secretsmanager:s}}"}.items():
        assert f"(give --value {key}=... or --env {name}=...)" in str(error.value)
    known = Known(variables={"URL": "u", "NEW": "n"}, values={"Queue.Arn": "a", "{{resolve:secretsmanager:s}}": "s"})
    package = read.package(read.find("Pay"), known)
    assert package.environment == {"URL": "u", "NEW": "n", "ARN": "x-a", "SECRET": "s", "KNOWN": "yes"}


def test_a_layer_from_elsewhere_is_given_or_left_out(tmp_path: Path) -> None:
    """And the code is in the template."""
    arn = "arn:aws:lambda:us-east-1:1:layer:x:1"
    read = assembly(tmp_path, function(Layers=[arn], Code={"ZipFile": "# é"}))
    assert read.package(read.find("Pay"), Known(layers={arn: None})).layers == ()
    package = read.package(read.find("Pay"), Known(layers={arn: tmp_path}))
    assert package.layers == (tmp_path,)
    package.unpack_code(tmp_path / "task")
    assert [(path.name, path.read_text()) for path in (tmp_path / "task").iterdir()] == [("index.py", "# é")]
    assert (tmp_path / "task").stat().st_mode & 0o005 == 0o005


def test_ways_to_name_a_function(tmp_path: Path) -> None:
    resource = function(FunctionName="pay-me")
    assembly(tmp_path, resource)
    read = rewrite(
        tmp_path, "Shop.template.json", lambda template: template.update(Resources={"PayFunction": resource})
    )
    for wanted in ("Shop/Pay", "Shop/Pay/Resource", "/Shop/Pay", "PayFunction", "pay-me", "Pay"):
        place = read.find(wanted)
        assert (place.logical_id, str(place)) == ("PayFunction", "Shop/Pay"), wanted


def test_construct_paths_without_metadata_in_the_template(tmp_path: Path) -> None:
    """As `cdk synth --no-path-metadata` writes it; the same logical id is in a nested stack too, first."""
    bare = {k: v for k, v in function().items() if k != "Metadata"}
    assembly(tmp_path, bare)
    assert str(CloudAssembly(tmp_path).find("Pay")) == "Pay (in Shop)"
    digest = "a" * 64
    url = {"Fn::Sub": f"https://s3/assets/{digest}.json"}
    inside = {"In": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}}
    rewrite(tmp_path, "Shop.template.json", lambda template: template["Resources"].update(inside))
    (tmp_path / "In.nested.template.json").write_text(json.dumps({"Resources": {"Pay": bare}}))
    asset = {digest: {"source": {"path": "In.nested.template.json"}}}
    rewrite(tmp_path, "Shop.assets.json", lambda assets: assets["files"].update(asset))
    paths = {"In/Pay/Resource": "Pay", "Till/Resource": "Pay", "In.NestedStack/In.NestedStackResource": "In"}
    metadata = {f"/Shop/{path}": [{"type": "aws:cdk:logicalId", "data": name}] for path, name in paths.items()}
    read = rewrite(tmp_path, "manifest.json", lambda m: m["artifacts"]["Shop"].update({"metadata": metadata}))
    assert [place.path for place in read.functions()] == ["Shop/Till", "Shop/In/Pay"]
    assert read.find("Till").path == "Shop/Till"
    assert read.find("Shop/In/Pay").stack == "In.nested.template.json"
    with pytest.raises(CloudAssemblyError, match="Pay may be any of Shop/Till, Shop/In/Pay: give the construct path"):
        read.find("Pay")


def rewrite(folder: Path, file: str, change: Callable[[Any], object]) -> CloudAssembly:
    """Changes a JSON file of an assembly, and reads it anew."""
    document = json.loads((folder / file).read_text())
    change(document)
    (folder / file).write_text(json.dumps(document))
    return CloudAssembly(folder)


def test_region_account_and_what_another_stack_exports(tmp_path: Path) -> None:
    """A value, and a layer."""
    where = {"Fn::Sub": "${AWS::Partition}:${AWS::Region}:${AWS::AccountId}.${AWS::URLSuffix}"}
    variables = {"TABLE": {"Fn::ImportValue": "Base:Table"}, "WHERE": where}
    assembly(tmp_path, function(Environment={"Variables": variables}, Layers=[{"Fn::ImportValue": "Base:Layer"}]))
    layer = {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": {"S3Key": "first.zip"}}}
    base = {
        "Resources": {"T": {"Type": "AWS::DynamoDB::Table"}, "L": layer},
        "Outputs": {
            "A": {"Value": {"Ref": "T"}, "Export": {"Name": "Base:Table"}},
            "B": {"Value": {"Ref": "L"}, "Export": {"Name": "Base:Layer"}},
        },
    }
    # In the assembly, but not in the one manifest of this stack's assets: both stacks share a directory.
    (tmp_path / "Base.template.json").write_text(json.dumps(base))
    properties = {"templateFile": "Base.template.json", "stackName": "base-eu"}
    artifact = {"Base": {"type": "aws:cloudformation:stack", "properties": properties}}
    environment = {"environment": "aws://210987654321/cn-north-1"}
    rewrite(tmp_path, "manifest.json", lambda manifest: manifest["artifacts"]["Shop"].update(environment))
    read = rewrite(tmp_path, "manifest.json", lambda manifest: manifest["artifacts"].update(artifact))
    package = read.function("Shop", "Pay")
    assert package.environment == {"TABLE": "base-eu-T", "WHERE": "aws-cn:cn-north-1:210987654321.amazonaws.com.cn"}
    assert package.region == "cn-north-1"
    assert package.layers == (tmp_path / "asset.first",)
