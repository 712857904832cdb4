"""What the platform brings into a sandbox: the interpreter at /var/lang, the runtime client and boto3 at /var/runtime.

On a developer's machine these are the Python that runs the tests and packages of its virtual environment: the runtime
client, boto3 and what they require, as in Lambda, so that a function does not import a test's tools by luck.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

TASK_ROOT = "/var/task"
LAYERS_ROOT = "/opt"
LANGUAGE_ROOT = "/var/lang"
RUNTIME_ROOT = "/var/runtime"
RAPID_ROOT = "/var/rapid"

INTERPRETER = f"{LANGUAGE_ROOT}/bin/python{sys.version_info.major}.{sys.version_info.minor}"

_RUNTIME_DISTRIBUTIONS = ("awslambdaric", "boto3")
_BOOTSTRAP = Path(__file__).parent / "bootstrap.sh"


def interpreter_mounts() -> dict[str, Path]:
    """The interpreter at /var/lang and, for its own absolute library paths, at its place on this machine."""
    prefix = Path(sys.base_prefix).resolve()
    mounts = {LANGUAGE_ROOT: prefix}
    if not prefix.is_relative_to("/usr"):
        mounts[str(prefix)] = prefix
    return mounts


def runtime_mounts() -> dict[str, Path]:
    """The bootstrap and the top-level packages and modules that belong at /var/runtime.

    Raises ModuleNotFoundError (PackageNotFoundError) when the environment lacks one of them.
    """
    mounts = {f"{RUNTIME_ROOT}/bootstrap": _BOOTSTRAP}
    for name in _closure(_RUNTIME_DISTRIBUTIONS):
        mounts |= {f"{RUNTIME_ROOT}/{path.name}": path for path in _top_level(name)}
    return mounts


@lru_cache(maxsize=1)
def _closure(names: tuple[str, ...]) -> tuple[str, ...]:
    """The distributions with all that they require in this environment."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.append(name)
        requirements = [Requirement(line) for line in metadata.requires(name) or ()]
        waiting += [r.name for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    return tuple(found)


@lru_cache(maxsize=64)
def _top_level(name: str) -> frozenset[Path]:
    distribution = metadata.distribution(name)
    tops = {path.parts[0] for path in distribution.files or () if path.parts[0] not in {"..", "__pycache__"}}
    return frozenset(Path(str(distribution.locate_file(top))) for top in tops)
