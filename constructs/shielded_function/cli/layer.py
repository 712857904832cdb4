"""`shielded-function layer`: the shield's layer as a zip file, to deploy it without the CDK."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from shielded_function.layer.archive import code_sha256, layer_zip, missing_binaries, sha256_hex
from shielded_function.layer.sbom import layer_sbom

from .failures import CliError
from .options import Layer
from .terminal import print_json


def write(options: Layer, *, json: bool) -> int:
    """Writes the layer, and its SBOM, and prints the layer's hashes; always 0. A file with equal bytes is kept.

    Raises:
        CliError: the shield is not built, a file is there already (unless `force`) or cannot be written.
    """
    architecture, output, sbom, force = options
    if problems := missing_binaries(architecture):
        raise CliError("; ".join(problems))
    content = layer_zip(architecture)
    files = {output: content}
    if sbom is not None:
        if sbom == output:
            raise CliError(f"--sbom {sbom} is the layer's own file: name another")
        files[sbom] = layer_sbom(architecture).encode()
    held = {file: file.read_bytes() for file in files if file.is_file() and os.access(file, os.R_OK)}
    changed = [file for file, wanted in files.items() if held.get(file) != wanted]
    for file in changed:
        if file.exists() and not force:
            raise CliError(f"{file} exists and holds something else: write another file, or add --force")
    for file in changed:
        _write(file, files[file])
    hashes = {"sha256": sha256_hex(content), "code_sha256": code_sha256(content)}
    beside = {"sbom": str(sbom)} if sbom else {}
    if json:
        print_json({"file": str(output), "architecture": architecture, "bytes": len(content), **hashes, **beside})
    else:
        print(f"{output}: the shield's layer for {architecture}, {len(content)} bytes")
        for name, value in zip(("SHA-256", "CodeSha256", "SBOM"), (*hashes.values(), *beside.values()), strict=False):
            print(f"{name:10}  {value}")
    return 0


def _write(file: Path, content: bytes) -> None:
    """Replaces the file atomically: a concurrent deployment finds the old or the new one."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as folder:
            made = Path(folder, file.name)
            made.write_bytes(content)
            made.chmod(0o644)
            made.replace(file)
    except OSError as error:
        raise CliError(f"{file} cannot be written: {error.strerror}") from error
