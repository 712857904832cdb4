"""Finds or downloads AWS's Lambda Runtime Interface Emulator.

    python -m shielded_function_emulator.interface_emulator [FOLDER]

The static emulator binaries ship inside the `aws-sam-cli` wheel. Only that wheel is downloaded, without its
dependencies, and only the binaries are kept, after a check of their hashes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from shielded_function_emulator import places
from shielded_function_emulator.kernel import machine

VARIABLE = "EMULATED_LAMBDA_RIE"
"""Names an emulator's program, instead of the one that is fetched."""

_REQUIREMENT = "aws-sam-cli==1.170.0"
_FOLDER_IN_WHEEL = "samcli/local/rapid"
_SHA256 = {
    "aws-lambda-rie-x86_64": "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
    "aws-lambda-rie-arm64": "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
}
_SUFFIX = {"x86_64": "x86_64", "aarch64": "arm64"}


class FetchError(Exception):
    """The emulator could not be downloaded, or has another hash; one line says why, and what to do."""


def path() -> Path:
    """Where the emulator for this machine is, or will be once it is fetched."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else places.tools_folder() / f"aws-lambda-rie-{_SUFFIX.get(machine(), machine())}"


def missing() -> str:
    """Empty, or why it is not there and what to do, in one line."""
    found = path()
    if found.is_file():
        return ""
    fetched = "make setup" if places.checkout() else "python -m shielded_function_emulator.interface_emulator"
    return f"{found} is missing: run `{fetched}`, or set {VARIABLE}"


def provide(report: Callable[[str], None]) -> None:
    """Fetches the emulator unless it is there. `report` gets one line before a download.

    Raises:
        FetchError: it could not be downloaded.
    """
    if os.environ.get(VARIABLE) or path().is_file():
        if reason := missing():
            raise FetchError(reason)
        return
    folder = places.tools_folder()
    report(f"fetching AWS's Lambda runtime interface emulator (in {_REQUIREMENT}, once) into {folder}")
    fetch(folder)


def fetch(folder: Path) -> list[Path]:
    """Puts the emulators into `folder`, unless they are there already.

    Raises:
        FetchError: pip failed, the folder cannot be written, or a binary's hash is not the expected one.
    """
    wanted = {folder / name: digest for name, digest in _SHA256.items()}
    if all(file.is_file() and _digest(file.read_bytes()) == digest for file, digest in wanted.items()):
        return list(wanted)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix="shield-emulator-") as scratch,
            zipfile.ZipFile(_download(Path(scratch))) as archive,
        ):
            for file, digest in wanted.items():
                content = archive.read(f"{_FOLDER_IN_WHEEL}/{file.name}")
                if _digest(content) != digest:
                    raise FetchError(f"{file.name} in {_REQUIREMENT} has SHA-256 {_digest(content)}, not {digest}")
                _install(file, content)
    except OSError as error:
        raise FetchError(f"the Lambda emulator cannot be put into {folder}: {error}") from error
    return list(wanted)


def _download(into: Path) -> Path:
    """The wheel, from pip's configured index, for any version of Python: none of its code is run."""
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet"]
    pip += ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--dest", str(into), _REQUIREMENT]
    done = subprocess.run(pip, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise FetchError(
            f"pip could not download {_REQUIREMENT}, whose wheel holds the Lambda emulator ({' '.join(said)}); "
            f"where there is no package index, name an emulator with {VARIABLE}"
        )
    (wheel,) = into.glob("*.whl")
    return wheel


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _install(file: Path, content: bytes) -> None:
    """In one step, so that a process that fetches or runs at the same time never sees half of it."""
    descriptor, new = tempfile.mkstemp(prefix=".new-", dir=file.parent)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
    os.chmod(new, 0o755)
    os.replace(new, file)


def main(arguments: list[str]) -> int:
    """Fetches into the folder named, or the usual one; the exit status is 1 when that fails."""
    try:
        for file in fetch(Path(arguments[0]) if arguments else places.tools_folder()):
            print(file)
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
