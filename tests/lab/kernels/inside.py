"""The guest's first program once it sees this machine's files: runs one command, hands on its output and exit status.

    python -S inside.py REQUEST     as process 1; REQUEST is JSON, as `guest.py` writes it

The machine's files are read-only. What is written goes into memory: /tmp and the like are empty, and what is written
to the checkout lies over it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import termios
import threading
import tty
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / "runtime_layer"))

from shielded_function_emulator import kernel, loopback  # noqa: E402

# The serial ports: the kernel's messages are on the first.
OUTPUT, STATUS = "/dev/ttyS1", "/dev/ttyS2"

DISK = "/dev/vda"

_NOT_RUN = 127
_PATIENCE = 10.0  # seconds
# file system, where, options
_MOUNTS = (
    ("proc", "/proc", ""),
    ("sysfs", "/sys", ""),
    ("devtmpfs", "/dev", ""),
    ("devpts", "/dev/pts", "mode=620,ptmxmode=666"),
    ("tmpfs", "/dev/shm", "mode=1777"),
    ("tmpfs", "/run", "mode=755"),
    ("tmpfs", "/var/tmp", "mode=1777"),
)


def _mount_all(shown: list[str]) -> None:
    """`shown`: folders that are still to be seen where /tmp or the like covers them."""
    opened = {path: os.open(path, os.O_PATH) for path in [*shown, str(CHECKOUT)]}
    for kind, target, options in _MOUNTS:
        os.makedirs(target, exist_ok=True)
        kernel.mount("none", target, kind, 0, options)
    # Files of a tmpfs answer F_GET_SEALS, so the shield takes them for memory files; those of a disk it does not.
    kernel.mount(DISK, "/tmp", "ext4")
    os.chmod("/tmp", 0o1777)
    for path, descriptor in opened.items():
        if not os.path.isdir(path):
            os.makedirs(path)
            kernel.mount(f"/proc/self/fd/{descriptor}", path, "none", kernel.MS_BIND)
    for folder in ("written", "work"):
        os.mkdir(f"/run/{folder}")
    below = f"/proc/self/fd/{opened[str(CHECKOUT)]}"
    kernel.mount("none", str(CHECKOUT), "overlay", 0, f"lowerdir={below},upperdir=/run/written,workdir=/run/work")
    for descriptor in opened.values():
        os.close(descriptor)


def _port(path: str) -> int:
    """A serial port that changes nothing of what is written to it."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)
    return descriptor


def _wait(child: int) -> int:
    """A program's exit status. Process 1 is handed whatever lost its parent, and has to wait for it too."""
    while True:
        process, status = os.wait()
        if process == child:
            return os.waitstatus_to_exitcode(status)


def _hand_on(source: int, port: int) -> None:
    while part := os.read(source, 1 << 16):
        while part:
            part = part[os.write(port, part) :]


def _run(request: dict[str, Any], port: int) -> int:
    """By a pipe: to a program that draws on terminals, the port is one."""
    command: list[str] = request["command"]
    source, output = os.pipe()
    copying = threading.Thread(target=_hand_on, args=(source, port), daemon=True)
    copying.start()
    try:
        started = subprocess.Popen(
            command,
            env=request["environment"],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except OSError as error:
        os.write(port, f"{command[0]} cannot be run: {error}\n".encode())
        return _NOT_RUN
    finally:
        os.close(output)
    ended = _wait(started.pid)
    copying.join(_PATIENCE)  # what the command left behind may still hold the pipe
    return ended if ended >= 0 else 128 - ended  # as shells have it for signals


def main() -> None:
    request = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _mount_all(request["shown"])
    loopback.bring_up([])
    port, status = _port(OUTPUT), _port(STATUS)
    ended = _run(request, port)
    termios.tcdrain(port)
    os.write(status, f"{ended}\n".encode())
    termios.tcdrain(status)


if __name__ == "__main__":
    try:
        main()
    finally:
        sys.stderr.flush()
        Path("/proc/sysrq-trigger").write_text("o")  # power off
        signal.pause()
