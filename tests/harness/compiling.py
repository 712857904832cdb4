"""Small C programs for the engine's tests, compiled by the zig that compiles the engine."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SOURCES = Path(__file__).parent / "c"
# Seconds for which an attempt to win a race is repeated: a moment in `make test`, longer in `make test-long`.
EFFORT = int(os.environ.get("RACE_SECONDS", "1"))
# Where what was compiled once is kept for later. An emulated machine has not the time to compile (lab/kernels).
_KEPT = os.environ.get("COMPILED_TESTS", "")
_INCLUDED = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def compile_c(sources: Sequence[Path], out: Path, *flags: str, target: str | None = None) -> Path:
    """Compiles for this machine's glibc, or for zig's `target`.

    Without symbols, as the build does: for programs with them zig would compile its own libraries once more.
    """
    kept = Path(_KEPT, _key(sources, out.name, [f"-DEFFORT={EFFORT}", *flags, str(target)])) if _KEPT else None
    if kept and kept.exists():
        shutil.copy(kept, out)
        return out
    # In zig, none of the sanitizers comes back behind `-fno-sanitize=all`.
    sanitize = [] if any(flag.startswith("-fsanitize") for flag in flags) else ["-fno-sanitize=all"]
    command = [sys.executable, "-m", "ziglang", "cc", "-O1", "-s", "-Wall", "-Wextra", "-Werror", *sanitize, *flags]
    command += [f"-DEFFORT={EFFORT}"]
    command += ["-target", target] if target else []
    command += [*map(str, sources), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(out, kept)
    return out


def _key(sources: Sequence[Path], name: str, flags: Sequence[str]) -> str:
    """Of all that decides about a program: its files, those that they include by name, and how it is compiled."""
    digest = hashlib.sha256("\0".join([name, *flags]).encode())
    waiting, known = [source.resolve() for source in sources], set[Path]()
    while waiting:
        file = waiting.pop(0)
        if file in known or not file.is_file():
            continue
        known.add(file)
        content = file.read_bytes()
        digest.update(hashlib.sha256(content).digest())
        waiting += [(file.parent / os.fsdecode(path)).resolve() for path in _INCLUDED.findall(content)]
    return f"{name}-{digest.hexdigest()[:32]}"
