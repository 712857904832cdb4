"""Parts of runtimes that are fetched or built once and kept in `.tools/runtimes/`, with the tools that do it."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

KEPT = Path(__file__).resolve().parents[3] / ".tools" / "runtimes"
_MADE = ".made"
_SECONDS = 900


class Unavailable(Exception):
    """A part cannot be had here; one line says why, and what to do."""


@dataclass(frozen=True)
class Part:
    """A folder below `.tools/runtimes/`.

    Attributes:
        name: of the folder; a version belongs into it.
        pins: what it is made of: when that changes, it is made anew.
        make: fills an empty folder. Raises Unavailable.
        tools: programs that `make` needs, each with the Debian package that has it.
        effort: what the one who waits is told.
    """

    name: str
    pins: tuple[str, ...]
    make: Callable[[Path], None]
    tools: Mapping[str, str] = field(default_factory=dict[str, str])
    effort: str = "some seconds"

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return KEPT / self.name

    @property
    def there(self) -> bool:
        """Whether it is made, from these pins."""
        made = self.folder / _MADE
        return made.is_file() and made.read_text() == "\n".join(self.pins)

    def missing(self) -> str:
        """Empty, or why it is not there, in one line."""
        if self.there:
            return ""
        return f"{self.name} is not there: {self.lacking() or 'run `make runtimes`'}"

    def lacking(self) -> str:
        """Empty, or the tools that this machine has to have first."""
        absent = {program: package for program, package in self.tools.items() if not shutil.which(program)}
        if not absent:
            return ""
        packages = " ".join(sorted(set(absent.values())))
        return f"needs {', '.join(absent)}: on Debian and Ubuntu, apt-get install {packages}"

    def fetch(self) -> bool:
        """Makes it unless it is there. Whether there was anything to do. Raises Unavailable."""
        with _alone(self.name):
            if self.there:
                return False
            if lacking := self.lacking():
                raise Unavailable(lacking)
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            self.make(self.folder)
            (self.folder / _MADE).write_text("\n".join(self.pins))
            return True


def first_missing(parts: Sequence[Part]) -> str:
    """Empty, or why the first one that is not there is not there."""
    return next((reason for part in parts if (reason := part.missing())), "")


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for the while."""
    with tempfile.TemporaryDirectory(prefix="shield-runtimes-") as name:
        yield Path(name)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    KEPT.mkdir(parents=True, exist_ok=True)
    with open(KEPT / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str | Path], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """What a program wrote to its stdout.

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


def check_integrity(file: Path, integrity: str) -> None:
    """Raises Unavailable when a file does not have this hash, written as npm writes it: `sha512-` and base64."""
    found = "sha512-" + base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()
    if found != integrity:
        raise Unavailable(f"{file.name} has the hash {found}, not {integrity}")
