"""The entry point of the aarch64 engine under qemu-user: armed late, tightened, attacked (`make test-arm64`)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from harness.compiling import compile_c
from integration.from_code.conftest import HERE
from shielded_function_emulator.machine import EMULATOR, SYSTEM, missing
from shielded_function_runtime.build.native import BINARIES, build

LIBRARY = BINARIES / "layer" / "aarch64" / "shielded-function" / "libshield.so"

TRIES = 5

pytestmark = [
    pytest.mark.arm64,
    pytest.mark.promise("code.stricter-only"),
    pytest.mark.skipif(missing() != "", reason=missing()),
]


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build(["layer/aarch64"])
    out = tmp_path_factory.mktemp("arm64") / "attack"
    return compile_c([HERE / "c" / "attack.c"], out, "-lpthread", "-ldl", target="aarch64-linux-gnu.2.28")


def run(attack: Path, trial: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(EMULATOR), "-L", str(SYSTEM), str(attack), str(LIBRARY), trial],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("trial", ["odd_arguments", "eight_threads", "after_closing"])
def test_nothing_gets_looser(attack: Path, trial: str) -> None:
    done = run(attack, trial)
    for _ in range(TRIES):
        if "cannot be guarded" in done.stderr:  # qemu's own memory fills what a jump reaches from libc
            done = run(attack, trial)
    Path("/tmp/attack").unlink(missing_ok=True)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr[-3000:]
