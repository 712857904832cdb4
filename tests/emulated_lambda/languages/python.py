"""Python: the interpreter that runs the tests at /var/lang, the runtime client and boto3 at /var/runtime.

The runtime client, boto3 and what they require are packages of the tests' virtual environment, each mounted alone, as
in Lambda, so that a function does not import a test's tools by luck.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from emulated_lambda.languages.runtime import Runtime
from emulated_lambda.platform_files import INTERPRETER, LANGUAGE_ROOT, LAYERS_ROOT, RUNTIME_ROOT

_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_RUNTIME_DISTRIBUTIONS = ("awslambdaric", "boto3")


def _interpreter() -> dict[str, Path]:
    """The interpreter at /var/lang and, for its own absolute library paths, at its place on this machine."""
    prefix = Path(sys.base_prefix).resolve()
    mounts = {LANGUAGE_ROOT: prefix}
    if not prefix.is_relative_to("/usr"):
        mounts[str(prefix)] = prefix
    return mounts


def _mounts() -> dict[str, Path]:
    """Besides the interpreter, the top-level packages and modules that belong at /var/runtime.

    Raises ModuleNotFoundError (PackageNotFoundError) when the environment lacks one of them.
    """
    mounts = _interpreter()
    for name in closure(_RUNTIME_DISTRIBUTIONS):
        mounts |= {f"{RUNTIME_ROOT}/{path.name}": path for path in top_level(name)}
    return mounts


@lru_cache(maxsize=8)
def closure(names: tuple[str, ...]) -> tuple[str, ...]:
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
def top_level(name: str) -> frozenset[Path]:
    """The top-level packages and modules of a distribution in this environment."""
    distribution = metadata.distribution(name)
    tops = {path.parts[0] for path in distribution.files or () if path.parts[0] not in {"..", "__pycache__"}}
    return frozenset(Path(str(distribution.locate_file(top))) for top in tops)


THIS = Runtime(
    # Whatever version a template asks for, it is this one that runs.
    name="python3.*",
    command=(INTERPRETER, "-m", "awslambdaric"),
    mounts=_mounts,
    missing=lambda: "",
    execution_environment=f"AWS_Lambda_python{_VERSION}",
    environment={"PYTHONPATH": f"{LAYERS_ROOT}/python:{RUNTIME_ROOT}"},
)
RUNTIMES = (THIS,)
