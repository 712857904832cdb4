"""`python benchmarks/visits.py [LIBRARY]` (`make visits`): the functions that a denied connect enters, counted.

One call is stepped through, instruction by instruction, in the library as it is built, with symbols. The count tells
how much code lies between the gate and the answer, with the line in the log.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path

from programs import OUTPUT, compile_program, machine
from rows import MeasurementError

from shielded_function_runtime.build import native

_SHOWN = 12
_FUNCTION = 2  # STT_FUNC (elf(5))
_SYMBOLS = 2  # SHT_SYMTAB
_LOADED = 1  # PT_LOAD


def _functions(elf: bytes) -> dict[int, str]:
    """Where in a 64-bit ELF file each function begins."""
    programs, sections = struct.unpack_from("<QQ", elf, 32)
    size, count, section_size, section_count = struct.unpack_from("<HHHH", elf, 54)
    loaded = [struct.unpack_from("<IIQQQQ", elf, programs + i * size) for i in range(count)]
    headers = [struct.unpack_from("<IIQQQQIIQQ", elf, sections + i * section_size) for i in range(section_count)]
    found: dict[int, str] = {}
    for _, kind, _, _, offset, length, link, _, _, entry in headers:
        for at in range(offset, offset + length, entry) if kind == _SYMBOLS else ():
            name, info, _, _, value, _ = struct.unpack_from("<IBBHQQ", elf, at)
            if info & 15 == _FUNCTION:
                begin = headers[link][4] + name
                found[_in_file(loaded, value)] = elf[begin : elf.index(b"\0", begin)].decode()
    return found


def _in_file(loaded: list[tuple[int, ...]], address: int) -> int:
    for kind, _, offset, at, _, length in loaded:
        if kind == _LOADED and at <= address < at + length:
            return address - at + offset
    return -1


def entered(library: Path) -> list[str]:
    """The functions that one denied connect enters, in their order.

    Raises:
        MeasurementError: the call was not denied, or nothing can be traced here.
    """
    functions = _functions(library.read_bytes())
    program = compile_program("visits", "visits.c")
    environment = {"PATH": os.defpath, "SHIELD_OUTBOUND_CONNECTIVITY": "block", "SHIELD_EXECUTABLE_MEMORY": "allow"}
    done = subprocess.run(
        [str(program), str(library)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise MeasurementError(f"visits: exit status {done.returncode}: {done.stderr.strip()[-300:]}")
    return [functions[at] for line in done.stdout.split() if (at := int(line, 16)) in functions]


def main() -> int:
    """Prints the counts."""
    try:
        library = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT / "with-symbols" / "libshield.so"
        if len(sys.argv) == 1:
            library.parent.mkdir(parents=True, exist_ok=True)
            native.write_symbols(f"layer/{machine()}/shielded-function/libshield.so", library)
        names = entered(library)
    except (MeasurementError, native.BuildError) as error:
        print(error, file=sys.stderr)
        return 2
    counts = Counter(names)
    print(f"a denied connect enters {len(names)} functions, {len(counts)} different ones")
    for name, count in counts.most_common(_SHOWN):
        print(f"{count:6}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
