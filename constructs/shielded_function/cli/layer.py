"""`shielded-function layer`: the shield's layer as a zip file, for those who deploy it without the CDK."""

from __future__ import annotations

import json as json_module
import os
import tempfile
from pathlib import Path

from shielded_function.layer_archive import ARCHITECTURES, code_sha256, layer_zip, missing_binaries, sha256_hex

from .errors import CliError

# What other tools call an architecture that Lambda calls otherwise.
_ALSO_CALLED = {"aarch64": "arm64", "amd64": "x86_64", "x86-64": "x86_64", "x64": "x86_64"}


def write(architecture: str, output: Path, *, force: bool, json: bool) -> int:
    """Writes the file and prints its hashes; always 0. A file with these very bytes is left as it is.

    Raises:
        CliError: no such architecture, the shield is not built, the file is there already (unless `force`) or cannot
            be written.
    """
    content = _content(architecture)
    if _read(output) != content:
        if output.exists() and not force:
            raise CliError(f"{output} exists and holds something else: write another file, or add --force")
        _write(output, content)
    told = {
        "file": str(output),
        "architecture": architecture,
        "bytes": len(content),
        "sha256": sha256_hex(content),
        "code_sha256": code_sha256(content),
    }
    if json:
        print(json_module.dumps(told, indent=2))
    else:
        print(f"{output}: the shield's layer for {architecture}, {len(content)} bytes")
        print(f"SHA-256     {told['sha256']}")
        print(f"CodeSha256  {told['code_sha256']}")
    return 0


def _content(architecture: str) -> bytes:
    if architecture not in ARCHITECTURES:
        meant = _ALSO_CALLED.get(architecture.lower())
        hint = f"Lambda calls it {meant}" if meant else f"there are {' and '.join(ARCHITECTURES)}"
        raise CliError(f"--arch {architecture}: {hint}")
    if problems := missing_binaries(architecture):
        raise CliError("; ".join(problems))
    return layer_zip(architecture)


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _write(file: Path, content: bytes) -> None:
    """In one step: whoever deploys at the same time finds the old file or the new one."""
    if file.is_dir():
        raise CliError(f"{file} is a folder: name a file")
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, file)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True) if temporary else None
        raise CliError(f"{file} cannot be written: {error.strerror}") from error
