"""Every system-call instruction of every library is found, none is invented, and all that matter can be patched."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import capstone
import lief
import pytest

from harness.thinning import long_but
from lab.arm64.packages import SYSTEM
from lab.libcs.fetch import Unpackable
from lab.libcs.releases import DEBIAN_NAMES, LIBCS, Libc
from shielded_function_runtime.build.native import NATIVE

# What a process's calls come from. Since glibc 2.34 only libc and the loader have any.
LIBRARIES = ("libc.so*", "libc-2.*", "ld-*", "libpthread*", "librt*", "libanl*", "libresolv*", "libnss_*")
# Sites whose number is one of these need no gate: read, exit, exit_group, futex.
UNGUARDED = {"x86_64": {0, 60, 231, 202}, "aarch64": {63, 93, 94, 98}}
_MACHINES = {
    "x86_64": (capstone.CS_ARCH_X86, capstone.CS_MODE_64, "syscall"),
    "aarch64": (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM, "svc"),
}


def libraries(root: Path) -> list[Path]:
    folders = [folder for folder in root.glob("usr/lib*") if not folder.is_symlink()]
    found = {file for folder in folders for pattern in LIBRARIES for file in folder.rglob(pattern)}
    return sorted(f for f in found if f.is_file() and not f.is_symlink() and f.read_bytes()[:4] == b"\x7fELF")


def sites_of(tool: Path, library: Path) -> dict[int, tuple[int, str]]:
    """File offset: (number, kind)"""
    lines = subprocess.run([str(tool), str(library)], capture_output=True, text=True, check=True).stdout.splitlines()
    split = [line.split() for line in lines]
    return {int(offset, 16): (int(number), kind) for offset, number, kind, *_ in split}


def reference_of(library: Path, architecture: str) -> set[int]:
    """The file offsets of all system-call instructions, by a sweep over each section that holds code."""
    arch, mode, wanted = _MACHINES[architecture]
    machine = capstone.Cs(arch, mode)
    machine.skipdata = True
    binary = lief.ELF.parse(str(library))
    assert binary is not None
    return {
        address - section.virtual_address + section.offset
        for section in binary.sections
        if section.has(lief.ELF.Section.FLAGS.EXECINSTR)
        for address, _, name, _ in machine.disasm_lite(bytes(section.content), section.virtual_address)
        if name == wanted
    }


# Of each kind one, for both architectures.
KEPT = [libc for libc in LIBCS if libc.name in ("glibc-2.36", "musl-1.2.3")]


@pytest.mark.parametrize("libc", long_but(KEPT, LIBCS), ids=lambda libc: libc.id)
def test_every_site_is_known_and_has_room_for_a_jump(
    libc: Libc, root: Callable[[Libc], Path], list_sites: Callable[[str], Path]
) -> None:
    """Every site is known and each that matters has room for a jump."""
    found = 0
    for library in libraries(root(libc)):
        sites = sites_of(list_sites(libc.architecture), library)
        reference = reference_of(library, libc.architecture)
        assert set(sites) == reference, f"{library.name}: {sorted(map(hex, set(sites) ^ reference))}"
        hard = {number for number, kind in sites.values() if kind == "hard"}
        assert hard <= UNGUARDED[libc.architecture], f"{library.name}: {sites}"
        found += len(sites)
    assert found > 400


def names_that_need_no_search() -> list[str]:
    """The names of the system's libraries, or how they begin, that loaded_objects.c takes for granted."""
    table = re.search(
        r"known\[\]\[\d+\] = \{(.*?)\};", (NATIVE / "engine" / "sites" / "loaded_objects.c").read_text(), re.DOTALL
    )
    assert table
    return re.findall(r'"([^"]+)"', table[1])


@pytest.mark.promise("memory.not-searched")
@pytest.mark.long  # decodes all of the runtimes
@pytest.mark.parametrize("architecture", _MACHINES)
def test_what_is_not_searched_makes_no_call_of_its_own(
    architecture: str, list_sites: Callable[[str], Path], root: Callable[[Unpackable], Path]
) -> None:
    system = Path("/") if architecture == platform.machine() else root(SYSTEM)
    names = names_that_need_no_search()
    assert len(names) == 14
    folder = system / "usr" / "lib" / f"{architecture}-linux-gnu"
    found = {file.resolve() for name in names for file in folder.glob(f"{name}*")}
    files = [file for file in found if file.read_bytes()[:4] == b"\x7fELF"]
    assert len(files) >= 3, f"only {files}"
    assert {file.name: sites for file in files if (sites := sites_of(list_sites(architecture), file))} == {}


def test_all_that_this_project_is_for_is_in_the_table() -> None:
    """Debian 11, 12 and 13, and musl, for both architectures: a row that is taken out is missed."""
    expected = {"glibc-2.31", "glibc-2.36", "glibc-2.41", "musl-1.2.2", "musl-1.2.3", "musl-1.2.5"}
    for architecture in DEBIAN_NAMES:
        assert {libc.name for libc in LIBCS if libc.architecture == architecture and not libc.folder} == expected
