"""The layer's files, and the layer as a zip file, with the same bytes on every machine.

It imports neither the CDK nor Node.js, as the command line writes layers too.

A zip file usually contains modes and dates of the file system, and depends on the version of zlib. Here everything is
fixed: the modes by `FILES`, the date by a constant, and the content is stored, not compressed, as zlib and zlib-ng
write different bytes (the whole layer is 350 KB).
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

ARCHITECTURES: Final[Mapping[str, str]] = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's name of an architecture, and the name of the folder with its binaries."""

# The wrapper and its engine, then `configure` for each language, for functions without the wrapper.
FILES: Final[Mapping[str, int]] = {
    "java/lib/shielded-function.jar": 0o644,
    "nodejs/node_modules/shielded-function/index.d.ts": 0o644,
    "nodejs/node_modules/shielded-function/index.js": 0o644,
    "nodejs/node_modules/shielded-function/package.json": 0o644,
    "nodejs/node_modules/shielded-function/shielded_function.node": 0o644,
    "python/shielded_function_runtime/__init__.py": 0o644,
    "python/shielded_function_runtime/configuring.py": 0o644,
    "python/shielded_function_runtime/py.typed": 0o644,
    "shielded-function/libshield-java.so": 0o644,
    "shielded-function/node_callers.cjs": 0o644,
    "shielded-function/libshield.so": 0o644,
    "shielded-function/shield": 0o755,
}
"""The files of the layer below /opt: path and mode."""

_UNIX: Final = 3  # the only system whose modes Lambda reads
_VERSION: Final = 20  # version 2.0 of the format, for stored entries


class MemberFile(NamedTuple):
    """One file of an archive: its bytes and its mode (only permission bits)."""

    content: bytes
    mode: int


def layers_folder() -> Path:
    """The package data `binaries/layer`: a folder for each architecture, each with the files for /opt."""
    return Path(str(importlib.resources.files("shielded_function_runtime"))) / "binaries" / "layer"


def missing_binaries(architecture: str) -> list[str]:
    """The problems of the layer's files for an architecture; empty when they are complete.

    Args:
        architecture: `x86_64` or `arm64`.
    """
    if architecture not in ARCHITECTURES:
        return [f"architecture {architecture}: the shield runs on {' and '.join(ARCHITECTURES)}"]
    root = layers_folder() / ARCHITECTURES[architecture]
    absent = [name for name in FILES if not (root / name).is_file()]
    if not absent:
        return []
    return [
        f"the shield is not built for {architecture} ({' and '.join(absent)} not in {root}): "
        "run `python -m shielded_function_runtime.build`, or install shielded-function from its wheel"
    ]


def layer_files(architecture: str) -> dict[str, MemberFile]:
    """The layer's files for an architecture, without other files in the folder (`__pycache__`).

    Args:
        architecture: `x86_64` or `arm64`.

    Raises:
        KeyError: there is no such architecture.
        OSError: a file cannot be read. Call `missing_binaries` first.
    """
    root = layers_folder() / ARCHITECTURES[architecture]
    return {name: MemberFile((root / name).read_bytes(), mode) for name, mode in FILES.items()}


def write_zip(files: Mapping[str, MemberFile]) -> bytes:
    """A zip file whose bytes depend only on the files' paths, contents and modes.

    Args:
        files: by their paths in the archive, with `/`.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, file in sorted(files.items()):
            entry = zipfile.ZipInfo(name)  # dated 1980-01-01, the format's first day
            entry.external_attr = (stat.S_IFREG | file.mode) << 16
            entry.create_system = _UNIX
            entry.create_version = entry.extract_version = _VERSION
            archive.writestr(entry, file.content, zipfile.ZIP_STORED)
    return buffer.getvalue()


def layer_zip(architecture: str) -> bytes:
    """The layer for an architecture, from `layer_files` and `write_zip`, with their errors."""
    return write_zip(layer_files(architecture))


def sha256_hex(content: bytes) -> str:
    """The SHA-256 in the form of `sha256sum`."""
    return hashlib.sha256(content).hexdigest()


def code_sha256(content: bytes) -> str:
    """The SHA-256 in Lambda's form, base64: `Content.CodeSha256` of a layer version.

    https://docs.aws.amazon.com/lambda/latest/api/API_LayerVersionContentOutput.html
    """
    return base64.b64encode(hashlib.sha256(content).digest()).decode("ascii")
