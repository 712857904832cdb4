"""Small C programs for the engine's tests, compiled by the zig that compiles the engine."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import lief

SOURCES = Path(__file__).parent / "c"
READ, RUN = 4, 1
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


def _program_header(library: Path, flags: int) -> tuple[int, tuple[int, int]]:
    """Where in the file the first one stands of what is loaded with those flags; and what it says."""
    binary = lief.ELF.parse(str(library))
    assert binary
    segments = list(binary.segments)
    loaded = lief.ELF.Segment.TYPE.LOAD
    index = next(i for i, s in enumerate(segments) if s.type == loaded and int(s.flags) & 7 == flags)
    table = struct.unpack_from("<Q", library.read_bytes(), 0x20)[0]  # e_phoff; a program header is 56 bytes
    return table + 56 * index, (segments[index].file_offset, segments[index].physical_size)


def _write(library: Path, layout: str, at: int, *values: int) -> None:
    content = bytearray(library.read_bytes())
    struct.pack_into(layout, content, at, *values)
    library.write_bytes(content)


def end_code_early(library: Path) -> tuple[int, int]:
    """Makes the program header say that code ends with its first bytes; where in the file it begins, and did end."""
    header, (begin, size) = _program_header(library, READ | RUN)
    _write(library, "<Q", header + 0x20, 64)  # p_filesz
    return begin, begin + size


def run_all_first(library: Path) -> None:
    """Lets what is in front of the code be run with it, and takes away what the file says of its sections."""
    header, _ = _program_header(library, READ)
    _write(library, "<I", header + 4, READ | RUN)  # p_flags
    _write(library, "<Q", 0x28, 0)  # e_shoff
    _write(library, "<HH", 0x3C, 0, 0)  # e_shnum, e_shstrndx
