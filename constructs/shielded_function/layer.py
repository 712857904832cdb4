"""The Lambda layer that holds the shield: one per stack and architecture."""

from __future__ import annotations

import importlib.resources
import stat
import zipfile
from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from .errors import ShieldError

WRAPPER: Final = "/opt/shielded-function/shield"
"""The exec wrapper, where the layer puts it (layers are unpacked into /opt)."""

ARCHITECTURES: Final[dict[str, str]] = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's name of an architecture, and the name of the folder with its binaries."""

# The wrapper and its engine, then `configure` for each language, which functions without the wrapper call.
_FILES: Final[dict[str, int]] = {
    "java/lib/shielded-function.jar": 0o644,
    "nodejs/node_modules/shielded-function/index.d.ts": 0o644,
    "nodejs/node_modules/shielded-function/index.js": 0o644,
    "nodejs/node_modules/shielded-function/package.json": 0o644,
    "nodejs/node_modules/shielded-function/shielded_function.node": 0o644,
    "python/shielded_function_runtime/__init__.py": 0o644,
    "python/shielded_function_runtime/configuring.py": 0o644,
    "python/shielded_function_runtime/py.typed": 0o644,
    "shielded-function/libshield-java.so": 0o644,
    "shielded-function/libshield.so": 0o644,
    "shielded-function/shield": 0o755,
}


def layers_folder() -> Path:
    """The package data `binaries/layer`: a folder per architecture, each with what goes into /opt."""
    return Path(str(importlib.resources.files("shielded_function_runtime"))) / "binaries" / "layer"


def missing_binaries(architecture: str) -> list[str]:
    """What is wrong with the layer's files for an architecture; empty when they are all there."""
    folder = ARCHITECTURES.get(architecture)
    if folder is None:
        return [f"architecture {architecture}: the shield runs on {' and '.join(ARCHITECTURES)}"]
    root = layers_folder() / folder
    absent = [name for name in _FILES if not (root / name).is_file()]
    if not absent:
        return []
    return [
        f"the shield is not built for {architecture} ({' and '.join(absent)} not in {root}): "
        "run `python -m shielded_function_runtime.build`, or install shielded-function from its wheel"
    ]


def shield_layer(scope: IConstruct, architecture: lambda_.Architecture) -> lambda_.LayerVersion:
    """The stack's layer for an architecture, made at its first use.

    Raises:
        ShieldError: the binaries are not there, or the id is taken by another construct.
    """
    stack = cdk.Stack.of(scope)
    construct_id = f"ShieldedFunctionLayer-{architecture.name}"
    existing = stack.node.try_find_child(construct_id)
    if isinstance(existing, lambda_.LayerVersion):
        return existing
    if existing is not None:
        raise ShieldError(existing.node.path, ["this construct id is the shield layer's: give it another"])
    if problems := missing_binaries(architecture.name):
        raise ShieldError(scope.node.path, problems)
    return lambda_.LayerVersion(
        stack,
        construct_id,
        code=lambda_.Code.from_asset(
            str(_asset(stack, architecture.name)),
            exclude=["**/__pycache__"],  # an installer compiles what it finds, for the Python of that machine
        ),
        compatible_architectures=[architecture],
        description=f"Shielded Function for {architecture.name}: decides what a function's code may do",
        license="Apache-2.0",
    )


def _asset(stack: cdk.Stack, architecture: str) -> Path:
    """The folder, or a zip of it where the files' modes cannot be relied upon.

    The CDK CLI takes modes from the file system. Windows has none, and some installers drop them; Lambda would then
    find a wrapper that is not executable and start no function.
    """
    source = layers_folder() / ARCHITECTURES[architecture]
    if all(_mode(source / name) & wanted == wanted for name, wanted in _FILES.items()):
        return source
    stage = cdk.Stage.of(stack)
    assert stage is not None, "a stack is always part of a stage: its app, at least"
    archive = Path(stage.asset_outdir) / f"shielded-function-layer-{architecture}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name, wanted in sorted(_FILES.items()):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFREG | wanted) << 16
            entry.create_system = 3  # Unix: the only system whose modes Lambda reads
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, (source / name).read_bytes())
    return archive


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
