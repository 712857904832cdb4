"""`shielded-function layer`: a file that Lambda takes, its hashes, and what may go wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest

from integration.cli.running import command, says
from shielded_function.layer_archive import ARCHITECTURES, FILES, layer_zip

pytestmark = pytest.mark.promise("cli.templates")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_file_and_its_hashes(architecture: str, tmp_path: Path) -> None:
    file = tmp_path / "layer.zip"
    done = command("layer", "--arch", architecture, "--output", file, "--json")
    assert done.returncode == 0, done.stderr
    content = file.read_bytes()
    digest = hashlib.sha256(content)
    assert json.loads(done.stdout) == {
        "file": str(file),
        "architecture": architecture,
        "bytes": len(content),
        "sha256": digest.hexdigest(),
        "code_sha256": base64.b64encode(digest.digest()).decode(),
    }
    with zipfile.ZipFile(file) as archive:
        assert set(archive.namelist()) == set(FILES)
    assert file.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_the_umask_does_not_matter(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        assert command("layer", "--arch", "arm64", "-o", "layer.zip", cwd=tmp_path).returncode == 0
    finally:
        os.umask(before)
    assert (tmp_path / "layer.zip").read_bytes() == layer_zip("arm64")


def test_the_same_file_again_is_no_error(tmp_path: Path) -> None:
    arguments = ("layer", "--arch", "arm64", "-o", "layer.zip")
    assert command(*arguments, cwd=tmp_path).stdout == command(*arguments, cwd=tmp_path).stdout != ""


def test_another_file_is_replaced_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "layer.zip"
    file.write_text("mine")
    said = says(command("layer", "--arch", "arm64", "-o", file))
    assert said == f"{file} exists and holds something else: write another file, or add --force"
    assert file.read_text() == "mine"
    assert command("layer", "--arch", "arm64", "-o", file, "--force").returncode == 0
    assert file.read_bytes() == layer_zip("arm64")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("nowhere/layer.zip", "nowhere/layer.zip cannot be written: No such file or directory"),
        ("folder", "folder exists and holds something else"),
    ],
)
def test_what_cannot_be_written(output: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert said in says(command("layer", "--arch", "arm64", "-o", output, cwd=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    said = says(command("layer", "--arch", "arm64", "-o", "folder", "--force", cwd=tmp_path))
    assert said == "folder is a folder: name a file"
