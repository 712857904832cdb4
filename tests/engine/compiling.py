"""Small C programs for the engine's tests, compiled by the zig that compiles the engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SOURCES = Path(__file__).parent / "c"
NATIVE = Path(__file__).parents[2] / "runtime_layer" / "native"


def compile_c(sources: Sequence[Path], out: Path, *flags: str, target: str | None = None) -> Path:
    """Compiles for this machine's glibc, or for zig's `target`."""
    command = [sys.executable, "-m", "ziglang", "cc", "-O1", "-Wall", "-Wextra", "-Werror", "-fno-sanitize=all", *flags]
    command += ["-target", target] if target else []
    command += [*map(str, sources), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out
