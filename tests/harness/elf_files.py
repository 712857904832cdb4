"""Libraries that are changed after they were linked: their headers say something else than what is there (elf(5))."""

from __future__ import annotations

import struct
from pathlib import Path

import lief

_SEGMENT = lief.ELF.Segment.TYPE
_READ, _WRITE, _RUN = 4, 2, 1
_PROGRAM_HEADER, _SECTION_HEADER = 56, 64  # bytes


def _parsed(library: Path) -> lief.ELF.Binary:
    """Its parts are gone with it: whoever looks at them keeps it."""
    binary = lief.ELF.parse(str(library))
    assert binary
    return binary


def _read(library: Path, layout: str, at: int) -> int:
    return struct.unpack_from(layout, library.read_bytes(), at)[0]


def _write(library: Path, layout: str, at: int, *values: int) -> None:
    content = bytearray(library.read_bytes())
    struct.pack_into(layout, content, at, *values)
    library.write_bytes(content)


def _program_header(library: Path, kind: lief.ELF.Segment.TYPE, flags: int) -> int:
    """Where in the file the first one of that kind stands that has those flags."""
    binary, all_flags = _parsed(library), _READ | _WRITE | _RUN
    index = next(i for i, s in enumerate(binary.segments) if s.type == kind and int(s.flags) & all_flags == flags)
    return _read(library, "<Q", 0x20) + _PROGRAM_HEADER * index  # e_phoff


def offset_of(library: Path, function: str) -> int:
    """Where in the file a function lies."""
    binary = _parsed(library)
    symbol = binary.get_symbol(function)
    assert symbol
    offset = binary.virtual_address_to_offset(symbol.value)
    assert isinstance(offset, int)
    return offset


def code_begins_at(library: Path) -> int:
    """Where in the file the segment with the code begins."""
    return _read(library, "<Q", _program_header(library, _SEGMENT.LOAD, _READ | _RUN) + 8)  # p_offset


def end_code_early(library: Path) -> None:
    """Lets the code end with its first bytes."""
    _write(library, "<Q", _program_header(library, _SEGMENT.LOAD, _READ | _RUN) + 0x20, 64)  # p_filesz


def grow_code(library: Path) -> None:
    """Lets zeroes follow the code, which can be run as well."""
    memory = _program_header(library, _SEGMENT.LOAD, _READ | _RUN) + 0x28  # p_memsz
    _write(library, "<Q", memory, _read(library, "<Q", memory) + 200)


def forget_sections(library: Path) -> None:
    """Takes away where the sections are described, but not how many there are."""
    _write(library, "<Q", 0x28, 0)  # e_shoff


def run_all_first(library: Path) -> None:
    """Lets what is in front of the code be run with it, and takes away what the file says of its sections."""
    _write(library, "<I", _program_header(library, _SEGMENT.LOAD, _READ) + 4, _READ | _RUN)  # p_flags
    _write(library, "<Q", 0x28, 0)  # e_shoff
    _write(library, "<HH", 0x3C, 0, 0)  # e_shnum, e_shstrndx


def say_it_is_data(library: Path, section: str) -> None:
    """Takes SHF_EXECINSTR from a section."""
    binary = _parsed(library)
    index = [s.name for s in binary.sections].index(section)
    flags = _read(library, "<Q", 0x28) + _SECTION_HEADER * index + 8  # e_shoff; sh_flags
    _write(library, "<Q", flags, _read(library, "<Q", flags) & ~4)


def ask_for_an_executable_stack(library: Path) -> None:
    """Lets the loader make stacks that can run: zig's linker makes no such library."""
    header = _program_header(library, _SEGMENT.GNU_STACK, _READ | _WRITE)
    _write(library, "<I", header + 4, _READ | _WRITE | _RUN)  # p_flags
