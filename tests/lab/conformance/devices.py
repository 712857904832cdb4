"""Adds to a sandbox what Lambda lacks and the tests need: `python -m lab.conformance.devices KEEPER ISOLATION`.

Without /dev/shm no lock of `multiprocessing` can be made, and without /dev/pts no terminal: hundreds of tests would be
skipped with and without the shield, and say nothing about it. The mounts are made in the keeper's mount namespace,
from which every command of the sandbox gets its own.
"""

from __future__ import annotations

import os
import sys

from shielded_function_emulator import kernel

_PLAIN = kernel.MS_NOSUID | kernel.MS_NODEV


def _join(keeper: str, isolation: str) -> None:
    spaces = ["user", "mnt"] if isolation == "user-namespace" else ["mnt"]
    opened = [os.open(f"/proc/{keeper}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in spaces]
    for fd in opened:
        kernel.setns(fd, 0)


def main() -> int:
    """Mounts both, and closes the root again."""
    _join(*sys.argv[1:3])
    os.umask(0)
    remount = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_NOSUID
    kernel.mount("none", "/", "none", remount)
    os.mkdir("/dev/shm")
    os.mkdir("/dev/pts")
    os.symlink("pts/ptmx", "/dev/ptmx")
    kernel.mount("shm", "/dev/shm", "tmpfs", _PLAIN, "mode=1777")
    kernel.mount("pts", "/dev/pts", "devpts", kernel.MS_NOSUID | kernel.MS_NOEXEC, "newinstance,ptmxmode=0666")
    kernel.mount("none", "/", "none", remount | kernel.MS_RDONLY)
    return 0


if __name__ == "__main__":
    sys.exit(main())
