"""What a guest tells of a command: its output, its exit status, or why there is none."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pytest

from lab.kernels import guest
from lab.kernels.initramfs import archive, directory, program
from lab.kernels.kernels import KERNELS, QEMU, Kernel
from lab.kernels.rounds import chosen
from lab.libcs.fetch import Unavailable, root_of

ENVIRONMENT = {"PATH": os.defpath}
SECONDS = 180.0
CRASH = ["/bin/sh", "-c", "echo c > /proc/sysrq-trigger"]


def _root(kernel: Kernel) -> Path:
    if platform.machine() != "x86_64":
        pytest.skip(f"the guests are x86_64, and this machine's programs are for {platform.machine()}")
    if missing := QEMU.missing():
        pytest.skip(f"{missing}; `make test-kernel` fetches it")
    try:
        return root_of(kernel)
    except Unavailable as error:
        pytest.skip(f"{kernel.id} is not available: {error}")


@pytest.fixture(params=KERNELS, ids=lambda kernel: kernel.name)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    return request.param


def test_a_command_sees_this_machines_files(kernel: Kernel, capfd: pytest.CaptureFixture[str]) -> None:
    """And cannot change them: what it writes is gone with the guest."""
    mark = guest.CHECKOUT / "written_in_a_guest"
    code = f"""
import os, sys
print(os.uname().release, os.getuid(), len("two  blanks"), "*")
open({str(mark)!r}, "w").write("x")
open("/tmp/too", "w").write("x")
try:
    open("/usr/other", "w")
except OSError as error:
    print(error.strerror)
sys.exit(7)
"""
    assert guest.run(_root(kernel), [sys.executable, "-c", code], ENVIRONMENT, SECONDS) == 7
    first, second = capfd.readouterr().out.splitlines()
    assert (first.startswith(f"{kernel.name}."), first.split(" ", 1)[1]) == (True, "0 11 *")
    assert second == "Read-only file system"
    assert not mark.exists()


@pytest.mark.parametrize(
    ("command", "status"), [(["/bin/sh", "-c", "kill -9 $$"], 137), (["/no/such/program"], 127)], ids=["killed", "none"]
)
def test_a_command_without_an_exit_status(command: list[str], status: int) -> None:
    assert guest.run(_root(KERNELS[0]), command, ENVIRONMENT, SECONDS) == status


@pytest.mark.parametrize(
    ("command", "seconds", "text"),
    [
        (["/bin/sleep", "1000"], 30.0, "30 s were over"),
        (CRASH, SECONDS, "before the command did; the kernel's last lines:\n.*Kernel panic"),
    ],
    ids=["time", "panic"],
)
def test_a_guest_that_ends_first(command: list[str], seconds: float, text: str) -> None:
    with pytest.raises(guest.GuestError, match=f"(?s){text}"):
        guest.run(_root(KERNELS[0]), command, ENVIRONMENT, seconds)


def test_an_archive_is_aligned_and_ends_with_its_trailer() -> None:
    """A name, or a file, whose length is no multiple of four is followed by zeros."""
    made = archive([directory("dev"), program("init", b"hello")])
    heads = [at for at in range(0, len(made), 4) if made[at : at + 6] == b"070701"]
    sizes = [int(made[at + 54 : at + 62], 16) for at in heads]
    assert (sizes, len(made) % 4) == ([0, 5, 0], 0)
    assert b"hello" + bytes(3) + b"070701" in made
    assert made.rstrip(b"\0").endswith(b"TRAILER!!!")


def test_rounds_are_chosen_by_name_or_path() -> None:
    assert [one.name for one in chosen(["demo", "tests/unit/core"])] == ["demo", "tests/unit/core"]
    with pytest.raises(ValueError, match="no round is called dmeo; there are: demo, "):
        chosen(["dmeo"])
