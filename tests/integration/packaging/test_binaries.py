"""Each compiled file: the right format and machine, the right symbols, and no need of anything that may be missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

import capstone
import lief
import pytest

from shielded_function_runtime.build import native

pytestmark = pytest.mark.promise("construct.layer")

LIBRARY_LIMIT = 248 * 1024
ELF_MACHINES = {"x86_64": lief.ELF.ARCH.X86_64, "aarch64": lief.ELF.ARCH.AARCH64}
# Registers of vectors and floating point: their names, as the disassembler gives them.
MACHINES = {
    "x86_64": (capstone.CS_ARCH_X86, capstone.CS_MODE_64, re.compile(r"\b(?:[xyz]mm\d+|mm\d|st\(\d\))")),
    "aarch64": (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM, re.compile(r"\b[vqdshb]\d+\b")),
}
MACHO_MACHINES = {"x86_64": lief.MachO.Header.CPU_TYPE.X86_64, "aarch64": lief.MachO.Header.CPU_TYPE.ARM64}
# What the linker and the compiler add by themselves; the second lot is in libSystem.
MACHO_LINKER_SYMBOLS = {"__mh_dylib_header", "___dso_handle"}
MACHO_SYSTEM_SYMBOLS = {"dyld_stub_binder", "___bzero"}
PE_MACHINES = {"x86_64": lief.PE.Header.MACHINE_TYPES.AMD64, "aarch64": lief.PE.Header.MACHINE_TYPES.ARM64}

Binary = TypeVar("Binary", lief.ELF.Binary, lief.MachO.Binary, lief.PE.Binary)


@pytest.fixture(scope="module", autouse=True)
def up_to_date() -> None:
    native.build()


def read(path: str, kind: type[Binary]) -> Binary:
    binary = lief.parse(native.BINARIES / path)
    assert isinstance(binary, kind), f"{path} is {type(binary).__name__}"
    return binary


def api_symbols() -> set[str]:
    """The functions that api.h exports."""
    header = (native.NATIVE / "core" / "api.h").read_text()
    return set(re.findall(r"^SHIELD_EXPORT\b[^(;]*?(\w+)\(", header, re.MULTILINE))


@pytest.mark.parametrize("arch", native.ARCHITECTURES)
def test_linux_core(arch: str) -> None:
    library = read(f"core/linux-{arch}/libshieldcore.so", lief.ELF.Binary)
    assert library.header.machine_type == ELF_MACHINES[arch]
    assert {s.name for s in library.exported_symbols} == api_symbols()
    assert [s.name for s in library.imported_symbols] == []
    assert list(library.libraries) == []


@pytest.mark.parametrize("arch", native.ARCHITECTURES)
def test_macos_core(arch: str) -> None:
    fat = lief.MachO.parse(native.BINARIES / f"core/macos-{arch}/libshieldcore.dylib")
    assert fat is not None
    assert fat.size == 1
    library = fat.at(0)
    assert library is not None
    assert library.header.file_type == lief.MachO.Header.FILE_TYPE.DYLIB
    assert library.header.cpu_type == MACHO_MACHINES[arch]
    exported = {str(s.name) for s in library.symbols if s.has_export_info} - MACHO_LINKER_SYMBOLS
    assert exported == {f"_{name}" for name in api_symbols()}
    assert {str(s.name) for s in library.imported_symbols} <= MACHO_SYSTEM_SYMBOLS
    assert library.build_version is not None
    assert library.build_version.minos == [11, 0, 0]
    # arm64 macOS loads nothing that is not signed; an ad-hoc signature, which the linker writes, is enough.
    assert library.has_code_signature or arch == "x86_64"
    assert {dependency.name for dependency in library.libraries} <= {
        "@rpath/libshieldcore.dylib",
        "/usr/lib/libSystem.B.dylib",
    }


@pytest.mark.parametrize("arch", native.ARCHITECTURES)
def test_windows_core(arch: str) -> None:
    library = read(f"core/windows-{arch}/shieldcore.dll", lief.PE.Binary)
    assert library.header.machine == PE_MACHINES[arch]
    assert library.header.has_characteristic(lief.PE.Header.CHARACTERISTICS.DLL)
    assert {s.name for s in library.exported_functions} == api_symbols()
    assert [dependency.name for dependency in library.imports] == []


@pytest.mark.parametrize("arch", native.ARCHITECTURES)
def test_libshield_needs_nothing_and_is_hardened(arch: str) -> None:
    path = f"layer/{arch}/shielded-function/libshield.so"
    library = read(path, lief.ELF.Binary)
    assert library.header.machine_type == ELF_MACHINES[arch]
    assert library.header.file_type == lief.ELF.Header.FILE_TYPE.DYN
    assert list(library.libraries) == []
    # Told by the loader where there is a libc, to name the caller of a look-up; none is called.
    weak = {str(s.name) for s in library.dynamic_symbols if s.shndx == 0 and s.binding == lief.ELF.Symbol.BINDING.WEAK}
    resolver = {"getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyname_r", "gethostbyaddr_r"}
    assert undefined(library) == weak == resolver
    assert not library.has_interpreter
    assert {s.name for s in library.exported_symbols} == {"shield_configure"}, "one way in"
    flags = library.get(lief.ELF.DynamicEntry.TAG.FLAGS_1)
    assert isinstance(flags, lief.ELF.DynamicEntryFlags)
    assert lief.ELF.DynamicEntryFlags.FLAG.NODELETE in flags.flags
    assert lief.ELF.DynamicEntryFlags.FLAG.INITFIRST in flags.flags
    assert (native.BINARIES / path).stat().st_size <= LIBRARY_LIMIT
    assert library.has(lief.ELF.Segment.TYPE.GNU_RELRO)
    assert library.has(lief.ELF.DynamicEntry.TAG.FLAGS)
    assert not any(int(s.flags) & 3 == 3 for s in library.segments), "a segment is writable and executable"
    program = read(f"layer/{arch}/shielded-function/shield", lief.ELF.Binary)
    assert program.header.machine_type == ELF_MACHINES[arch]
    assert (program.has_interpreter, list(program.libraries)) == (False, []), "it is static"


def uses_of_other_registers(arch: str) -> list[tuple[int, str, str]]:
    """(address, mnemonic, operands) of each instruction that works with vectors or floating point."""
    library = read(f"layer/{arch}/shielded-function/libshield.so", lief.ELF.Binary)
    architecture, mode, others = MACHINES[arch]
    machine = capstone.Cs(architecture, mode)
    machine.skipdata = True
    code = [s for s in library.segments if int(s.flags) & 1]
    found = [i for s in code for i in machine.disasm_lite(bytes(s.content), s.virtual_address)]
    assert sum(name in ("syscall", "svc") for _, _, name, _ in found) > 100, "not the engine's code"
    return [(at, name, operands) for at, _, name, operands in found if others.search(operands)]


def test_libshield_uses_general_registers_only() -> None:
    """The gate keeps no others, and the programs that it is called from have values in them."""
    assert uses_of_other_registers("aarch64") == []


def test_libshield_puts_back_the_vectors_that_it_searches_with() -> None:
    used = uses_of_other_registers("x86_64")
    before, between, after = used[:6], used[6:-6], used[-6:]
    assert used[-1][0] - used[0][0] < 300, "more than the one loop of sites.c"
    saved = [(m[2], m[1]) for _, _, operands in before if (m := re.match(r"(xmmword ptr .*), (xmm\d)$", operands))]
    restored = [(m[1], m[2]) for _, _, operands in after if (m := re.match(r"(xmm\d), (xmmword ptr .*)$", operands))]
    assert len(saved) == 6
    assert saved == restored
    assert {register for *_, operands in between for register in re.findall(r"xmm\d+", operands)} == dict(saved).keys()


def undefined(library: lief.ELF.Binary) -> set[str]:
    """What a library expects from others. `imported_symbols` is empty where there are no section headers."""
    return {str(s.name) for s in library.dynamic_symbols if s.shndx == 0 and s.name}


# What an add-on finds in the process that loads it, whichever libc and whichever version of a runtime that has.
ADD_ONS = {
    "nodejs/node_modules/shielded-function/shielded_function.node": (
        {"node_api_module_get_api_version_v1", "napi_register_module_v1"},
        {
            *("dlopen", "dlsym", "dlerror", "napi_get_cb_info", "napi_get_value_string_utf8"),
            *("napi_create_string_utf8", "napi_create_function", "napi_set_named_property", "napi_throw_error"),
        },
    ),
    "shielded-function/libshield-java.so": (
        {"Java_shieldedfunction_ShieldedFunction_configure"},
        {"dlopen", "dlsym", "dlerror"},
    ),
}
ADD_ON_LIMIT = 16 * 1024


@pytest.mark.parametrize("arch", native.ARCHITECTURES)
@pytest.mark.parametrize("path", ADD_ONS)
def test_add_ons_need_no_libc_of_their_own(arch: str, path: str) -> None:
    exported, imported = ADD_ONS[path]
    library = read(f"layer/{arch}/{path}", lief.ELF.Binary)
    assert library.header.machine_type == ELF_MACHINES[arch]
    assert list(library.libraries) == []
    assert {s.name for s in library.exported_symbols} == exported
    assert undefined(library) == imported
    assert (native.BINARIES / f"layer/{arch}/{path}").stat().st_size <= ADD_ON_LIMIT


def test_files_of_the_layer_that_are_not_compiled() -> None:
    """The same for both architectures, and what they are made from. No cffi, no core: a function has neither."""
    for path, file in native.PLACED.items():
        content = (native.BINARIES / path).read_bytes()
        assert content == file.content()
        assert file.source is None or content == file.source.read_bytes()
        assert (native.BINARIES / path).stat().st_mode & 0o777 == 0o644
    names = {path.rpartition("/")[2] for path in native.PATHS if "/python/" in path}
    assert names == {"__init__.py", "configuring.py", "py.typed"}


def test_no_file_holds_a_path_of_the_machine() -> None:
    folders = [str(folder).encode() for folder in (Path.home(), native.NATIVE.parents[1]) if folder != Path("/")]
    contents = {path: (native.BINARIES / path).read_bytes() for path in native.PATHS}
    assert [path for path, content in contents.items() if any(folder in content for folder in folders)] == []
