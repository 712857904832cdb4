"""The versions of Python that Lambda has: those that this machine has too, each with the runtime client and boto3.

A template that asks for any Python runs on the tests' own (`python.THIS`). A test that is about versions takes the rows
of this table: `EmulatedFunction(package, runtime=VERSIONS["3.13"])`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from importlib import metadata
from pathlib import Path

from shielded_function_emulator.languages import python
from shielded_function_emulator.languages.parts import Part, Unavailable, first_missing, run
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.platform_files import RUNTIME_ROOT

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
_THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
_WHERE = "import sys; print(sys.base_prefix, '%d.%d' % sys.version_info[:2])"
_XRAY = ("aws-xray-sdk==2.15.0", "wrapt==2.5.2")


@lru_cache(maxsize=8)
def _prefix(version: str) -> Path | None:
    """Where this version is installed: the one on PATH, else pyenv's newest. The name alone says nothing."""
    kept = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [
        shutil.which(f"python{version}"),
        *sorted(kept.glob(f"{version}.*/bin/python{version}"), reverse=True),
    ]
    for candidate in filter(None, candidates):
        done = subprocess.run([candidate, "-c", _WHERE], capture_output=True, text=True, check=False)
        prefix, _, found = done.stdout.strip().rpartition(" ")
        if done.returncode == 0 and found == version:
            return Path(prefix).resolve()
    return None


def _lacking(version: str) -> str:
    if _prefix(version):
        return ""
    return f"no python{version} is on PATH, none is pyenv's, and no registry has one to fetch: install it"


def _install(version: str, requirements: Sequence[str], options: Sequence[str], into: Path) -> None:
    """Wheels for that version, and their bytecode: inside, they are read-only, and every start would compile anew."""
    prefix = _prefix(version)
    if prefix is None:
        raise Unavailable(_lacking(version))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", *options]
    run([*pip, "--only-binary=:all:", "--python-version", version, "--target", into, *requirements])
    run([prefix / "bin" / f"python{version}", "-m", "compileall", "-q", into])


def _part(name: str, version: str, requirements: Sequence[str], *options: str) -> Part:
    make = partial(_install, version, tuple(requirements), options)
    return Part(f"{name}-for-python-{version}", (version, *requirements), make, effort="from the package index")


def _runtime_client(version: str) -> Part:
    requirements = [f"{name}=={metadata.version(name)}" for name in python.RUNTIME_DISTRIBUTIONS]
    return _part("runtime-client", version, requirements)


# The tests' own version has its client in the virtual environment.
_CLIENTS = {version: _runtime_client(version) for version in _SUPPORTED if version != _THIS}
# AWS's X-Ray SDK, which functions bring along; botocore, which it requires, is the runtime's.
XRAY: Mapping[str, Part] = {version: _part("xray", version, _XRAY, "--no-deps") for version in _SUPPORTED}
PARTS = (*_CLIENTS.values(), *XRAY.values())


def _runtime(version: str) -> Runtime:
    part = _CLIENTS[version]

    def mounts() -> Mapping[str, Path]:
        prefix = _prefix(version)
        if prefix is None:
            raise FileNotFoundError(_lacking(version))
        packages = {path for path in part.folder.glob("[!.]*") if path.name not in {"bin", "__pycache__"}}
        return python.interpreter(prefix) | {f"{RUNTIME_ROOT}/{path.name}": path for path in sorted(packages)}

    return python.row(
        name=f"python{version}",
        version=version,
        mounts=mounts,
        missing=lambda: _lacking(version) or first_missing([part]),
    )


VERSIONS: Mapping[str, Runtime] = {
    version: python.THIS if version == _THIS else _runtime(version) for version in _SUPPORTED
}


def available() -> Mapping[str, Runtime]:
    """Those of them that can be run here."""
    return {version: runtime for version, runtime in VERSIONS.items() if not runtime.missing()}
