"""Lays another file system over a sandbox's /tmp: `python -m integration.clear_tmp.other_tmp`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shielded_function_emulator import kernel
from shielded_function_emulator.sandbox import Sandbox

_PARENTS = [str(Path(__file__).resolve().parents[3] / root) for root in ("tests", "runtime_layer")]


def cover_tmp(box: Sandbox, kind: str, device: str = "none", target: str = "/tmp") -> None:
    """Skips where it cannot be mounted."""
    keeper = str(box._keeper.pid)
    command = [sys.executable, "-m", __name__, keeper, box.isolation, kind, device, target]
    environment = {"PYTHONPATH": os.pathsep.join(_PARENTS), "PATH": os.defpath}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no {kind} can be mounted here: {done.stderr.splitlines()[-1]}")


@contextmanager
def small_inodes(folder: Path) -> Iterator[str]:
    """A device with ext4 on it whose inodes have 128 bytes: no birth times, and seconds. Skips where there is none."""
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(16 << 20)
    try:
        subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-I", "128", image], check=True, capture_output=True)
        command = ["/sbin/losetup", "--find", "--show", image]
        device = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system with small inodes can be made here: {error}")
    try:
        yield device
    finally:
        subprocess.run(["/sbin/losetup", "--detach", device], check=False)


def _main(keeper: str, isolation: str, kind: str, device: str, target: str) -> None:
    spaces = ["user", "mnt"] if isolation == "user-namespace" else ["mnt"]
    opened = [os.open(f"/proc/{keeper}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in spaces]
    devices = os.open("/dev", os.O_RDONLY)
    for fd in opened:
        kernel.setns(fd, 0)
    owner = os.stat("/tmp")
    os.fchdir(devices)
    kernel.mount(device.removeprefix("/dev/"), target, kind, kernel.MS_NOSUID | kernel.MS_NODEV)
    os.chmod(target, 0o700)
    os.chown(target, owner.st_uid, owner.st_gid)


if __name__ == "__main__":
    _main(*sys.argv[1:])
