"""Small C programs for the engine's tests, compiled by the zig that compiles the engine."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import lief

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


def offset_of(library: Path, function: str) -> int:
    """Where in the file a function lies."""
    binary = lief.ELF.parse(str(library))
    symbol = binary and binary.get_symbol(function)
    assert binary
    assert symbol
    offset = binary.virtual_address_to_offset(symbol.value)
    assert isinstance(offset, int)
    return offset


def end_code_early(library: Path) -> tuple[int, int]:
    """Makes the program header say that code ends with its first bytes; where in the file it begins, and did end."""
    binary = lief.ELF.parse(str(library))
    assert binary
    segments = list(binary.segments)
    index = next(i for i, s in enumerate(segments) if s.type == lief.ELF.Segment.TYPE.LOAD and int(s.flags) & 1)
    begin, size = segments[index].file_offset, segments[index].physical_size
    content = bytearray(library.read_bytes())
    header = struct.unpack_from("<Q", content, 0x20)[0] + 56 * index  # e_phoff; a program header is 56 bytes
    struct.pack_into("<Q", content, header + 0x20, 64)  # p_filesz
    library.write_bytes(content)
    return begin, begin + size
