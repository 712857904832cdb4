"""Parts of runtimes that are fetched or built once and kept in `.tools/runtimes/`, with the tools that do it."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import importlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shielded_function_emulator import node_program as machine_node
from shielded_function_emulator import places

KEPT = places.tools_folder() / "runtimes"
_FETCH = "make runtimes" if places.checkout() else "python -m shielded_function_emulator.languages.fetch"
_MADE = ".made"
_SECONDS = 900


class Unavailable(Exception):
    """A part is not available here; one line says why, and what to do."""


@dataclass(frozen=True)
class Part:
    """A folder below `.tools/runtimes/`.

    Attributes:
        name: of the folder; a version belongs into it.
        pins: its sources: when they change, it is made anew.
        make: fills an empty folder. Raises Unavailable.
        enough: whether the machine has as much already, so that there is nothing to make.
        effort: the text for the user who waits.
        kept: where the folder is.
    """

    name: str
    pins: tuple[str, ...]
    make: Callable[[Path], None]
    enough: Callable[[], bool] = lambda: False
    effort: str = "some seconds"
    kept: Path = KEPT

    @property
    def folder(self) -> Path:
        """The folder itself."""
        return self.kept / self.name

    @property
    def there(self) -> bool:
        """Whether it is made, from these pins, or the machine has enough."""
        made = self.folder / _MADE
        return (made.is_file() and made.read_text() == "\n".join(self.pins)) or self.enough()

    def missing(self) -> str:
        """Empty, or why it is not there, in one line."""
        return "" if self.there else f"{self.name} is not there: run `{_FETCH}`, which says why it is not available"

    def fetch(self) -> bool:
        """Makes it unless it is there; returns whether it was made. Raises Unavailable."""
        with alone(self.name, self.kept):
            if self.there:
                return False
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            self.make(self.folder)
            (self.folder / _MADE).write_text("\n".join(self.pins))
            return True


def first_missing(parts: Sequence[Part]) -> str:
    """Empty, or the reason why the first missing part is missing."""
    return next((reason for part in parts if (reason := part.missing())), "")


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder."""
    with tempfile.TemporaryDirectory(prefix="shield-runtimes-") as name:
        yield Path(name)


@contextmanager
def alone(name: str, kept: Path = KEPT) -> Iterator[None]:
    """Holds a lock file: one process at a time makes the part of this name in this folder."""
    kept.mkdir(parents=True, exist_ok=True)
    with open(kept / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str | Path], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """The stdout of a program.

    Raises Unavailable, with the last lines that it wrote, when it fails or takes a quarter of an hour.
    """
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{name}: {error}") from error
    if done.returncode != 0:
        said = " | ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
        raise Unavailable(f"{name} ended with {done.returncode}: {said}")
    return done.stdout


def compile_cpp(arguments: Sequence[str | Path]) -> None:
    """Runs zig's C++ compiler, which comes from PyPI with the development tools. Raises Unavailable."""
    try:
        zig = Path(str(importlib.import_module("ziglang").__file__)).with_name("zig")
    except ModuleNotFoundError as error:
        raise Unavailable("zig compiles it, which is not installed: pip install '.[dev]'") from error
    run([zig, "c++", *arguments], environment={"ZIG_GLOBAL_CACHE_DIR": str(KEPT / ".zig")})


def download_wheel(requirement: str, sha256: Sequence[str], into: Path, platform: str = "") -> Path:
    """A wheel from the index that pip is set up for; its hash must be one of those given.

    `platform`: a tag of another machine, for Python 3.11 of which it is then; this machine's own when empty.
    """
    wanted = into / "requirements.txt"
    wanted.write_text(" ".join([requirement, *(f"--hash=sha256:{digest}" for digest in sha256)]))
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    pip += ["--platform", platform, "--python-version", "3.11"] if platform else []
    run([*pip, "--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", into, "-r", wanted])
    (wheel,) = into.glob("*.whl")
    return wheel


def unpack_npm(name: str, version: str, integrity: str, into: Path) -> Path:
    """A package as `npm pack` gets it from the registry that npm is set up for, in a folder; nothing of it is run."""
    npm = [*machine_node.npm(machine_node.choose()), "pack", "--silent", "--pack-destination", into]
    run([*npm, f"{name}@{version}"], cwd=into)
    (packed,) = into.glob(f"{name.lstrip('@').replace('/', '-')}-{version}.tgz")
    check_integrity(packed, integrity)
    folder = into / name.rpartition("/")[2]
    with tarfile.open(packed) as archive:
        for member in archive:
            # Names begin with `package/`; npm makes plain files only.
            target = folder / Path(*Path(member.name).parts[1:])
            content = archive.extractfile(member)
            if content is None or ".." in target.parts:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
            target.chmod(member.mode)
    return folder


def check_integrity(file: Path, integrity: str) -> None:
    """Raises Unavailable when a file does not have this hash, written as npm writes it: `sha512-` and base64."""
    found = "sha512-" + base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()
    if found != integrity:
        raise Unavailable(f"{file.name} has the hash {found}, not {integrity}")
