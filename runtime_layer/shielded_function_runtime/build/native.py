"""Compiles the C in `native/` for every platform with zig, which cross-compiles and comes from PyPI.

`PROGRAMS` is the whole table of programs, with their folders, targets and flags. A program is built again only when the
hash of its inputs (sources, headers, flags, compiler), or its own, has changed. The same
inputs give the same bytes wherever and whenever they are compiled: paths are relative, nothing holds a date or a
build id.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .layer_files import FILES

ZIG_VERSION = "0.17.1"

_RUNTIME_LAYER = Path(__file__).resolve().parents[2]
NATIVE = _RUNTIME_LAYER / "native"
BINARIES = _RUNTIME_LAYER / "shielded_function_runtime" / "binaries"
_CHECKOUT = _RUNTIME_LAYER.parent
_RECORD = ".inputs.json"

_COMMON = (
    "-std=c11",
    "-O2",
    "-g0",
    "-s",
    "-fno-sanitize=all",
    "-fno-stack-protector",
    "-fvisibility=hidden",
    "-ffunction-sections",
    "-fdata-sections",
    "-Wl,--gc-sections",
    "-fno-unroll-loops",  # the loops are over short texts: 8 KB of the library for nothing
    "-Wall",
    "-Wextra",
    "-Werror",
)
_LIBRARY = ("-shared", "-fPIC", "-ffreestanding", "-nostdlib")
_NO_UNDEFINED = ("-Wl,-z,defs",)
_ENGINE = (
    *_NO_UNDEFINED,
    "-Os",  # a fifth smaller, at no cost that the benchmark shows: most of the time is spent in the kernel
    "-fomit-frame-pointer",
    "-fasynchronous-unwind-tables",
    "-Wl,-z,now",
    "-Wl,-z,relro",
    "-Wl,-z,nodelete",  # its loader may not unload code that other threads run
)
# The gate keeps general registers only, as programs keep values in the others across a system call. clang's
# -mgeneral-regs-only says that; zig swallows it, and takes features away from a processor instead.
_GENERAL_REGISTERS = {"x86_64": "-mcpu=baseline-mmx-sse-sse2", "aarch64": "-mcpu=baseline-fp_armv8-neon"}
# An add-on calls functions of the process that loads it, so symbols may stay undefined.
_ADD_ON = (*_LIBRARY, "-Wl,-z,now", "-Wl,-z,relro", "-Wl,-z,undefs")
_STATIC = ("-static",)
# Functions that only Python calls. In Lambda they would add size, and symbols for others to bind to.
_API = ("core/api.c",)
# No C runtime stands behind the DLL: nothing to start, and no stack probes, which frames below a page do not need.
_DLL = ("-Wl,--no-entry", "-mno-stack-arg-probe", "-Wframe-larger-than=4095")


# The folders of `native/engine`, from the ground up: each uses only those before it.
# `tests/integration/engine/test_rooms.py` reads the includes and the calls.
ENGINE_ROOMS = (
    "base",
    "trials",
    "state",
    "report",
    "sites",
    "fds",
    "files",
    "network",
    "memory",
    "process",
    "lifecycle",
    "gate",
    "boot",
)
_ROOMS_BY_ARCHITECTURE = ("sites", "gate")


def engine_folders(architecture: str) -> tuple[str, ...]:
    """Where the engine's sources for an architecture are, below `native/`."""
    own = (f"engine/{room}/{architecture}" for room in _ROOMS_BY_ARCHITECTURE)
    return (*(f"engine/{room}" for room in ENGINE_ROOMS), *own)


class BuildError(Exception):
    """The C could not be compiled; the text has the fix, or the compiler's output."""


@dataclass(frozen=True)
class Program:
    """One file to build.

    Attributes:
        path: where it goes, below `binaries/`.
        target: zig's target triple.
        folders: the folders below `native/` whose `.c` and `.S` files make it up.
        flags: for this program, after the common ones.
        without: sources in those folders that do not belong to it.
        mode: the file's permission bits.
        kernel_headers: zig's folders of Linux's own headers, for a program that has no libc to bring them.
        bare: without section headers, which linkers and debuggers read and no loader does (elf(5)).
        first: glibc runs its constructors before those of any other library (DF_1_INITFIRST).
        headers: further folders below `native/` whose headers it includes.
    """

    path: str
    target: str
    folders: tuple[str, ...]
    flags: tuple[str, ...]
    without: tuple[str, ...] = ()
    mode: int = 0o644
    kernel_headers: tuple[str, ...] = ()
    bare: bool = False
    first: bool = False
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """The result for one program: its size in bytes, and whether it was compiled in this run."""

    program: Program
    size: int
    compiled: bool


# architecture: zig's folder of its kernel headers
_KERNEL_HEADERS = {"x86_64": "x86-linux-any", "aarch64": "aarch64-linux-any"}
ARCHITECTURES = tuple(_KERNEL_HEADERS)
# platform: (zig's name for it, with the oldest version that it must run on; the library's file name, extra flags)
_CORE_PLATFORMS = {
    "linux": ("linux-gnu", "libshieldcore.so", _NO_UNDEFINED),
    "macos": ("macos.11.0", "libshieldcore.dylib", ("-Wl,-install_name,@rpath/libshieldcore.dylib",)),
    "windows": ("windows-gnu", "shieldcore.dll", _DLL),
}

CORE = tuple(
    Program(f"core/{platform}-{arch}/{name}", f"{arch}-{system}", ("core",), (*_LIBRARY, *flags))
    for platform, (system, name, flags) in _CORE_PLATFORMS.items()
    for arch in ARCHITECTURES
)
LAYER = tuple(
    program
    for arch in ARCHITECTURES
    for program in (
        Program(
            f"layer/{arch}/shielded-function/shield",
            f"{arch}-linux-musl",
            ("core", "wrapper", "engine/trials"),
            _STATIC,
            without=_API,
            mode=0o755,
            headers=("engine/base",),
        ),
        Program(
            f"layer/{arch}/shielded-function/libshield.so",
            f"{arch}-linux-gnu",
            ("core", *engine_folders(arch)),
            (*_LIBRARY, *_ENGINE, _GENERAL_REGISTERS[arch]),
            without=_API,
            kernel_headers=(_KERNEL_HEADERS[arch], "any-linux-any"),
            bare=True,
            first=True,
        ),
        *(
            Program(
                f"layer/{arch}/{path}",
                f"{arch}-linux-gnu",
                (f"bindings/{language}",),
                _ADD_ON,
                bare=True,
                headers=("bindings",),
            )
            for language, path in (
                ("node", "nodejs/node_modules/shielded-function/shielded_function.node"),
                ("java", "shielded-function/libshield-java.so"),
            )
        ),
    )
)
PROGRAMS = CORE + LAYER
# Files that are not compiled, by path below `binaries/`.
PLACED = {f"layer/{arch}/{file.path}": file for arch in ARCHITECTURES for file in FILES}
# Everything that the build leaves below `binaries/`.
PATHS = (*(program.path for program in PROGRAMS), *PLACED)


def build(
    selected: Sequence[str] = (), *, force: bool = False, report: Callable[[Result], None] = lambda _: None
) -> list[Result]:
    """Brings `binaries/` up to date.

    Args:
        selected: path prefixes ("core", "layer/aarch64"); none means everything.
        force: compile also programs that are up to date.
        report: called for each program as it is done.

    Raises:
        BuildError: zig is missing or of another version, a folder has no sources, or the C does not compile.
    """
    wanted = [path for path in PATHS if not selected or path.startswith(tuple(selected))]
    if not wanted:
        raise BuildError(f"nothing is called {', '.join(selected)}; there are: {', '.join(PATHS)}")
    programs = [program for program in PROGRAMS if program.path in wanted]
    for path in PLACED.keys() & wanted:
        _place(BINARIES / path, PLACED[path].content())
    zig = _zig()
    record = _read_record()
    version = _version()

    def one(program: Program) -> Result:
        inputs = _hash_inputs(program, version)
        target = BINARIES / program.path
        compiled = force or record.get(program.path) != [inputs, _hash_file(target)]
        if compiled:
            _compile(zig, program, version)
            record[program.path] = [inputs, _hash_file(target)]
        result = Result(program, target.stat().st_size, compiled)
        report(result)
        return result

    try:
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            return list(pool.map(one, programs))
    finally:
        _write(BINARIES / _RECORD, json.dumps(record, indent=1, sort_keys=True).encode())


def _place(target: Path, content: bytes) -> None:
    if not target.is_file() or target.read_bytes() != content:
        _write(target, content)


def sources(program: Program) -> list[str]:
    """The program's sources, relative to `native/`, in a fixed order."""
    found: list[str] = []
    for folder in program.folders:
        here = sorted(f.relative_to(NATIVE).as_posix() for f in (NATIVE / folder).glob("*.[cS]"))
        if not here:
            raise BuildError(f"native/{folder} has no C sources: build from a checkout or from the sdist")
        found += here
    return [name for name in found if name not in program.without]


def _arguments(program: Program, version: str) -> list[str]:
    includes = [f"-I{folder}" for folder in program.folders]
    macro = f'-DSHIELD_VERSION="{version}"'
    return ["-target", program.target, *_COMMON, *program.flags, macro, *includes, *sources(program)]


def write_symbols(path: str, output: Path) -> None:
    """Compiles one program with line numbers and symbols. Its code is that of the program in `binaries/`: a debugger
    that runs the one reads the other.

    Raises:
        BuildError: nothing is called `path`, or as for `build`.
    """
    found = [program for program in PROGRAMS if program.path == path]
    if not found:
        raise BuildError(f"nothing is called {path}; there are: {', '.join(program.path for program in PROGRAMS)}")
    stripping = ("-g0", "-s")
    arguments = [argument for argument in _arguments(found[0], _version()) if argument not in stripping]
    _run_compiler(_zig(), found[0], ["-g", *arguments], output.resolve())


def _run_compiler(zig: Path, program: Program, arguments: Sequence[str], output: Path) -> None:
    headers = [f"-isystem{zig.parent / 'lib' / 'libc' / 'include' / folder}" for folder in program.kernel_headers]
    done = subprocess.run(
        [str(zig), "cc", *headers, *arguments, "-o", str(output)],
        cwd=NATIVE,
        env=_environment(_cache()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = done.stdout.strip() or f"the compiler ended with status {done.returncode} and said nothing"
        raise BuildError(f"{program.path} does not compile:\n{said}")


def _compile(zig: Path, program: Program, version: str) -> None:
    target = BINARIES / program.path
    with tempfile.TemporaryDirectory(prefix="shield-build-") as scratch:
        output = Path(scratch) / target.name
        _run_compiler(zig, program, _arguments(program, version), output)
        built = output.read_bytes()
        built = _initialised_first(built) if program.first else built
        _write(target, _without_sections(built) if program.bare else built, program.mode)


def _segments(elf: bytes) -> Iterable[tuple[int, int, int]]:
    """The segments of a 64-bit ELF file: p_type, offset and length in the file."""
    (programs,) = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    for header in (programs + i * size for i in range(count)):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", elf, header)
        yield kind, offset, length


def _without_sections(elf: bytes) -> bytes:
    """A 64-bit ELF file up to the end of its last segment: the section headers and the padding before them are 5 KB of
    128."""
    end = max((offset + size for _, offset, size in _segments(elf) if size), default=len(elf))
    bare = bytearray(elf[:end])
    struct.pack_into("<Q", bare, 40, 0)  # e_shoff
    struct.pack_into("<HHH", bare, 58, 0, 0, 0)  # e_shentsize, e_shnum, e_shstrndx
    return bytes(bare)


def _initialised_first(elf: bytes) -> bytes:
    """A 64-bit ELF file with DF_1_INITFIRST among its DT_FLAGS_1: zig has no option for the linker's `-z initfirst`.

    Raises BuildError when the linker left no DT_FLAGS_1.
    """
    dynamic, flags_1, init_first = 2, 0x6FFFFFFB, 0x20
    entries = (at for kind, begin, size in _segments(elf) if kind == dynamic for at in range(begin, begin + size, 16))
    for entry in entries:
        tag, flags = struct.unpack_from("<QQ", elf, entry)
        if tag == flags_1:
            changed = bytearray(elf)
            struct.pack_into("<Q", changed, entry + 8, flags | init_first)
            return bytes(changed)
    raise BuildError("the library has no DT_FLAGS_1 to ask for its constructors to run first")


def _zig() -> Path:
    fix = f"pip install ziglang=={ZIG_VERSION}"
    try:
        package = importlib.import_module("ziglang")
    except ImportError as error:
        raise BuildError(f"the C is compiled by zig, which is not installed: {fix}") from error
    zig = Path(str(package.__file__)).with_name("zig.exe" if os.name == "nt" else "zig")
    version = subprocess.run([str(zig), "version"], capture_output=True, text=True, check=True).stdout.strip()
    if version != ZIG_VERSION:
        raise BuildError(f"zig {ZIG_VERSION} is needed for a reproducible build, {version} is installed: {fix}")
    return zig


def _version() -> str:
    found = re.search(r'^version = "([^"]+)"$', (_CHECKOUT / "pyproject.toml").read_text(), re.MULTILINE)
    if not found:
        raise BuildError('pyproject.toml has no line `version = "..."`')
    return found[1]


def _cache() -> Path:
    """zig's cache is in the checkout: HOME may be missing, and a folder that others can write cannot be trusted."""
    cache = _CHECKOUT / ".zig-cache"
    try:
        cache.mkdir(exist_ok=True)
    except OSError as error:
        raise BuildError(f"{cache} cannot be made ({error.strerror}): build in a copy that can be written") from error
    return cache


def _environment(cache: Path) -> Mapping[str, str]:
    """Only the variables that a program needs to run: CPATH and the like would change the result.

    zig's own libraries (musl, compiler-rt) are in its global cache, which may be another, named in the usual way.
    """
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    shared = os.environ.get("ZIG_GLOBAL_CACHE_DIR", str(cache))
    return {**environment, "ZIG_GLOBAL_CACHE_DIR": shared, "ZIG_LOCAL_CACHE_DIR": str(cache)}


def _hash_inputs(program: Program, version: str) -> str:
    digest = hashlib.sha256()
    folders: Iterable[Path] = (NATIVE / folder for folder in (*program.folders, *program.headers))
    headers = sorted(f.relative_to(NATIVE).as_posix() for folder in folders for f in folder.glob("*.h"))
    for name in (*sources(program), *headers):
        digest.update(f"\0{name}\0".encode())
        digest.update((NATIVE / name).read_bytes())
    digest.update(
        "\0".join(
            (ZIG_VERSION, oct(program.mode), str(program.bare), str(program.first), *_arguments(program, version))
        ).encode()
    )
    return digest.hexdigest()


def _hash_file(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _read_record() -> dict[str, list[str]]:
    """For each program the hash of its inputs and its own: a build at the same time may have put another there."""
    try:
        return json.loads((BINARIES / _RECORD).read_bytes())
    except (OSError, ValueError):
        return {}


def _write(target: Path, content: bytes, mode: int = 0o644) -> None:
    """Replaces a file at once: a process that has the old one mapped, or a build at the same time, is not disturbed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for folder in target.parents:
        if folder == BINARIES.parent:
            break
        folder.chmod(0o755)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(name, mode)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
