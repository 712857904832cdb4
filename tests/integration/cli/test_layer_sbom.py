"""The layer's SBOM: valid CycloneDX, the hashes of the files in the layer, and the versions that were compiled in."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import zipfile
from pathlib import Path

import pytest

from integration.cli.running import command, says
from shielded_function.layer_archive import ARCHITECTURES
from shielded_function.layer_sbom import BOTOCORE_VERSION, MUSL_VERSION, ZIG_VERSION, layer_sbom
from shielded_function_runtime.build import native

pytestmark = pytest.mark.promise("construct.layer")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_sbom_describes_the_layer_beside_it(architecture: str, tmp_path: Path) -> None:
    from cyclonedx.schema import SchemaVersion  # two seconds, in every worker
    from cyclonedx.validation.json import JsonStrictValidator

    done = command("layer", "--arch", architecture, "-o", "layer.zip", "--sbom", "layer.cdx.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "layer.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = json.loads(text)
    (whole,) = found["metadata"]["component"]["hashes"]
    assert whole["content"] == hashlib.sha256((tmp_path / "layer.zip").read_bytes()).hexdigest()
    with zipfile.ZipFile(tmp_path / "layer.zip") as archive:
        contents = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    files = [component for component in found["components"] if component["type"] == "file"]
    assert {file["name"]: file["hashes"][0]["content"] for file in files} == contents
    uses = {entry["ref"]: entry.get("dependsOn", []) for entry in found["dependencies"]}
    assert uses["shielded-function/shield"] == [f"botocore@{BOTOCORE_VERSION}", f"musl@{MUSL_VERSION}"]
    assert uses["shielded-function/libshield.so"] == [f"botocore@{BOTOCORE_VERSION}"]


def test_sbom_of_one_layer_is_always_the_same() -> None:
    assert layer_sbom("arm64") == layer_sbom("arm64")
    assert json.loads(layer_sbom("arm64"))["serialNumber"] != json.loads(layer_sbom("x86_64"))["serialNumber"]


def test_sbom_names_the_versions_that_are_compiled_in() -> None:
    assert native.ZIG_VERSION == ZIG_VERSION
    assert f"from botocore {BOTOCORE_VERSION}." in (native.NATIVE / "core" / "aws_table.h").read_text()
    spec = importlib.util.find_spec("ziglang")
    assert spec
    assert spec.origin
    header = Path(spec.origin).parent / "lib" / "libc" / "musl" / "src" / "internal" / "version.h"
    assert re.findall(r'"(.*)"', header.read_text()) == [MUSL_VERSION]


def test_sbom_over_another_file_is_an_error(tmp_path: Path) -> None:
    arguments = ("layer", "--arch", "arm64", "-o", "layer.zip")
    (tmp_path / "mine.json").write_text("mine")
    said = says(command(*arguments, "--sbom", "mine.json", cwd=tmp_path))
    assert said == "mine.json exists and holds something else: write another file, or add --force"
    assert not (tmp_path / "layer.zip").exists(), "nothing is half done"
    said = says(command(*arguments, "--sbom", "layer.zip", cwd=tmp_path))
    assert said == "--sbom layer.zip is the layer's own file: name another"
    assert command(*arguments, "--sbom", "mine.json", "--force", cwd=tmp_path).returncode == 0
    assert json.loads((tmp_path / "mine.json").read_text())["bomFormat"] == "CycloneDX"
