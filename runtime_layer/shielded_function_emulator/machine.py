"""Chooses the machine of a sandbox: this one, or one of another architecture, whose programs an emulator runs.

`EMULATED_LAMBDA_MACHINE=aarch64` makes every sandbox an aarch64 one: its system directories come from Debian's arm64
packages, and binfmt_misc(5), mounted in its own user namespace, hands each aarch64 program to qemu-user, so that
nothing of this machine's setting changes. Code, libc and engine are aarch64's then; system calls are this machine's, by
way of qemu: results are called "aarch64 under qemu-user", not "arm64 Lambda".
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from shielded_function_emulator import kernel

VARIABLE = "EMULATED_LAMBDA_MACHINE"
AARCH64 = "aarch64"
# The folders that `make arm64` fills, with the packages of arm64.packages.
_TOOLS = Path(__file__).resolve().parents[2] / ".tools"
SYSTEM = _TOOLS / "libcs" / "machine-aarch64"
EMULATOR = _TOOLS / "libcs" / "qemu-x86_64" / "usr" / "bin" / "qemu-aarch64"
PYTHON_CLIENT = _TOOLS / "runtimes" / "aarch64-awslambdaric-4.2.2"
_PYTHON = "python3.11"


class MachineError(Exception):
    """There is no such machine here; one line says what to do."""


@dataclass(frozen=True)
class Machine:
    """The machine of a sandbox.

    Attributes:
        architecture: as the kernel names it.
        language: the folder that is /var/lang.
        system: the root that the system directories come from; None: this machine's own.
        emulator: the program that runs this architecture's programs; None: the processor does.
        packages: Python packages with native code that take the place of this Python's; None: there are none.
    """

    architecture: str
    language: Path
    system: Path | None = None
    emulator: Path | None = None
    packages: Path | None = None


def architecture() -> str:
    """The architecture under test."""
    return os.environ.get(VARIABLE) or kernel.machine()


def is_emulated() -> bool:
    """Whether the programs under test are run by an emulator."""
    return architecture() != kernel.machine()


def python_name() -> str:
    """The name of the interpreter of the machine under test."""
    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return _PYTHON if is_emulated() else own


def missing() -> str:
    """Empty, or why aarch64 cannot be emulated here, in one line."""
    if kernel.machine() != "x86_64":
        return f"aarch64 is emulated on x86_64 only; this is {kernel.machine()}"
    absent = [path for path in (EMULATOR, SYSTEM, PYTHON_CLIENT) if not path.exists()]
    return f"{absent[0]} is not there: run `make arm64`" if absent else ""


def machine() -> Machine:
    """The machine under test.

    Raises:
        MachineError: it is not known, or was not fetched yet.
    """
    wanted = architecture()
    if wanted == kernel.machine():
        return Machine(wanted, Path(sys.base_prefix).resolve())
    if wanted != AARCH64:
        raise MachineError(f"{VARIABLE}={wanted}: there is this machine's {kernel.machine()}, and {AARCH64}")
    if reason := missing():
        raise MachineError(reason)
    return Machine(wanted, SYSTEM / "usr", SYSTEM, EMULATOR, PYTHON_CLIENT)
