"""Runs a program, in namespaces of its own, where a file of /tmp lies over /proc/cpuinfo, a folder that everyone may
write to over /proc/fs, another over /tmp/folder, its own memory over /var/task/memory, and a second procfs is at
/var/task/mounted."""

from __future__ import annotations

import os
import sys

import namespaces

from shielded_function_emulator import kernel


def main() -> None:
    namespaces.enter()
    kernel.mount("proc", "/var/task/mounted", "proc")
    namespaces.bind("/tmp/there", "/proc/cpuinfo")
    for folder in ("/proc/fs", "/tmp/folder"):
        kernel.mount("tmpfs", folder, "tmpfs", options="mode=777")
    namespaces.bind("/proc/self/mem", "/var/task/memory")
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
