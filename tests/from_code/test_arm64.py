"""The entry point of the aarch64 engine under qemu-user: armed late, tightened, attacked (`make test-arm64`)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.compiling import compile_c
from from_code.conftest import HERE
from shielded_function_runtime.build.native import BINARIES, build

ROOT = Path("/usr/aarch64-linux-gnu")
EMULATOR = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
LIBRARY = BINARIES / "layer" / "aarch64" / "shielded-function" / "libshield.so"

pytestmark = [
    pytest.mark.arm64,
    pytest.mark.skipif(EMULATOR is None, reason="no qemu-aarch64 (Debian: qemu-user)"),
    pytest.mark.skipif(not ROOT.exists(), reason=f"no {ROOT} (Debian: libc6-arm64-cross)"),
]


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build(["layer/aarch64"])
    out = tmp_path_factory.mktemp("arm64") / "attack"
    return compile_c([HERE / "c" / "attack.c"], out, "-lpthread", "-ldl", target="aarch64-linux-gnu.2.28")


@pytest.mark.parametrize("trial", ["odd_arguments", "eight_threads", "changing_lines", "after_closing"])
def test_nothing_gets_looser(attack: Path, trial: str) -> None:
    assert EMULATOR is not None
    done = subprocess.run(
        [EMULATOR, "-L", str(ROOT), str(attack), str(LIBRARY), trial],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    Path("/tmp/attack").unlink(missing_ok=True)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr[-3000:]
