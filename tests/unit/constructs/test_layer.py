"""The layer's files: the real ones, missing ones, and ones that lost their mode."""

from __future__ import annotations

import json
import zipfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from shielded_function import ShieldedFunction, ShieldError

pytestmark = pytest.mark.promise("construct.layer")


def test_missing_binaries(stack: cdk.Stack, props: dict[str, Any], layers_folder: Path) -> None:
    (layers_folder / "x86_64" / "shielded-function" / "libshield.so").unlink()
    with pytest.raises(ShieldError) as error:
        ShieldedFunction(stack, "Checkout", **props)
    assert "Shop/Checkout: the shield is not built for x86_64 (shielded-function/libshield.so not in" in str(
        error.value
    )
    assert "python -m shielded_function_runtime.build" in str(error.value)
    ShieldedFunction(stack, "Arm", architecture=lambda_.Architecture.ARM_64, **props)


def test_each_function_gets_the_files_of_its_own_architecture(
    app: cdk.App, stack: cdk.Stack, props: dict[str, Any]
) -> None:
    """From the function in the template to the file that ends up in its /opt."""
    architectures = {"x86_64": lambda_.Architecture.X86_64, "aarch64": lambda_.Architecture.ARM_64}
    for name, architecture in architectures.items():
        ShieldedFunction(stack, name, architecture=architecture, **props)
    assembly = Path(app.synth().directory)
    resources = json.loads((assembly / f"{stack.stack_name}.template.json").read_text())["Resources"]
    files = json.loads((assembly / f"{stack.stack_name}.assets.json").read_text())["files"]
    seen: dict[str, str] = {}
    for function in (r for r in resources.values() if r["Type"] == "AWS::Lambda::Function"):
        [reference] = function["Properties"]["Layers"]
        version = resources[reference["Ref"]]["Properties"]
        assert version["CompatibleArchitectures"] == function["Properties"].get("Architectures", ["x86_64"])
        asset = files[version["Content"]["S3Key"].removesuffix(".zip")]["source"]["path"]
        with zipfile.ZipFile(assembly / asset) if asset.endswith(".zip") else nullcontext() as archive:
            member = "shielded-function/shield"
            text = archive.read(member) if archive else (assembly / asset / member).read_bytes()
        seen[version["CompatibleArchitectures"][0]] = text.decode()
    assert seen == {"x86_64": "shield for x86_64\n", "arm64": "shield for aarch64\n"}


def layer_asset(app: cdk.App, stack: cdk.Stack) -> Path:
    assembly = app.synth()
    assets = json.loads((Path(assembly.directory) / f"{stack.stack_name}.assets.json").read_text())
    [source] = [
        asset["source"] for asset in assets["files"].values() if not asset["source"]["path"].endswith(".template.json")
    ]
    assert source["packaging"] == ("file" if source["path"].endswith(".zip") else "zip")
    return Path(assembly.directory) / source["path"]


def test_the_hash_does_not_depend_on_the_machine(tmp_path: Path, props: dict[str, Any], layers_folder: Path) -> None:
    """Modes that a umask or an installer left, and what an installer compiled, are no part of the layer."""

    def asset_name(name: str) -> str:
        app = cdk.App(outdir=str(tmp_path / name))
        stack = cdk.Stack(app, "Shop")
        ShieldedFunction(stack, "Checkout", **props)
        return layer_asset(app, stack).name

    before = asset_name("before")
    files = layers_folder / "x86_64"
    (files / "shielded-function" / "shield").chmod(0o600)
    compiled = files / "python" / "shielded_function_runtime" / "__pycache__" / "__init__.pyc"
    compiled.parent.mkdir()
    compiled.touch()
    assert asset_name("after") == before
    (files / "shielded-function" / "shield").write_text("another\n")
    assert asset_name("changed") != before
