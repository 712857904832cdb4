"""Runs a program, in namespaces of its own, where a file of /tmp lies over /proc/cpuinfo, a folder that everyone may
write to over /proc/fs, another over /tmp/folder, /etc over /var/task/etc, its own memory over /var/task/memory, and a
second procfs is at /var/task/mounted."""

from __future__ import annotations

import ctypes
import os
import sys

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, MS_BIND, MS_REC = 0x20000, 0x10000000, 0x20000000, 0x1000, 0x4000
LIBC = ctypes.CDLL(None, use_errno=True)


def checked(what: str, result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), what)


def main() -> None:
    uid, gid = os.getuid(), os.getgid()
    checked("unshare", LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID))
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    child = os.fork()
    if child:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    checked("procfs", LIBC.mount(b"proc", b"/var/task/mounted", b"proc", 0, None))
    checked("bind", LIBC.mount(b"/tmp/there", b"/proc/cpuinfo", None, MS_BIND, None))
    for folder in (b"/proc/fs", b"/tmp/folder"):
        checked("tmpfs", LIBC.mount(b"tmpfs", folder, b"tmpfs", 0, b"mode=777"))
    for source, target in ((b"/etc", b"/var/task/etc"), (b"/proc/self/mem", b"/var/task/memory")):
        checked("bind", LIBC.mount(source, target, None, MS_BIND | MS_REC, None))
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
