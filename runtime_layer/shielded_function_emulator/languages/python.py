"""Python: the interpreter that runs the tests at /var/lang, the runtime client and boto3 at /var/runtime.

The runtime client, boto3 and their dependencies are packages of the tests' virtual environment, each mounted alone, as
in Lambda, so that a function does not import a test's tools by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from shielded_function_emulator.languages.parts import Part
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.machine import is_emulated, machine, python_name
from shielded_function_emulator.platform_files import LANGUAGE_ROOT, LAYERS_ROOT, RUNTIME_ROOT

_BOOTSTRAP = f"{RUNTIME_ROOT}/bootstrap.py"
_VERSION = python_name().removeprefix("python")
RUNTIME_DISTRIBUTIONS = ("awslambdaric", "boto3")


def interpreter(prefix: Path) -> dict[str, Path]:
    """An interpreter and the bootstrap: at /var/lang and, for its own absolute library paths, at its place on this
    machine."""
    mounts = {LANGUAGE_ROOT: prefix, _BOOTSTRAP: Path(__file__).with_name("python_bootstrap.py")}
    if not is_emulated() and not prefix.is_relative_to("/usr"):
        mounts[str(prefix)] = prefix
    return mounts


def _mounts() -> dict[str, Path]:
    """Besides the interpreter, the top-level packages and modules that belong at /var/runtime.

    Raises ModuleNotFoundError (PackageNotFoundError) when the environment lacks one of them.
    """
    mounts = interpreter(machine().language)
    for name in closure(RUNTIME_DISTRIBUTIONS):
        mounts |= {f"{RUNTIME_ROOT}/{path.name}": path for path in top_level(name)}
    if native := machine().packages:
        mounts |= {f"{RUNTIME_ROOT}/{path.name}": path for path in native.glob("[!.]*")}
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


def row(
    *,
    name: str,
    version: str,
    mounts: Callable[[], Mapping[str, Path]],
    missing: Callable[[], str],
    parts: Sequence[Part] = (),
    own: Callable[[], str] = str,
) -> Runtime:
    """A version of Python (`3.13`)."""
    return Runtime(
        name=name,
        command=(f"{LANGUAGE_ROOT}/bin/python{version}", _BOOTSTRAP),
        mounts=mounts,
        missing=missing,
        execution_environment=f"AWS_Lambda_python{version}",
        environment={"PYTHONPATH": f"{LAYERS_ROOT}/python:{RUNTIME_ROOT}"},
        parts=parts,
        own=own,
    )


# Whatever version a template asks for, it is this one that runs.
THIS = row(name="python3.*", version=_VERSION, mounts=_mounts, missing=lambda: "")
RUNTIMES = (THIS,)
