"""Parts of runtimes that are fetched or built once and kept in `.tools/runtimes/`, with the tools that do it."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shielded_function_emulator import node_program as machine_node
from shielded_function_emulator import places

KEPT = places.tools_folder() / "runtimes"
_FETCH = "make runtimes" if places.checkout() else "shielded-function fetch RUNTIME"
_MADE = ".made"
_SECONDS = 900
_PROGRESS_SECONDS = 0.5
# The compiler, with the hashes of its wheels for x86_64 and aarch64.
ZIG = (
    "ziglang==0.17.1",
    "ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54",
    "b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e",
)
# The temporary folders into which parts are being downloaded.
_SCRATCH: list[Path] = []


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
        size: of the downloads for it, in MB; 0 for a part of the tests.
    """

    name: str
    pins: tuple[str, ...]
    make: Callable[[Path], None]
    enough: Callable[[], bool] = lambda: False
    effort: str = "some seconds"
    kept: Path = KEPT
    size: int = 0

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
        return "" if self.there else f"{self.name} is not there: run `{_FETCH}`"

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


def provide(parts: Sequence[Part], report: Callable[[str], None], live: Callable[[str], None] | None = None) -> None:
    """Makes the parts that are not there.

    Args:
        parts: in the order in which they need each other.
        report: called with one line for each.
        live: called again and again with the progress, and with an empty text at its end.

    Raises:
        Unavailable: one of them cannot be made here.
    """
    for part in parts:
        if part.there:
            continue
        report(f"fetching {part.name}, once ({part.size} MB; {part.effort})")
        done = threading.Event()
        if live:
            threading.Thread(target=_watch, args=(part, live, done), daemon=True).start()
        try:
            part.fetch()
        finally:
            done.set()
            if live:
                live("")


def _watch(part: Part, live: Callable[[str], None], done: threading.Event) -> None:
    """Shows how much has come, by the size of the temporary folders; all of it, while it is unpacked or compiled."""
    begun, most = time.monotonic(), 0
    while not done.wait(_PROGRESS_SECONDS):
        found = (file for folder in list(_SCRATCH) for file in folder.rglob("*") if file.is_file())
        most = max(most, min(part.size, _bytes(found) // 1_000_000))
        live(f"{part.name}: {most} of {part.size} MB, {time.monotonic() - begun:.0f} s")


def _bytes(files: Iterator[Path]) -> int:
    try:
        return sum(file.stat().st_size for file in files)
    except OSError:  # one was deleted meanwhile
        return 0


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder."""
    with tempfile.TemporaryDirectory(prefix="shield-runtimes-") as name:
        _SCRATCH.append(Path(name))
        try:
            yield Path(name)
        finally:
            _SCRATCH.remove(Path(name))


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


def has_compiler() -> bool:
    """Whether there is something to compile C++ with: else 101 MB are fetched for it."""
    return bool(importlib.util.find_spec("ziglang") or (shutil.which("cc") and shutil.which("c++")))


def compile_cpp(arguments: Sequence[str | Path]) -> None:
    """Compiles C and C++ with an installed zig, this machine's compiler, or a zig from PyPI that is deleted afterwards.

    Raises Unavailable.
    """
    with scratch() as folder:
        program: list[str | Path] = ["cc"]
        cache = KEPT / ".zig"
        if zig := importlib.util.find_spec("ziglang"):
            program = [Path(str(zig.origin)).with_name("zig"), "c++"]
        elif has_compiler():
            arguments = [*arguments, "-lstdc++"]  # cc takes C for C, which c++ does not
        else:
            requirement, *sha256 = ZIG
            with zipfile.ZipFile(download_wheel(requirement, sha256, folder)) as archive:
                archive.extractall(folder)
            program, cache = [folder / "ziglang" / "zig", "c++"], folder / "cache"
            (folder / "ziglang" / "zig").chmod(0o755)
        run([*program, *arguments], environment={"ZIG_GLOBAL_CACHE_DIR": str(cache)})


def download_wheel(requirement: str, sha256: Sequence[str], into: Path, platform: str = "") -> Path:
    """A wheel from the index that pip is set up for; its hash must be one of those given.

    `platform`: a tag of another machine, for Python 3.11 of which it is then; this machine's own when empty.
    """
    wanted = into / "requirements.txt"
    wanted.write_text(" ".join([requirement, *(f"--hash=sha256:{digest}" for digest in sha256)]))
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    pip += ["--platform", platform, "--python-version", "3.11"] if platform else []
    pip += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(into), "-r", str(wanted)]
    run(pip, environment={"TMPDIR": str(into)})
    (wheel,) = into.glob("*.whl")
    return wheel


def machine_npm() -> list[str]:
    """The command of this machine's npm; empty where there is none."""
    try:
        command = machine_node.npm(machine_node.choose())
    except machine_node.NodeMissing:
        return []
    return command if shutil.which(command[0]) else []


def unpack_npm(name: str, version: str, integrity: str, into: Path, npm: Sequence[str] = ()) -> Path:
    """A package as `npm pack` gets it from the registry that npm is set up for, in a folder; nothing of it is run.

    `npm`: a command instead of the machine's.
    """
    if not (npm := npm or machine_npm()):
        raise Unavailable("npm fetches it, and there is none here: install Node.js")
    run([*npm, "pack", "--silent", "--pack-destination", into, f"{name}@{version}"], cwd=into)
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
