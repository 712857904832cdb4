"""What the benchmarks run: the layer of this machine, and the programs in C that stand here, compiled."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

from rows import MeasurementError

from shielded_function_runtime.build import native

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / ".zig-cache" / "benchmarks"
CALLS = ("calls.c", "threads.c", "file_calls.c", "socket_calls.c", "network_calls.c", "everything.c")
_FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror", "-pthread")


def machine() -> str:
    """This machine's architecture. Raises MeasurementError where the shield does not run."""
    name = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())
    if sys.platform != "linux" or name not in native.ARCHITECTURES:
        raise MeasurementError(f"the shield runs on Linux, x86_64 or aarch64; this is {sys.platform}, {name}")
    return name


def build_shield() -> Path:
    """Brings the wrapper and its library up to date; the wrapper. Raises MeasurementError when they do not compile."""
    layer = f"layer/{machine()}/shielded-function"
    try:
        native.build([layer])
    except native.BuildError as error:
        raise MeasurementError(str(error)) from error
    return native.BINARIES / layer / "shield"


def compile_program(name: str, *sources: str, flags: tuple[str, ...] = ()) -> Path:
    """Compiles files of this folder into a program, or a library; where it lies. Raises MeasurementError."""
    to = OUTPUT / name
    to.parent.mkdir(parents=True, exist_ok=True)
    files = [str(HERE / source) for source in sources]
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", f"{machine()}-linux-gnu.2.17"]
    command = [*compiler, *_FLAGS, *flags, "-o", str(to), *files]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MeasurementError(f"{' or '.join(sources)} does not compile: {done.stderr.strip()}")
    return to
