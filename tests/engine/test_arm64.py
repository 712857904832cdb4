"""The aarch64 engine under qemu-user: the ordinary spellings in each mode (`make test-arm64`).

qemu-user runs the real aarch64 libc and library; system calls are this machine's. Results obtained so are "aarch64
under qemu-user", not "arm64 Lambda".
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from engine.compiling import SOURCES, compile_c
from engine.running import policy
from shielded_function_runtime.build.native import BINARIES, build

ROOT = Path("/usr/aarch64-linux-gnu")
EMULATOR = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
LIBRARY = BINARIES / "layer" / "aarch64" / "shielded-function" / "libshield.so"

pytestmark = [
    pytest.mark.arm64,
    pytest.mark.skipif(EMULATOR is None, reason="no qemu-aarch64 (Debian: qemu-user)"),
    pytest.mark.skipif(not ROOT.exists(), reason=f"no {ROOT} (Debian: libc6-arm64-cross)"),
]

TMP = {"open", "create", "raw_openat", "unlink", "mkdir", "rmdir", "chmod", "thread_open"}
NET = {"tcp", "udp", "resolve"}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build(["layer/aarch64"])
    out = tmp_path_factory.mktemp("arm64") / "spellings"
    return compile_c([SOURCES / "spellings.c"], out, target="aarch64-linux-gnu.2.28")


@pytest.fixture
def victim() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        file = Path(folder) / "there"
        file.write_text("content")
        yield file


def run(program: Path, victim: Path, settings: Mapping[str, str]) -> tuple[dict[str, int], list[dict[str, object]]]:
    assert EMULATOR is not None
    # qemu-user's own environment is what /proc/self/environ shows to the program; the preload is for it alone.
    done = subprocess.run(
        [EMULATOR, "-L", str(ROOT), "-E", f"LD_PRELOAD={LIBRARY}", str(program), str(victim)],
        env={"PATH": os.defpath, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    results = {name: int(number) for name, number in (line.split() for line in done.stdout.splitlines())}
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return results, [line for line in lines if "policy" in line]


def test_the_engine_arms(program: Path, victim: Path) -> None:
    results, alerts = run(program, victim, policy())
    assert {name for name, number in results.items() if number == 0} >= TMP | {"other_file", "loopback", "spawn"}
    assert alerts == []


def test_read_write_tmp_blocks(program: Path, victim: Path) -> None:
    results, alerts = run(program, victim, policy(read_write_tmp="block"))
    # /bin/true is this machine's own: a program that the aarch64 library cannot be loaded into never runs free.
    assert {name for name, number in results.items() if number == errno.EACCES} == TMP | {"spawn"}
    assert len(alerts) == len(TMP) + 1
    assert victim.read_text() == "content"


def test_read_write_tmp_alerts(program: Path, victim: Path) -> None:
    results, alerts = run(program, victim, policy(read_write_tmp="alert"))
    assert {results[name] for name in TMP | {"spawn"}} == {0}
    expected = {("read_write_tmp", "alert"), ("create_child_process", "alert")}
    assert {(alert["policy"], alert["mode"]) for alert in alerts} == expected


def test_outbound_connectivity_blocks(program: Path, victim: Path) -> None:
    results, alerts = run(program, victim, policy(outbound_connectivity="block"))
    assert {results["tcp"], results["udp"]} == {errno.EACCES}
    assert results["resolve"] != 0
    assert results["loopback"] == 0
    assert len(alerts) == len(NET) + 1


def test_create_child_process_blocks(program: Path, victim: Path) -> None:
    results, alerts = run(program, victim, policy(create_child_process="block"))
    assert results["spawn"] == errno.EACCES
    assert [alert["policy"] for alert in alerts] == ["create_child_process"]


def test_a_bad_policy_refuses(program: Path, victim: Path) -> None:
    with pytest.raises(AssertionError, match="78"):
        run(program, victim, policy(read_write_tmp="BLOCK"))


def test_attaching_while_threads_run(tmp_path: Path) -> None:
    build(["layer/aarch64"])
    late = compile_c([SOURCES / "late.c"], tmp_path / "late", "-lpthread", "-ldl", target="aarch64-linux-gnu.2.28")
    assert EMULATOR is not None
    done = subprocess.run(
        [EMULATOR, "-L", str(ROOT), str(late), str(LIBRARY)],
        env={"PATH": os.defpath, **policy(read_write_tmp="block")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
