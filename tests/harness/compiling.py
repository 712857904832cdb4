"""Small C programs for the engine's tests, compiled by the zig that compiles the engine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SOURCES = Path(__file__).parent / "c"
NATIVE = Path(__file__).parents[2] / "runtime_layer" / "native"
# Seconds for which an attempt to win a race is repeated: a moment in `make test`, longer in `make test-long`.
EFFORT = int(os.environ.get("RACE_SECONDS", "1"))
_DISCOVERY = ("sites", "incoming_edges", "operands", "code_region", "decode")


def compile_c(sources: Sequence[Path], out: Path, *flags: str, target: str | None = None) -> Path:
    """Compiles for this machine's glibc, or for zig's `target`.

    Without symbols, as the build does: for programs with them zig would compile its own libraries once more.
    """
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-O1",
        "-s",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fno-sanitize=all",
        *flags,
    ]
    command += [f"-DEFFORT={EFFORT}"]
    command += ["-target", target] if target else []
    command += [*map(str, sources), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


def compile_list_sites(architecture: str, out: Path) -> Path:
    """The tool that prints what discovery for an architecture finds in a file."""
    sources = [SOURCES / "list_sites.c", NATIVE / "core" / "text.c", NATIVE / "core" / "memory.c"]
    sources += [NATIVE / "engine" / "sites" / "elf_image.c"]
    sources += [f for f in (NATIVE / "engine" / "sites" / architecture).glob("*.c") if f.stem in _DISCOVERY]
    return compile_c(sources, out, "-O2")
