"""The layer's zip file: its bytes follow from its files alone, and it holds what Lambda must find."""

from __future__ import annotations

import io
import os
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from shielded_function import layer_archive
from shielded_function.layer_archive import ARCHITECTURES, FILES, MemberFile, layer_zip, write_zip
from shielded_function_runtime.build import native

pytestmark = pytest.mark.promise("construct.layer")

SAMPLE = {"z/last": MemberFile(b"2\n", 0o644), "a/program": MemberFile(b"#!/bin/sh\n", 0o755)}


def test_the_bytes_are_these_on_every_system() -> None:
    """Pinned: a Python, a zlib or a system that writes others changes every deployed layer."""
    expected = "da1223f584c88dc807c276e0744019da380f5b9e7be87a64aaf343f091230b07"
    assert layer_archive.sha256_hex(write_zip(SAMPLE)) == expected


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_holds_what_the_build_makes(architecture: str) -> None:
    folder = ARCHITECTURES[architecture]
    built = {path.partition(f"layer/{folder}/")[2] for path in native.PATHS if f"layer/{folder}/" in path}
    with zipfile.ZipFile(io.BytesIO(layer_zip(architecture))) as archive:
        assert archive.testzip() is None
        entries = archive.infolist()
        assert [entry.filename for entry in entries] == sorted(built)
        for entry in entries:
            assert entry.external_attr >> 16 == stat.S_IFREG | FILES[entry.filename]
            assert archive.read(entry) == (native.BINARIES / "layer" / folder / entry.filename).read_bytes()
    assert FILES["shielded-function/shield"] == 0o755


def test_modes_dates_and_leftovers_of_the_folder_do_not_matter(tmp_path: Path) -> None:
    """What an installer, another umask or an import leave behind."""
    shutil.copytree(native.BINARIES / "layer", tmp_path / "layer")
    root = tmp_path / "layer" / "aarch64"
    for file in [path for path in root.rglob("*") if path.is_file()]:
        file.chmod(0o600)
        os.utime(file, (0, 0))
    (root / "python" / "shielded_function_runtime" / "__pycache__").mkdir(exist_ok=True)
    (root / "python" / "shielded_function_runtime" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert layer_zip("arm64", tmp_path / "layer") == layer_zip("arm64")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    shutil.copytree(native.BINARIES / "layer", tmp_path / "layer")
    assert layer_archive.missing_binaries("x86_64", tmp_path / "layer") == []
    (tmp_path / "layer" / "x86_64" / "shielded-function" / "libshield.so").unlink()
    (problem,) = layer_archive.missing_binaries("x86_64", tmp_path / "layer")
    assert problem.startswith("the shield is not built for x86_64 (shielded-function/libshield.so not in ")
    assert layer_archive.missing_binaries("riscv64") == ["architecture riscv64: the shield runs on x86_64 and arm64"]
