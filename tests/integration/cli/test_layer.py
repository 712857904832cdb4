"""`shielded-function layer`: a file that Lambda takes, whose bytes follow from its files alone, its hashes and SBOM."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import re
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from integration.cli.running import command, says
from shielded_function.cli import layer
from shielded_function.cli.options import Layer
from shielded_function.layer import archive
from shielded_function.layer.archive import ARCHITECTURES, FILES, MemberFile, layer_zip, write_zip
from shielded_function.layer.sbom import BOTOCORE_VERSION, MUSL_VERSION, ZIG_VERSION, layer_sbom
from shielded_function_runtime.build import native

pytestmark = [pytest.mark.promise("cli.templates"), pytest.mark.promise("construct.layer")]

SAMPLE = {"z/last": MemberFile(b"2\n", 0o644), "a/program": MemberFile(b"#!/bin/sh\n", 0o755)}
ARM64 = ("layer", "--arch", "arm64", "-o", "layer.zip")


def test_the_bytes_are_these_on_every_system() -> None:
    """Pinned: a Python, a zlib or a system that writes others changes every deployed layer."""
    expected = "da1223f584c88dc807c276e0744019da380f5b9e7be87a64aaf343f091230b07"
    assert archive.sha256_hex(write_zip(SAMPLE)) == expected


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_layer_and_the_sbom_beside_it(architecture: str, tmp_path: Path) -> None:
    """It holds what the build makes; the SBOM is valid CycloneDX, with the hashes of the layer and of its files."""
    from cyclonedx.schema import SchemaVersion  # two seconds, in every worker
    from cyclonedx.validation.json import JsonStrictValidator

    file = tmp_path / "layer.zip"
    done = command("layer", "--arch", architecture, "-o", file, "--sbom", "layer.cdx.json", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    content = file.read_bytes()
    digest = hashlib.sha256(content)
    coded = base64.b64encode(digest.digest()).decode()
    expected = {"file": str(file), "architecture": architecture, "bytes": len(content)}
    expected |= {"sha256": digest.hexdigest(), "code_sha256": coded}
    assert expected.items() <= json.loads(done.stdout).items()
    assert file.stat().st_mode & 0o777 == 0o644
    folder = ARCHITECTURES[architecture]
    built = {path.partition(f"layer/{folder}/")[2] for path in native.PATHS if f"layer/{folder}/" in path}
    hashes: dict[str, str] = {}
    with zipfile.ZipFile(file) as zipped:
        assert zipped.testzip() is None
        assert zipped.namelist() == sorted(built) == sorted(FILES)
        for entry in zipped.infolist():
            assert entry.external_attr >> 16 == stat.S_IFREG | FILES[entry.filename]
            assert zipped.read(entry) == (native.BINARIES / "layer" / folder / entry.filename).read_bytes()
            hashes[entry.filename] = hashlib.sha256(zipped.read(entry)).hexdigest()
    assert FILES["shielded-function/shield"] == 0o755
    text = (tmp_path / "layer.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = json.loads(text)
    (whole,) = found["metadata"]["component"]["hashes"]
    assert whole["content"] == digest.hexdigest()
    files = [component for component in found["components"] if component["type"] == "file"]
    assert {each["name"]: each["hashes"][0]["content"] for each in files} == hashes
    uses = {entry["ref"]: entry.get("dependsOn", []) for entry in found["dependencies"]}
    assert uses["shielded-function/shield"] == [f"botocore@{BOTOCORE_VERSION}", f"musl@{MUSL_VERSION}"]
    assert uses["shielded-function/libshield.so"] == [f"botocore@{BOTOCORE_VERSION}"]


def test_modes_dates_and_leftovers_of_the_folder_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an installer, another umask or an import leave behind."""
    shutil.copytree(native.BINARIES / "layer", tmp_path / "layer")
    root = tmp_path / "layer" / "aarch64"
    for file in [path for path in root.rglob("*") if path.is_file()]:
        file.chmod(0o600)
        os.utime(file, (0, 0))
    (root / "python" / "shielded_function_runtime" / "__pycache__").mkdir(exist_ok=True)
    (root / "python" / "shielded_function_runtime" / "__pycache__" / "x.pyc").write_bytes(b"x")
    as_built = layer_zip("arm64")
    monkeypatch.setattr(archive, "layers_folder", lambda: tmp_path / "layer")
    assert layer_zip("arm64") == as_built
    assert archive.missing_binaries("x86_64") == []
    (tmp_path / "layer" / "x86_64" / "shielded-function" / "libshield.so").unlink()
    (problem,) = archive.missing_binaries("x86_64")
    assert problem.startswith("the shield is not built for x86_64 (shielded-function/libshield.so not in ")
    assert archive.missing_binaries("riscv64") == ["architecture riscv64: the shield runs on x86_64 and arm64"]


def test_the_umask_does_not_matter(tmp_path: Path) -> None:
    """The same file again is no error."""
    before = os.umask(0o077)
    try:
        for _ in range(2):
            assert layer.write(Layer("arm64", tmp_path / "layer.zip"), json=False) == 0
    finally:
        os.umask(before)
    assert (tmp_path / "layer.zip").read_bytes() == layer_zip("arm64")
    assert (tmp_path / "layer.zip").stat().st_mode & 0o777 == 0o644


def test_another_file_is_replaced_when_asked(tmp_path: Path) -> None:
    for name in ("layer.zip", "mine.json"):
        (tmp_path / name).write_text("mine")
    other = "exists and holds something else: write another file, or add --force"
    assert says(command(*ARM64, cwd=tmp_path)) == f"layer.zip {other}"
    assert (tmp_path / "layer.zip").read_text() == "mine"
    (tmp_path / "layer.zip").unlink()
    assert says(command(*ARM64, "--sbom", "mine.json", cwd=tmp_path)) == f"mine.json {other}"
    assert not (tmp_path / "layer.zip").exists(), "nothing is half done"
    (tmp_path / "layer.zip").write_text("mine")
    assert command(*ARM64, "--sbom", "mine.json", "--force", cwd=tmp_path).returncode == 0
    assert (tmp_path / "layer.zip").read_bytes() == layer_zip("arm64")
    assert json.loads((tmp_path / "mine.json").read_text())["bomFormat"] == "CycloneDX"


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
