"""The versions of Python that Lambda has: those that this machine has too, each with the runtime client and boto3.

Versions that this machine lacks come from a newer release of Debian. They need that release's C library, so the sandbox
has that release's system in place of this machine's.

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

from shielded_function_emulator.languages import debian, python
from shielded_function_emulator.languages.parts import Part, Unavailable, first_missing, run
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.platform_files import RUNTIME_ROOT

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_SUPPORTED = ("3.11", "3.12", "3.13", "3.14", "3.15")
_OF_RELEASE = {"3.13": "trixie", "3.14": "forky", "3.15": "forky"}
_SYSTEM = ("dash", "coreutils", "libstdc++6")
_THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
_WHERE = "import sys; print(sys.base_prefix, '%d.%d' % sys.version_info[:2])"
_XRAY = ("aws-xray-sdk==2.15.0", "wrapt==2.5.2")


@lru_cache(maxsize=8)
def _machine_prefix(version: str) -> Path | None:
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


def _make_release(version: str, into: Path) -> None:
    """The system in `usr`, and Python apart from it in `lang`, as in Lambda."""
    debian.unpack((f"python{version}", *_SYSTEM), into, _OF_RELEASE[version])
    for name in (f"bin/python{version}", f"lib/python{version}"):
        (into / "lang" / name).parent.mkdir(parents=True)
        shutil.move(into / "usr" / name, into / "lang" / name)
    run([*_outside(into, version), "-m", "compileall", "-q", into / "lang"])


def _outside(release: Path, version: str) -> tuple[str | Path, ...]:
    """The command of its Python on this machine, whose C library is older."""
    loader, *_ = release.glob("usr/lib*/ld-linux-*")
    libraries = ":".join(str(folder) for folder in release.glob("usr/lib/*-linux-gnu"))
    return loader, "--library-path", libraries, release / "lang" / "bin" / f"python{version}"


_RELEASES = {
    version: Part(
        f"python-{version}-of-debian-{release}",
        (version, *_SYSTEM),
        partial(_make_release, version),
        enough=lambda version=version: _machine_prefix(version) is not None,
        effort=f"Debian {release}'s python{version} and C library by apt",
        size=23,
    )
    for version, release in _OF_RELEASE.items()
}


def _prefix(version: str) -> Path | None:
    """Where this version is: the machine's, else the release's."""
    part = _RELEASES.get(version)
    return _machine_prefix(version) or (part.folder / "lang" if part and part.there else None)


def _release_of(prefix: Path) -> Path | None:
    """The unpacked release that a Python belongs to; None: it is the machine's."""
    return next((part.folder for part in _RELEASES.values() if prefix == part.folder / "lang"), None)


def _lacking(version: str) -> str:
    if _prefix(version):
        return ""
    part = _RELEASES.get(version)
    other = part.missing() if part else "no registry has one to fetch: install it"
    return f"no python{version} is on PATH, none is pyenv's, and {other}"


def _install(version: str, requirements: Sequence[str], options: Sequence[str], into: Path) -> None:
    """Wheels for that version, and their bytecode: inside, they are read-only, and every start would compile anew."""
    prefix = _prefix(version)
    if prefix is None:
        raise Unavailable(_lacking(version))
    release = _release_of(prefix)
    interpreter = _outside(release, version) if release else (prefix / "bin" / f"python{version}",)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", *options]
    run([*pip, "--only-binary=:all:", "--python-version", version, "--target", into, *requirements])
    run([*interpreter, "-m", "compileall", "-q", into])


def _part(name: str, version: str, requirements: Sequence[str], *options: str) -> Part:
    make = partial(_install, version, tuple(requirements), options)
    pins = (version, *requirements)
    return Part(f"{name}-for-python-{version}", pins, make, effort="from the package index", size=17)


def _runtime_client(version: str) -> Part:
    requirements = [f"{name}=={metadata.version(name)}" for name in python.RUNTIME_DISTRIBUTIONS]
    return _part("runtime-client", version, requirements)


# The tests' own version has its client in the virtual environment.
_CLIENTS = {version: _runtime_client(version) for version in _SUPPORTED if version != _THIS}
# AWS's X-Ray SDK, which functions bring along; botocore, which it requires, is the runtime's.
XRAY: Mapping[str, Part] = {version: _part("xray", version, _XRAY, "--no-deps") for version in _SUPPORTED}
PARTS = (*_RELEASES.values(), *_CLIENTS.values(), *XRAY.values())


def _runtime(version: str) -> Runtime:
    part = _CLIENTS[version]

    def mounts() -> Mapping[str, Path]:
        prefix = _prefix(version)
        if prefix is None:
            raise FileNotFoundError(_lacking(version))
        release = _release_of(prefix)
        system = {"/usr": release / "usr"} if release else {}
        packages = {path for path in part.folder.glob("[!.]*") if path.name not in {"bin", "__pycache__"}}
        return system | python.interpreter(prefix) | {f"{RUNTIME_ROOT}/{path.name}": path for path in sorted(packages)}

    return python.row(
        name=f"python{version}",
        version=version,
        mounts=mounts,
        missing=lambda: _lacking(version) or first_missing([part]),
        parts=[of[version] for of in (_RELEASES, _CLIENTS) if version in of],
        own=lambda: "" if (prefix := _prefix(version)) is None or _release_of(prefix) else str(prefix),
    )


VERSIONS: Mapping[str, Runtime] = {
    version: python.THIS if version == _THIS else _runtime(version) for version in _SUPPORTED
}


def available() -> Mapping[str, Runtime]:
    """Those of them that can be run here."""
    return {version: runtime for version, runtime in VERSIONS.items() if not runtime.missing()}
