"""Writes what the engine knows of C libraries: `make known-libcs [IMAGE=IMAGE]`.

A start searches libc and the loader for system calls, which is half of what arming costs. The engine need not search
what it has a row for in `sites/<architecture>/known_texts_table.h`, which this writes. Without IMAGE it looks at those
glibcs of `releases` that today's container images have, and at the system in LIBC_ROOT; with it, at the glibc of a
container image that docker has or can pull (AWS's own are in no registry of packages). Rows that are there stay.
"""

from __future__ import annotations

import argparse
import fnmatch
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.compiling import NATIVE, compile_list_sites
from platforms.libcs.fetch import Unavailable, root_of
from platforms.libcs.releases import LIBCS

ARCHITECTURES = {62: "x86_64", 183: "aarch64"}  # elf(5), e_machine
_SUITES = ("bookworm", "trixie", "")
_FILES = ("libc.so.6", "libc-2.*.so", "ld-linux-*.so.*", "ld-2.*.so")
_KINDS = {"patchable": 0, "hard": 1, "return": 3}  # enum site_kind
_ROW = re.compile(r"^KNOWN_TEXT\(\n\s*(\".*?\"), (0x\w+), (0x\w+), (0x\w+),\n(.*?)\)$", re.MULTILINE | re.DOTALL)
_HEADER = "/* The glibcs that the build knows, by `make known-libcs` (known_texts.h). */\n"
_WIDTH = 24  # bytes a line


@dataclass(frozen=True, order=True)
class Row:
    """What the engine has of one executable segment: a text for people, where it lies in its file, and its sites."""

    name: str
    offset: str
    size: str
    hash: str
    sites: str

    @property
    def key(self) -> tuple[str, ...]:
        return self.offset, self.size, self.hash


def table_of(architecture: str) -> Path:
    """The header that the engine for this architecture is compiled with."""
    return NATIVE / "engine" / "sites" / architecture / "known_texts_table.h"


def read_rows(architecture: str) -> list[Row]:
    """What is in the table."""
    file = table_of(architecture)
    return [Row(*match.groups()) for match in _ROW.finditer(file.read_text(encoding="ascii"))] if file.exists() else []


def write_rows(architecture: str, rows: Iterable[Row]) -> None:
    """Writes the table anew."""
    texts = (
        f"KNOWN_TEXT(\n    {row.name}, {row.offset}, {row.size}, {row.hash},\n{row.sites})\n" for row in sorted(rows)
    )
    table_of(architecture).write_text(_HEADER + "".join(texts), encoding="ascii", newline="\n")


def find_rows(tool: Path, file: Path, name: str) -> list[Row]:
    """A row for each executable segment.

    Args:
        tool: `list_sites` for the file's architecture.
        file: a shared object.
        name: what the rows are called by.

    Raises:
        ValueError: a number does not fit the table.
    """
    lines = subprocess.run([tool, file, "--texts"], capture_output=True, text=True, check=True).stdout.splitlines()
    rows, begin = [], [i for i, line in enumerate(lines) if line.startswith("text ")]
    for i, at in enumerate(begin):
        offset, size, digest = (f"0x{part}" for part in lines[at].split()[1:])
        sites = lines[at + 1 : begin[i + 1] if i + 1 < len(begin) else None]
        if sites:
            rows.append(Row(f'"{name}"', offset, size, digest, _literal(bytes(_encoded(sites, int(offset, 16))))))
    return rows


def _encoded(sites: Iterable[str], last: int) -> Iterator[int]:
    """As sites/known_texts.c reads it."""
    for line in sites:
        offset, number, kind, window, behind = line.split()
        how = int(window) | _KINDS[kind] << 5 | int(behind) << 7
        for value in (int(offset, 16) - last, how, int(number) + 1):
            yield from _number(value)
        last = int(offset, 16)


def _number(value: int) -> Iterator[int]:
    if not 0 <= value < 1 << 28:
        raise ValueError(f"{value} does not fit the table")
    while value > 127:
        yield value & 127 | 128
        value >>= 7
    yield value


def _literal(content: bytes) -> str:
    parts = (content[i : i + _WIDTH] for i in range(0, len(content), _WIDTH))
    return "\n".join('    "' + "".join(f"\\{byte:03o}" for byte in part) + '"' for part in parts)


def architecture_of(file: Path) -> str:
    """The engine's name of the machine that an ELF file is for. Raises ValueError for another one."""
    content = file.read_bytes()[:20]
    machine = int.from_bytes(content[18:20], "little")
    if content[:4] != b"\x7fELF" or machine not in ARCHITECTURES:
        raise ValueError(f"{file} is not for a machine that the engine runs on")
    return ARCHITECTURES[machine]


def find_files(root: Path) -> list[Path]:
    """glibc and its loader, below a system's root."""
    found = (file for name in _FILES for file in root.glob(f"usr/lib*/**/{name}"))
    return sorted(file for file in found if file.is_file() and not file.is_symlink())


def unpack_image(image: str, to: Path) -> Path:
    """A root with the same files out of a container image. Raises Unavailable."""
    if not shutil.which("docker"):
        raise Unavailable("IMAGE: there is no docker here; unpack the image yourself and name its folder in LIBC_ROOT")
    made = subprocess.run(["docker", "create", image, "true"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Unavailable(f"IMAGE: {made.stderr.strip()}")
    container = made.stdout.strip().splitlines()[-1]
    try:
        with (
            subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export,
            tarfile.open(fileobj=export.stdout, mode="r|") as archive,
        ):
            for member in archive:
                if member.isfile() and any(fnmatch.fnmatch(Path(member.name).name, name) for name in _FILES):
                    member.name = f"usr/lib/{Path(member.name).name}"
                    archive.extract(member, to, filter="data")
    finally:
        subprocess.run(["docker", "rm", container], capture_output=True, check=False)
    if not find_files(to):
        raise Unavailable(f"IMAGE: {image} has no glibc")
    return to


def version_of(files: Iterable[Path]) -> str:
    """As glibc prints it of itself."""
    for file in files:
        found = re.search(rb"GNU C Library \((.*?)\) .*?version (\d[\d.]*\d)", file.read_bytes())
        if found:
            return b" ".join(found.groups()).decode("ascii")
    return "glibc"


def _roots(image: str, temporary: Path) -> Iterator[Path]:
    if image:
        yield unpack_image(image, temporary)
        return
    for libc in LIBCS:
        if libc.family == "gnu" and libc.suite in _SUITES:
            yield root_of(libc)


def main() -> int:
    """Writes the tables; the exit status is 1 where a library cannot be had, or has what no table can say."""
    parser = argparse.ArgumentParser(prog="make known-libcs", description=__doc__)
    parser.add_argument("--image", default="", help="a container image whose glibc is added")
    options = parser.parse_args()
    tables = {
        architecture: {row.key: row for row in read_rows(architecture)} for architecture in ARCHITECTURES.values()
    }
    with tempfile.TemporaryDirectory() as folder:
        tools = {name: compile_list_sites(name, Path(folder, name)) for name in tables}
        try:
            for root in _roots(options.image, Path(folder, "image")):
                files = find_files(root)
                for file in files:
                    machine = architecture_of(file)
                    rows = find_rows(tools[machine], file, f"{file.name}, {version_of(files)}")
                    tables[machine] |= {row.key: row for row in rows}
                    print(f"{machine}: {file.name}, {version_of(files)}: {len(rows)} rows", flush=True)
        except (Unavailable, ValueError) as error:
            print(error, file=sys.stderr)
            return 1
    for machine, table in tables.items():
        write_rows(machine, table.values())
    return 0


if __name__ == "__main__":
    sys.exit(main())
