"""The engine's decoder and site discovery against `objdump -d`, over the libraries and programs of this machine.

Every instruction's length is compared, and every system call that objdump shows must be found. A difference is either
a fault of ours or one of EXPLAINED, which says why.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lab.fuzz.building import (
    CHECKOUT,
    DECODER,
    HERE,
    NATIVE,
    WORKSHOP,
    X86_64_ONLY,
    X86_64_SITES,
    ToolMissing,
    compile_with_any,
)

INSTALL_HINT = "objdump is missing: apt-get install binutils"

# Bytes and text as objdump gives them -> why that is no fault. All but the first two occur in tables inside the code
# (libcrypto's curves), which no one runs, and which objdump reads as if it were code.
EXPLAINED: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "fwait and the x87 instruction after it are two, objdump shows one",
        re.compile(r"^(?:[0-9a-f]{2} )*9b (?!\s*\t)"),
    ),
    (
        "a prefix with nothing that it belongs to",
        re.compile(r"\t(?:(?:rex\S*|lock|cs|ds|es|fs|gs|ss|repn?z|data16|addr32) ?)+$"),
    ),
    ("not an instruction in objdump's eyes either", re.compile(r"\t\.byte ")),
    ("a near jump with 66: AMD reads two bytes, Intel four", re.compile(r"\t(?:jmpw|callw|j[a-z]+w) ")),
    ("control and debug registers: only the kernel's", re.compile(r"^(?:[0-9a-f]{2} )*0f 2[0-3] ")),
)
# What every process has comes first, then the rest.
_FIRST = ("ld-linux-x86-64.so.2", "libc.so.6", "libpthread.so.0", "libcrypto.so.3", "libm.so.6", "libstdc++.so.6")
_PLACES = ("/lib64", "/lib", "/usr/lib", "/usr/local", "/usr/bin", "/usr/sbin", "/usr/libexec", "/opt", "/var/lang")
_LARGEST = 200 << 20
_MACHINE_X86_64 = 62


@dataclass
class Report:
    """What was compared, and what came of it."""

    files: int = 0
    left_out: int = 0
    functions: int = 0
    instructions: int = 0
    bad: int = 0
    calls: int = 0
    explained: dict[str, int] = field(default_factory=dict[str, int])
    faults: list[str] = field(default_factory=list[str])
    extra_sites: int = 0
    seconds: float = 0.0


def is_ours(path: Path) -> bool:
    """A 64-bit x86 program or library?"""
    try:
        with path.open("rb") as file:
            head = file.read(20)
    except OSError:
        return False
    return (
        head[:5] == b"\x7fELF\x02"
        and len(head) == 20
        and struct.unpack_from("<HH", head, 16) in ((2, _MACHINE_X86_64), (3, _MACHINE_X86_64))
    )


def candidates() -> list[Path]:
    """Every ELF file of the machine and of .venv once; what all processes share first, the small before the large."""
    seen: set[tuple[int, int]] = set()
    found: list[tuple[int, int, Path]] = []
    for place in (*map(Path, _PLACES), CHECKOUT / ".venv"):
        for folder, _, names in os.walk(place):
            for name in names:
                path = Path(folder) / name
                try:
                    status = path.stat()
                except OSError:
                    continue
                key = (status.st_dev, status.st_ino)
                if key in seen or not 1024 < status.st_size < _LARGEST or not path.is_file():
                    continue
                seen.add(key)
                if is_ours(path):
                    first = _FIRST.index(name) if name in _FIRST else len(_FIRST)
                    found.append((first, status.st_size, path))
    return [path for _, _, path in sorted(found)]


def addresses_of(path: Path) -> list[tuple[int, int, int]]:
    """(address, file offset, size) of the executable segments."""
    content = path.read_bytes()
    (at,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    segments = []
    for i in range(count):
        kind, flags, offset, address, _, in_file = struct.unpack_from("<IIQQQQ", content, at + i * size)
        if kind == 1 and flags & 1:
            segments.append((address, offset, in_file))
    return segments


def sites_of(tool: Path, path: Path) -> set[int]:
    """The file offsets that discovery reports."""
    lines = subprocess.run([str(tool), str(path)], capture_output=True, text=True, check=False).stdout.splitlines()
    return {int(line.split()[0], 16) for line in lines}


class Comparison:
    """The two tools, compiled once."""

    def __init__(self) -> None:
        objdump = shutil.which("objdump")
        if objdump is None:
            raise ToolMissing(INSTALL_HINT)
        self.objdump = objdump
        folder = WORKSHOP / "tools"
        folder.mkdir(parents=True, exist_ok=True)
        list_sites = CHECKOUT / "tests" / "lab" / "libcs" / "c" / "list_sites.c"
        self.lengths = compile_with_any([HERE / "lengths.c", NATIVE / DECODER], folder / "lengths")
        self.sites = compile_with_any([list_sites, *(NATIVE / part for part in X86_64_SITES)], folder / "list_sites")
        self.report = Report()

    def compare(self, path: Path) -> None:
        """One file."""
        report = self.report
        with subprocess.Popen(
            [self.objdump, "-d", "-w", str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as listing:
            done = subprocess.run([str(self.lengths)], stdin=listing.stdout, capture_output=True, text=True, check=True)
        if listing.returncode != 0:
            report.left_out += 1
            return
        report.files += 1
        calls: set[int] = set()
        for line in done.stdout.splitlines():
            kind, rest = line.split(" ", 1)
            if kind == "syscall":
                calls.add(int(rest, 16))
            elif kind == "difference":
                ours, address, shown = rest.split(" ", 2)
                self._difference(path, int(ours), address, shown)
            else:
                functions, instructions, bad = map(int, rest.split())
                report.functions += functions
                report.instructions += instructions
                report.bad += bad
        self._sites(path, calls)

    def _difference(self, path: Path, ours: int, address: str, shown: str) -> None:
        for why, pattern in EXPLAINED:
            if pattern.search(shown):
                self.report.explained[why] = self.report.explained.get(why, 0) + 1
                return
        self.report.faults.append(f"{path} {address}: our length is {ours}, objdump's is: {' '.join(shown.split())}")

    def _sites(self, path: Path, calls: set[int]) -> None:
        segments = addresses_of(path)
        wanted = {
            call - address + offset
            for call in calls
            for address, offset, size in segments
            if address <= call < address + size
        }
        found = sites_of(self.sites, path)  # data that reads as a call would be an extra one
        self.report.calls += len(wanted)
        self.report.extra_sites += len(found - wanted)
        for offset in sorted(wanted - found):
            self.report.faults.append(f"{path}: the system call at file offset {offset:#x} is not found")


def compare_all(seconds: float | None, console: Console) -> Report:
    """Compares until the time is over (None: all there is)."""
    comparison = Comparison()
    files = candidates()
    start = time.monotonic()
    columns = (
        TextColumn("objdump"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(files))
        for done, path in enumerate(in_time(files, start, seconds), 1):
            progress.update(task, completed=done, description=path.name[:40])
            comparison.compare(path)
    comparison.report.left_out += len(files) - comparison.report.files - comparison.report.left_out
    comparison.report.seconds = time.monotonic() - start
    return comparison.report


def in_time(files: list[Path], start: float, seconds: float | None) -> Iterator[Path]:
    """The files until the time is over."""
    for path in files:
        if seconds is not None and time.monotonic() - start > seconds:
            return
        yield path


def show(report: Report, console: Console) -> None:
    """The counts, and each fault."""
    console.print(
        f"objdump: {report.files:,} files ({report.left_out:,} left out), {report.functions:,} functions, "
        f"{report.instructions:,} instructions, {report.calls:,} system calls in {report.seconds:.0f} s; "
        f"{report.bad:,} that objdump cannot read, {report.extra_sites:,} sites in what it reads as something else"
    )
    for why, count in report.explained.items():
        console.print(f"  {count:,} explained: {why}", highlight=False)
    for fault in report.faults[:50]:
        console.print(f"  [red]FAULT[/] {fault}", highlight=False)
    console.print(f"  {len(report.faults):,} faults")


def main() -> int:
    """0: no fault; 1: faults; 2: something is missing."""
    parser = argparse.ArgumentParser(description="The decoder and site discovery against objdump -d.")
    parser.add_argument("--all", action="store_true", help="every file, however long it takes")
    parser.add_argument("--seconds", type=float, default=60, help="how long to compare (default: 60)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    arguments = parser.parse_args()
    console = Console(stderr=arguments.json)
    if not X86_64_ONLY:
        console.print("objdump: nothing to compare: this machine is no x86_64")
        return 0
    try:
        report = compare_all(None if arguments.all else arguments.seconds, console)
    except ToolMissing as error:
        console.print(str(error))
        return 2
    if arguments.json:
        print(json.dumps(vars(report)))
    else:
        show(report, console)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
