"""The same programs on the aarch64 libraries, under qemu-user (`make test-arm64`).

Results obtained so are "aarch64 under qemu-user": code, libc and engine are aarch64's, system calls are this machine's.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.running import policy
from lab.libcs.fetch import CACHE
from lab.libcs.releases import LIBCS, Libc
from shielded_function_emulator.machine import EMULATOR, missing
from shielded_function_runtime.build.native import BINARIES, build

SOURCES = Path(__file__).parent / "c"
LIBRARY = BINARIES / "layer" / "aarch64" / "shielded-function" / "libshield.so"
IN_TMP = {"open", "create", "raw_openat", "unlink", "mkdir", "rmdir", "chmod", "thread_open"}
# Without binfmt_misc nothing of aarch64 can be started from there, and how that fails is the emulator's affair.
STARTS = {"spawn"}

pytestmark = [
    pytest.mark.arm64,
    pytest.mark.skipif(missing() != "", reason=missing()),
]

# No sandbox hides the checkout here: it may lie below /tmp itself.
OWN_FILES = [f"{CACHE}/**"] if CACHE.is_relative_to("/tmp") else []


@dataclass(frozen=True)
class Emulated:
    """Programs of a library's, and how to run them."""

    root: Path
    spellings: Path
    calls: Path
    tool: Path
    folder: Path

    def run(self, argv: list[str], settings: Mapping[str, str] | None) -> tuple[dict[str, int], list[dict[str, Any]]]:
        """Results by name, and the shield's lines."""
        preload = [] if settings is None else ["-E", f"LD_PRELOAD={LIBRARY}"]
        done = subprocess.run(
            [str(EMULATOR), "-L", str(self.root), *preload, *argv],
            env={"PATH": os.defpath, **(settings or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in (0, 6), f"{done.returncode}: {done.stderr}"
        found = {name: int(number) for name, number in (line.split() for line in done.stdout.splitlines())}
        return found, [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


@pytest.fixture(params=[libc for libc in LIBCS if libc.architecture == "aarch64"], ids=lambda libc: libc.id)
def emulated(
    request: pytest.FixtureRequest, root: Callable[[Libc], Path], compiled: Callable[[Path, Libc], Path]
) -> Iterator[Emulated]:
    libc: Libc = request.param
    build(["layer/aarch64"])
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        (Path(folder) / "there").write_text("content")
        yield Emulated(
            root(libc),
            compiled(SOURCES / "spellings.c", libc),
            compiled(SOURCES / "calls.c", libc),
            compiled(SOURCES / "tool.c", libc),
            Path(folder),
        )


def test_it_arms_and_what_is_forbidden_fails(emulated: Emulated) -> None:
    blocked = policy(read_write_tmp="block", outbound_connectivity="block", create_child_process="block")
    settings = blocked | {"SHIELD_ALLOW_TMP": ",".join(OWN_FILES)}
    found, lines = emulated.run([str(emulated.spellings), str(emulated.folder / "there")], settings)
    armed = [line for line in lines if line.get("event") == "armed"]
    assert len(armed) == 1
    assert 100 < armed[0]["patched"] < armed[0]["sites"]
    assert {name for name, number in found.items() if number == errno.EACCES} == IN_TMP - {"rmdir"} | {
        *("tcp", "udp", "spawn")
    }
    assert found["resolve"] != 0
    assert (found["other_file"], found["loopback"]) == (0, 0)
    counts = Counter[str]()  # of one violation there is one line in a second, and a count
    for line in lines:
        counts.update({line["policy"]: line["count"]} if "policy" in line else {})
    assert (counts["read_write_tmp"], counts["create_child_process"]) == (len(IN_TMP) - 1, 1)
    assert (emulated.folder / "there").read_text() == "content"


def test_what_is_allowed_behaves_as_without_the_shield(emulated: Emulated) -> None:
    argv = [str(emulated.calls), str(emulated.folder), str(emulated.tool)]
    allowed = policy(
        read_write_tmp="block",
        outbound_connectivity="block",
        create_child_process="block",
        allow_tmp=",".join(
            [f"{emulated.folder}/**", f"{emulated.tool}", *OWN_FILES]
        ),  # the program lies below /tmp too
        allow_child_process=str(emulated.tool),
    )
    plain, _ = emulated.run(argv, None)
    shielded, lines = emulated.run(argv, allowed)
    assert (plain["done"], plain["cancel_recvfrom"], plain["restarted"]) == (0, 1, 3)
    assert {n: v for n, v in shielded.items() if n not in STARTS} == {n: v for n, v in plain.items() if n not in STARTS}
    # A vfork of qemu's is a fork, and what a copy does before its exec is reported.
    reported = [line for line in lines if "policy" in line and line["policy"] != "create_child_process"]
    assert reported == [], json.dumps(lines)
