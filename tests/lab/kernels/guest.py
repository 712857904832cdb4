"""A guest: one of the kernels, in qemu, that sees this machine's files, runs one command and is gone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab.kernels import initramfs
from lab.kernels.kernels import QEMU, image, modules
from shielded_function_emulator.languages import debian

_HERE = Path(__file__).parent
CHECKOUT = _HERE.parents[2]
_MEGABYTES = 3072
_DISK_BYTES = 4 << 30
# `QEMU_ACCEL=kvm` is many times faster where it works. That /dev/kvm is there does not say so: in a machine that is
# virtual itself, a guest may hang.
_ACCELERATOR = os.environ.get("QEMU_ACCEL", "tcg,thread=multi")
# Without zeroing what it allocates, and without what is done against other processors' leaks: emulated, a request for
# a file takes 15 ms with the former. `panic`, `oops`: the guest ends instead of going on wrongly.
_ARGUMENTS = "console=ttyS0 loglevel=4 panic=-1 oops=panic mitigations=off init_on_alloc=0 tsc=reliable"
_LAST_LINES = 25


class GuestError(Exception):
    """The guest did not come to an exit status; the text says why, with the kernel's last lines."""


def run(root: Path, command: Sequence[str], environment: Mapping[str, str], seconds: float) -> int:
    """Runs a command in a guest, as root, in the checkout. Its output is ours; returns its exit status.

    Args:
        root: where the kernel is unpacked.
        seconds: how long the guest may take, with its start.

    Raises:
        GuestError: it took longer, or ended before the command did.
    """
    with tempfile.TemporaryDirectory(prefix="shield-guest-") as name:
        scratch = Path(name)
        (scratch / "initramfs").write_bytes(_initramfs(root, _request(command, environment)))
        _make_disk(scratch / "disk")
        with _started(_qemu(root, scratch)) as process:
            timer = threading.Timer(seconds, process.kill)
            timer.start()
            process.wait()
            in_time = timer.is_alive()
            timer.cancel()
        status = _read(scratch / "status").strip()
        if status.isdecimal() and in_time:
            return int(status)
        why = f"it ended with {process.returncode} before the command did" if in_time else f"{seconds:g} s were over"
        said = "\n".join(_read(scratch / "kernel").splitlines()[-_LAST_LINES:])
        raise GuestError(f"{why}; the kernel's last lines:\n{said or '(none)'}")


def _make_disk(file: Path) -> None:
    """An empty file system; the file takes no more room than is used of it."""
    with open(file, "wb") as disk:
        disk.truncate(_DISK_BYTES)
    program = shutil.which("mke2fs", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if program is None:
        raise GuestError("mke2fs is needed for the guest's disk: install e2fsprogs")
    subprocess.run([program, "-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=1", file], check=True)


def _read(file: Path) -> str:
    return file.read_text(errors="backslashreplace") if file.exists() else ""


@contextmanager
def _started(command: Sequence[str | Path]) -> Iterator[subprocess.Popen[bytes]]:
    libraries = os.pathsep.join(str(folder) for folder in debian.libraries(QEMU))
    sys.stdout.flush()
    process = subprocess.Popen(
        [str(word) for word in command],
        env=os.environ | {"LD_LIBRARY_PATH": libraries},
        stdin=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _request(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """For inside.py; without blanks, as the shell that hands it on splits there."""
    tools = (path.resolve() for path in (CHECKOUT / ".tools").glob("*") if path.is_dir())
    shown = sorted({sys.base_prefix, *map(str, tools)})
    request = {"command": list(command), "environment": dict(environment), "shown": shown}
    return json.dumps(request, separators=(",", ":")).replace(" ", r"\u0020")


def _initramfs(root: Path, request: str) -> bytes:
    next_program = f"{os.path.realpath(sys.executable)} -S {_HERE / 'inside.py'} {request}"
    return initramfs.archive(
        [
            *(initramfs.directory(name) for name in ("bin", "dev", "files", "modules")),
            initramfs.program("bin/busybox", (root / "usr/bin/busybox").read_bytes()),
            initramfs.program("init", (_HERE / "init").read_bytes()),
            initramfs.program("next", next_program.encode()),
            *(
                initramfs.program(f"modules/{number:02}-{path.name}", path.read_bytes())
                for number, path in enumerate(modules(root))
            ),
        ]
    )


def _qemu(root: Path, scratch: Path) -> list[str | Path]:
    program = debian.find(QEMU, "usr/bin/qemu-system-x86_64")
    if program is None:
        raise GuestError(QEMU.missing())
    firmware = [word for name in ("seabios", "qemu") for word in ("-L", QEMU.folder / "usr" / "share" / name)]
    return [
        program,
        *(firmware if program.is_relative_to(QEMU.folder) else ()),
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-machine", "q35"),
        *("-accel", _ACCELERATOR, "-cpu", "max", "-smp", "2", "-m", str(_MEGABYTES)),
        *("-kernel", image(root), "-initrd", scratch / "initramfs", "-append", _ARGUMENTS),
        # Files of several devices may have one number: they are given others.
        *("-fsdev", "local,id=files,path=/,security_model=none,readonly=on,multidevs=remap"),
        *("-device", "virtio-9p-pci,fsdev=files,mount_tag=files"),
        *("-drive", f"file={scratch / 'disk'},format=raw,if=virtio,cache=unsafe"),
        *("-serial", f"file:{scratch / 'kernel'}", "-serial", "stdio", "-serial", f"file:{scratch / 'status'}"),
    ]
