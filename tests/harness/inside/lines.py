"""Runs inside the sandbox: `lines.py <what> [<argument>]`, for what is read in the log."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import sys
import time

from ways import LIBC, ask_for_work

VARIABLES = ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_REGION", "SHIELD_ACCOUNT_ID")
CHILD = "import os\ntry: os.listdir('/tmp')\nexcept PermissionError: pass"


def violate(path: bytes = b"/tmp/new") -> None:
    with contextlib.suppress(OSError):
        os.mkdir(path)


def other_environment() -> None:
    for name in VARIABLES:
        os.environ[name] = "other"
        LIBC.setenv(name.encode(), b"another", 1)
        LIBC.setenv(f"SHIELD_STATE_{name}".encode(), b"another", 1)
    violate()
    for env in ({}, dict.fromkeys([*VARIABLES, *(f"SHIELD_STATE_{name}" for name in VARIABLES)], "other")):
        subprocess.run([sys.executable, "-c", CHILD], env=env, check=False)
    os.execve(sys.executable, [sys.executable, "-c", CHILD], {})


def path(name: str) -> None:
    violate(b"/tmp/" + os.fsencode(name).replace(b"/", b"_"))
    with contextlib.suppress(OSError):
        subprocess.run(["/bin/echo", os.fsencode(name)], check=False)


def configure(lines: bytes) -> bytes:
    """As the bindings do it (bindings/engine.h). Returns the reason why it is refused."""
    with open("/proc/self/maps") as maps:
        (library,) = {line.split()[-1] for line in maps if "libshield.so" in line}
    said = ctypes.create_string_buffer(512)
    engine = ctypes.CDLL(library)
    refused = engine.shield_configure(lines, ctypes.c_uint64(len(lines)), said, ctypes.c_uint64(512))
    return said.value if refused else b""


def tighten() -> None:
    assert configure(b"SHIELD_READ_HANDLER=block\n") == b""
    assert configure(b"SHIELD_READ_WRITE_TMP=allow\n") != b""


def keep_a_memory_file() -> None:
    os.memfd_create("grows")
    ask_for_work()


def storm() -> None:
    for _ in range(300):
        violate()


def storm_of_targets() -> None:
    """Until one second holds more of them than have a line each."""
    for first in range(0, 10_000, 500):
        begun = time.monotonic()
        for number in range(first, first + 500):
            with contextlib.suppress(OSError):
                open(f"/tmp/{number}", "w").close()
        if time.monotonic() - begun < 1:
            return


WHAT = {
    f.__name__: f for f in (other_environment, path, tighten, ask_for_work, keep_a_memory_file, storm, storm_of_targets)
}

if __name__ == "__main__":
    WHAT[sys.argv[1]](*json.loads(sys.argv[2]))
