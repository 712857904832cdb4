"""What Python can try, for any release from 3.9 on: one "<name> done" or "<name> denied" a line."""

import ctypes
import errno
import os
import socket
import subprocess
import sys


def through_ctypes() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.open(b"/tmp/there", os.O_RDONLY) < 0:
        raise OSError(ctypes.get_errno(), "open")


def datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ("203.0.113.1", 9))


ATTEMPTS = {
    "open": lambda: open("/tmp/there").close(),
    "ctypes": through_ctypes,
    "rename": lambda: os.rename("/tmp/there", "/tmp/elsewhere"),
    "spawn": lambda: subprocess.run([sys.executable, "-I", "-c", "pass"], check=True),
    "udp": datagram,
}

for name, attempt in ATTEMPTS.items():
    try:
        attempt()
    except OSError as error:
        if error.errno != errno.EACCES:
            raise
        print(name, "denied", flush=True)
    else:
        print(name, "done", flush=True)
