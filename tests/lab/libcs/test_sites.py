"""Site discovery against an independent disassembler (capstone), over the libraries that every process has."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import capstone
import lief
import pytest

from harness.compiling import SOURCES, compile_c
from harness.elf_files import say_it_is_data
from lab.libcs.fetch import Unavailable, root_of
from lab.libcs.releases import LIBCS
from lab.libcs.site_lists import compile_list_sites

pytestmark = pytest.mark.promise("memory.sites")

ARCHITECTURES = ("x86_64", "aarch64")
# Numbers whose sites need not be patchable: ends of threads and processes, and read (glibc's __read_nocancel).
UNGUARDED = {"x86_64": {0, 60, 231}, "aarch64": {63, 93, 94}}


def libraries(architecture: str) -> list[Path]:
    """libc and the loader: what every guarded call passes through."""
    if architecture != platform.machine():
        libc = next(libc for libc in LIBCS if (libc.name, libc.architecture) == ("glibc-2.36", architecture))
        try:
            folder = root_of(libc) / "usr" / "lib" / f"{architecture}-linux-gnu"
        except Unavailable as error:
            pytest.skip(f"{libc.id} is not available: {error}")
        return [*folder.glob("libc.so.6"), *folder.glob("ld-linux-*")]
    mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if ".so" in line}
    names = ("libc.so", "libc-2", "ld-linux", "ld-musl")  # since glibc 2.34, libpthread is empty
    return sorted(Path(path) for path in mapped if Path(path).name.startswith(names))


@pytest.fixture(scope="session", params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def list_sites(architecture: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_list_sites(architecture, tmp_path_factory.mktemp("sites") / "list_sites")


def sites_of(tool: Path, library: Path) -> dict[int, tuple[int, str, int]]:
    """offset -> (number, kind, window)"""
    lines = subprocess.run([str(tool), str(library)], capture_output=True, text=True, check=True).stdout.splitlines()
    found = {}
    for line in lines:
        offset, number, kind, window, _ = line.split()
        found[int(offset, 16)] = (int(number), kind, int(window))
    return found


def test_data_in_an_executable_segment_is_no_code(architecture: str, list_sites: Path, tmp_path: Path) -> None:
    library = tmp_path / "data.so"
    flags = ("-shared", "-fPIC", "-nostdlib")
    compile_c([SOURCES / "data_beside_code.c"], library, *flags, target=f"{architecture}-linux-gnu")
    assert len(sites_of(list_sites, library)) == 1
    say_it_is_data(library, ".table")
    assert sites_of(list_sites, library) == {}


@pytest.mark.parametrize(
    ("flags", "number"),
    [
        (["-DALONE"], 172),
        (["-DRARELY"], -1),
        (["-DRARELY", "-DRARER"], -1),
        (["-DJUMP=br x4"], -1),
        (["-DJUMP=ret x4"], -1),
        (["-DJUMP=braa x4, x5", "-mcpu=generic+pauth"], -1),
        (["-DJUMP=brab x4, x5", "-mcpu=generic+pauth"], -1),
    ],
)
def test_an_aarch64_number_with_two_sources_is_unknown(flags: list[str], number: int, tmp_path: Path) -> None:
    """A number on aarch64 that something else may bring is not known."""
    library = tmp_path / "library.so"
    compile_c(
        [Path(__file__).parent / "c" / "from_elsewhere.S"],
        library,
        "-shared",
        "-nostdlib",
        *flags,
        target="aarch64-linux-gnu",
    )
    tool = compile_list_sites("aarch64", tmp_path / "list_sites")
    assert list(sites_of(tool, library).values()) == [(number, "patchable", 4 if number >= 0 else 0)]


def instructions(library: Path, architecture: str) -> dict[int, tuple[int, str]]:
    """offset -> (length, mnemonic), for the functions that .eh_frame bounds (data between them is not code)."""
    if architecture == "x86_64":
        machine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    else:
        machine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    machine.skipdata = True
    binary = lief.ELF.parse(str(library))
    assert binary is not None
    text = binary.get_section(".text")
    assert text is not None
    code = bytes(text.content)
    return {
        address - text.virtual_address + text.offset: (size, mnemonic)
        for address, size, mnemonic, _ in machine.disasm_lite(code, text.virtual_address)
    }


def test_every_site_of_libc_is_found_and_none_is_invented(list_sites: Path, architecture: str) -> None:
    for library in libraries(architecture):
        reference = {o for o, (_, name) in instructions(library, architecture).items() if name in ("syscall", "svc")}
        found = set(sites_of(list_sites, library))
        assert len(reference) > 30, f"{library}: nothing to compare with"
        assert reference <= found, f"{library}: missed {sorted(reference - found)}"
        assert len(found - reference) <= 2, f"{library}: invented {sorted(found - reference)}"


def test_every_site_that_can_make_a_guarded_call_is_patchable(list_sites: Path, architecture: str) -> None:
    for library in libraries(architecture):
        hard = {o: s for o, s in sites_of(list_sites, library).items() if s[1] == "hard"}
        assert {number for number, _, _ in hard.values()} <= UNGUARDED[architecture], (library, hard)


def test_numbers_are_those_of_the_disassembly(list_sites: Path, architecture: str) -> None:
    """Where `mov $n, %eax` (or its like) stands right in front, the constant is that n."""
    if architecture != "x86_64":
        pytest.skip("the reference below reads x86-64 bytes; aarch64's rule is one mask, tested by patching itself")
    for library in libraries(architecture):
        content = library.read_bytes()
        checked = 0
        for offset, (number, kind, _) in sites_of(list_sites, library).items():
            if content[offset - 5] == 0xB8 and kind == "patchable" and number >= 0:
                assert number == int.from_bytes(content[offset - 4 : offset], "little")
                checked += 1
        assert checked > 20
