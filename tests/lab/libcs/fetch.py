"""Gets the C libraries of `releases` into `.tools/libcs/`, as small roots: `make test-libcs`.

The machine's own apt fetches them, from the mirrors that it is set up for; its configuration is not changed. Each file
is checked against its hash. Point releases replace packages: when a version is gone, the suite's present one is taken,
checked by apt's signatures, and one line says so.
"""

from __future__ import annotations

import fcntl
import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from lab.libcs.releases import DEBIAN_NAMES, LIBCS, Libc, Package
from shielded_function_emulator.languages import debian, parts

CACHE = Path(__file__).resolve().parents[3] / ".tools" / "libcs"
_HELPER = Path("/usr/lib/apt/apt-helper")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_MERGED = ("bin", "sbin", "lib", "lib64")  # links into /usr, in every root
_SECONDS = 300


class Unavailable(Exception):
    """Something cannot be had here; one line says why. `mirrors` were asked for it."""

    def __init__(self, why: str, mirrors: Sequence[str] = ()) -> None:
        super().__init__(why)
        self.mirrors = mirrors


class Unpackable(Protocol):
    """Packages that make one root: a `Libc`, or whatever else has these."""

    @property
    def id(self) -> str: ...
    @property
    def architecture(self) -> str: ...
    @property
    def suite(self) -> str: ...
    @property
    def packages(self) -> tuple[Package, ...]: ...
    @property
    def only(self) -> tuple[str, ...]: ...


def root_of(libc: Unpackable) -> Path:
    """The folder in which the library's packages are unpacked; `/usr` of a system that runs on it is below.

    Raises:
        Unavailable: there is no apt here, or a package cannot be fetched; of a folder that was named, it has no loader.
    """
    if isinstance(libc, Libc) and libc.folder:
        if not any(Path(libc.folder).glob("usr/lib*/ld-linux-*")):
            raise Unavailable(f"LIBC_ROOT: {libc.folder} has no loader in usr/lib or usr/lib64")
        return Path(libc.folder)
    root = CACHE / libc.id
    with alone(libc.id):
        stamp = "\n".join([*(package.sha256 for package in libc.packages), *libc.only])
        done = root / ".packages"
        if not done.is_file() or done.read_text() != stamp:
            shutil.rmtree(root, ignore_errors=True)
            for name in _MERGED:
                (root / "usr" / name).mkdir(parents=True)
                (root / name).symlink_to(f"usr/{name}")
            for package in libc.packages:
                _unpack(_fetch(package, libc), root, libc.only)
            done.write_text(stamp)
    return root


@contextmanager
def alone(name: str) -> Iterator[None]:
    """One process at a time for what has this name."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(package: Package, libc: Unpackable) -> Path:
    try:
        return download(package.path, package.sha256, CACHE / "packages")
    except Unavailable as error:
        if error.mirrors:
            return _fetch_present(package, libc, error.mirrors)
        raise


def download(path: str, sha256: str, folder: Path) -> Path:
    """A file below one of the machine's mirrors, in `folder`; fetched unless it is there.

    Raises:
        Unavailable: there is no apt here, or no mirror has it.
    """
    file = folder / path.rsplit("/", 1)[1]
    if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256:
        return file
    if not _HELPER.exists():
        raise Unavailable("Debian's apt is needed to fetch it, and there is none here")
    folder.mkdir(parents=True, exist_ok=True)
    mirrors = _mirrors()
    for mirror in mirrors:
        command = [str(_HELPER), "-qq", "download-file", mirror + path, str(file), f"SHA256:{sha256}"]
        if not _run(command, os.environ):
            return file
    raise Unavailable(f"{path} is on none of apt's mirrors", mirrors)


def _mirrors() -> list[str]:
    try:
        # apt tells of a mirror once its lists are there: a new machine has none.
        listed = _listed([]) or _listed(debian.options())
    except parts.Unavailable as error:
        raise Unavailable(str(error)) from error
    mirrors = list(dict.fromkeys(uri for uri in listed if "security" not in uri))
    if not mirrors:
        raise Unavailable("apt has no mirror here to fetch it from")
    return mirrors


def _listed(options: Sequence[str]) -> list[str]:
    command = ["apt-get", *options, "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()


def _fetch_present(package: Package, libc: Unpackable, mirrors: Sequence[str]) -> Path:
    """The version that the suite has now, by an apt configuration of our own."""
    why = "no mirror"
    for mirror in mirrors:
        with tempfile.TemporaryDirectory(prefix="shield-libcs-") as scratch:
            folder = Path(scratch)
            folder.chmod(0o755)
            environment = os.environ | {"APT_CONFIG": str(_write_configuration(folder, libc, mirror))}
            why = _run(["apt-get", "update", "-qq"], environment)
            name = f"{_present_name(package, environment)}:{DEBIAN_NAMES[libc.architecture]}"
            why = why or _run(["apt-get", "download", "-qq", name], environment, folder)
            found = list(folder.glob("*.deb"))
            if not why and found:
                print(f"{libc.id}: {package.path} is gone; {found[0].name} is used instead", file=sys.stderr)
                return Path(shutil.copy(found[0], CACHE / "packages"))
    raise Unavailable(f"{package.path} cannot be fetched, nor what {libc.suite} has now: {why}")


def _present_name(package: Package, environment: dict[str, str]) -> str:
    """What is called by its version, as kernels are, has another name now; what requires it has not."""
    if not package.required_by:
        return package.name
    command = ["apt-cache", "depends", "--important", package.required_by]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
    names = [line.split()[-1] for line in said.splitlines() if line.strip().startswith("Depends:")]
    return names[0] if names else package.name


def _write_configuration(folder: Path, libc: Unpackable, mirror: str) -> Path:
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    architecture = DEBIAN_NAMES[libc.architecture]
    options = f"arch={architecture} signed-by={_KEYRING}"
    (folder / "sources.list").write_text(f"deb [{options}] {mirror} {libc.suite} main\n")
    configuration = folder / "apt.conf"
    # apt's own user may not come to where we are.
    user = 'APT::Sandbox::User "root";\n' if os.geteuid() == 0 else ""
    configuration.write_text(
        f'Dir::Etc::sourcelist "{folder}/sources.list";\nDir::Etc::sourceparts "-";\n'
        f'Dir::State "{folder}";\nDir::State::status "{folder}/status";\nDir::Cache "{folder}/cache";\n'
        f'APT::Architectures "{architecture}";\nAPT::Architecture "{architecture}";\nAcquire::Languages "none";\n'
        f"{user}"
    )
    return configuration


def _run(command: list[str], environment: os._Environ[str] | dict[str, str], folder: Path | None = None) -> str:
    """Empty when it went well; else the last line that the command wrote."""
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = done.stdout.strip().splitlines() or [f"{command[0]} ended with {done.returncode}"]
    return said[-1] if done.returncode else ""


def _unpack(package: Path, root: Path, only: Sequence[str]) -> None:
    """A .deb is an ar archive (ar(5)) that holds `data.tar.xz`. Links in it are made relative to the root."""
    content = package.read_bytes()
    at = 8
    while at + 60 <= len(content):
        name = content[at : at + 16].decode("ascii").strip().rstrip("/")
        size = int(content[at + 48 : at + 58])
        at += 60
        if name.startswith("data.tar"):
            with tempfile.TemporaryFile() as file:
                file.write(content[at : at + size])
                file.seek(0)
                with tarfile.open(fileobj=file, mode="r:*") as archive:
                    for member in archive:
                        if _is_wanted(member.name.removeprefix("./"), only):
                            _place(archive, member, root)
            return
        at += size + size % 2
    raise Unavailable(f"{package.name} holds no data.tar")


def _is_wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(fnmatch.fnmatch(name, pattern) for pattern in only)


def _place(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    inside = Path(member.name)
    if inside.parts and inside.parts[0] in _MERGED:
        inside = "usr" / inside
    target = root / inside
    if ".." in inside.parts:
        raise Unavailable(f"{member.name} leads out of its package")
    target.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        target.mkdir(exist_ok=True)
    elif member.issym():
        to = member.linkname
        if to.startswith("/"):
            to = to if not to[1:].startswith(_MERGED) else f"/usr{to}"
            to = os.path.relpath(to, "/" / inside.parent)
        target.symlink_to(to)
    elif member.isfile():
        content = archive.extractfile(member)
        assert content is not None
        target.write_bytes(content.read())
        target.chmod(member.mode)
    # Hard links, devices: no package of ours has any that a program needs.


def main() -> int:
    missing = 0
    for libc in LIBCS:
        try:
            print(f"{libc.id}: {root_of(libc)}")
        except Unavailable as error:
            missing += 1
            print(f"{libc.id}: not available: {error}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
