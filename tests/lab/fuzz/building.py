"""The fuzz targets: what each is made of, and how it is compiled.

With Debian's clang a target is a libFuzzer program with AddressSanitizer and UndefinedBehaviorSanitizer. Without it
(`make test` must run anywhere), zig compiles the same target with a main of our own, which runs each file that it is
given once, at the end of a page (replay.c), and traps on undefined behaviour.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
NATIVE = CHECKOUT / "runtime_layer" / "native"
SEEDS = HERE / "seeds"
WORKSHOP = CHECKOUT / ".fuzz"  # git-ignored: programs, grown corpora, crashes

INSTALL_HINT = "clang with libFuzzer is missing: apt-get install clang libclang-rt-14-dev"

_WARNINGS = ("-Wall", "-Wextra", "-Werror")
_CORE_WITHOUT_API = tuple(
    sorted(
        f"core/{source.name}" for source in (NATIVE / "core").glob("*.c") if source.name not in ("memory.c", "api.c")
    )
)
_CORE = (*_CORE_WITHOUT_API, "core/api.c")
_ELF = ("core/text.c", "engine/sites/elf_image.c")
DECODER = "engine/sites/x86_64/decode.c"
X86_64_SITES = (
    *_ELF,
    *(f"engine/sites/x86_64/{part}.c" for part in ("sites", "incoming_edges", "code_region")),
    DECODER,
)
_FAKE_KERNEL = ("-include", str(HERE / "kernel_fake.h"))
X86_64_ONLY = platform.machine() == "x86_64"


@dataclass(frozen=True)
class Target:
    """One fuzz target.

    Attributes:
        name: also the names of its seeds' folder and of its grown corpus.
        about: what it feeds on.
        product: the sources under test, below `native/`.
        source: the target's own file, when it is not `<name>.c`.
        helpers: further files of ours that it is made of.
        flags: for the compiler.
        max_len: the longest input that is worth trying.
        words: tokens that inputs are made of, for the mutator.
    """

    name: str
    about: str
    product: tuple[str, ...]
    source: str = ""
    helpers: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    max_len: int = 4096
    words: tuple[str, ...] = ()

    @property
    def file(self) -> Path:
        return HERE / (self.source or f"{self.name}.c")


_JUDGES = (
    *_CORE_WITHOUT_API,
    "engine/base/user_memory.c",
    "engine/files/file_verdict.c",
    "engine/base/read_file.c",
    "engine/base/filesystem.c",
    "engine/report/caller.c",
    "engine/base/procfs.c",
    "engine/state/sealed_state.c",
)
_FILE_JUDGES = (
    *_JUDGES,
    "engine/files/open.c",
    "engine/files/open_fastpath.c",
    "engine/files/path_syscalls.c",
)
_NOTES = ("engine/report/node_notes.c", "engine/report/place_texts.c")
_NETWORK_JUDGES = (
    *(source for source in _JUDGES if source != "engine/base/user_memory.c"),  # forget.c includes it
    "engine/lifecycle/events.c",
    "engine/network/bind.c",
    "engine/fds/fd_dup.c",
    "engine/fds/fd_list.c",
    "engine/fds/fd_syscalls.c",
    "engine/network/client_hello.c",
    "engine/report/log_writer.c",
    "engine/network/connect.c",
    "engine/network/socket_options.c",
    "engine/network/receive.c",
    "engine/network/send.c",
    "engine/base/socket_info.c",
    *_NOTES,
)
_SETTING_WORDS = (
    "SHIELD_OUTBOUND_CONNECTIVITY=",
    "SHIELD_ALLOW_OUTBOUND=",
    "SHIELD_DENY_OUTBOUND=",
    "SHIELD_ALLOW_AWS=",
    "SHIELD_ALLOW_BUCKETS=",
    "SHIELD_ACCOUNT_ID=",
    "SHIELD_CHECK_TLS_NAME=",
    "SHIELD_READ_WRITE_TMP=",
    "SHIELD_ALLOW_TMP=",
    "SHIELD_CLEAR_TMP=",
    "SHIELD_BLOCK_FOREIGN_FUNCTIONS=",
    "SHIELD_KERNEL_LIMITS=",
    "SHIELD_CREATE_CHILD_PROCESS=",
    "SHIELD_ALLOW_CHILD_PROCESS=",
    "SHIELD_ALLOW_EXECUTABLE_MEMORY=",
    "SHIELD_READ_HANDLER=",
    "SHIELD_EXECUTABLE_MEMORY=",
    "SHIELD_ON_FAILURE=",
    "SHIELD_NODE_CALLERS=",
    "SHIELD_LOG_ARGUMENTS=",
    "SHIELD_NEXT_WRAPPER=",
    "SHIELD_POLICY_FILE=",
    "SHIELD_ACCOUNT_ID=123456789012",
    "AWS_REGION=",
    "block",
    "alert",
    "allow",
    "run_unshielded",
    "unshielded:/",
    "us-east-1",
    "dynamodb",
    "\\x00connect\\x00",
    "\\x00udp\\x00",
    "\\x00resolve\\x00",
    "\\x00tmp\\x00/tmp/",
    "\\x00exec\\x00/",
    "\\x00exec-static\\x00/",
)
_ENTRY_WORDS = (
    "*.",
    "://",
    "tcp://",
    "udp://",
    "]:",
    "::",
    "/**",
    "/tmp/",
    ":65535",
    "/128",
    "::ffff:",
    ".example.com",
)

TARGETS: tuple[Target, ...] = (
    Target("policy", "policy text, and decisions on it", _CORE, words=_SETTING_WORDS + _ENTRY_WORDS),
    Target("entry", "entries, host names, addresses and paths", _CORE, max_len=512, words=_ENTRY_WORDS),
    Target("glob", "path patterns", _CORE, max_len=100, words=("**", "/**/", "/**", "*", "?", "\\x00")),
    Target("sockaddr", "kernel addresses", ("core/text.c", "core/endpoint.c"), max_len=160),
    Target(
        "dns",
        "DNS messages",
        ("core/text.c", "core/endpoint.c", "core/dns.c", "core/machine_names.c"),
        max_len=2048,
        words=("\\x07in-addr\\x04arpa", "\\x03ip6\\x04arpa", "\\x09localhost"),
    ),
    Target("tls", "the first bytes of TLS connections", ("core/text.c", "core/tls.c"), max_len=512),
    Target("names", "the table of learned addresses", ("core/text.c", "core/endpoint.c", "core/learned_addresses.c")),
    Target("alert", "the alert line", _CORE, words=("policy=", "mode=", "argument=", "seconds=", "\\xef\\xbf\\xbd")),
    Target("zip", "the directory of a jar", ("core/text.c", "core/zip.c"), max_len=1024),
    Target(
        "maps",
        "/proc/self/maps",
        ("core/text.c", "engine/base/procfs.c"),
        flags=_FAKE_KERNEL,
        words=(" r-xp ", " rw-p "),
    ),
    Target(
        "known",
        "sites that a parent found",
        ("core/text.c", "engine/sites/site_cache.c"),
        words=("1.2.3.4.5:", "1.2.3.4.5:?@??", ";"),
    ),
    Target(
        "frames",
        "Python's frames, and symbols of ELF objects",
        (
            *("core/text.c", "core/python_layout.c", "core/python_objects.c", "engine/base/user_memory.c"),
            *("engine/base/memory_reader.c", "engine/report/python_frames.c"),
            "engine/base/procfs.c",
        ),
        flags=_FAKE_KERNEL,
        max_len=8192,
        words=("_PyRuntime",),
    ),
    Target(
        "notes",
        "what Node.js code writes of itself",
        (*_CORE_WITHOUT_API, *_NOTES, "engine/base/user_memory.c", "engine/state/sealed_state.c"),
        flags=_FAKE_KERNEL,
        words=("s1\n/var/task/node_modules/a/b.js\t7\tf", "\nx.js\t", "x1\n", "k1 ", " 443", "d1", "f--expose-gc\n"),
    ),
    Target("memory", "the caller's memory", ("core/text.c", "engine/base/user_memory.c"), flags=_FAKE_KERNEL),
    Target(
        "network",
        "the network judges",
        _NETWORK_JUDGES,
        helpers=("forget.c",),
        flags=_FAKE_KERNEL,
        max_len=1024,
    ),
    Target("paths", "the file judges", _FILE_JUDGES, flags=_FAKE_KERNEL, max_len=1024),
    Target("elf", "ELF files (x86_64)", X86_64_SITES, flags=("-DSCANS_X86_64=1",), max_len=16384),
    Target("elf_aarch64", "ELF files (aarch64)", (*_ELF, "engine/sites/aarch64/sites.c"), source="elf.c", max_len=4096),
    Target("code", "x86_64 code around system calls", X86_64_SITES, max_len=2048),
    Target("decoder", "x86_64 instructions", (DECODER,), max_len=64),
)


class ToolMissing(Exception):
    """What has to be installed, in one line."""


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")


def _sources(target: Target) -> list[str]:
    ours = (str(HERE / helper) for helper in target.helpers)
    return [str(target.file), *ours, *(str(NATIVE / source) for source in target.product)]


def build_fuzzer(target: Target, folder: Path) -> Path:
    """Compiles a libFuzzer program; a newer one is kept."""
    clang = shutil.which("clang")
    if clang is None:
        raise ToolMissing(INSTALL_HINT)
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / target.name
    inputs = [*HERE.glob("*.[ch]"), *NATIVE.rglob("*.[ch]"), Path(__file__)]
    if program.exists() and program.stat().st_mtime > max(path.stat().st_mtime for path in inputs):
        return program
    sanitizers = ["-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"]
    flags = ["-std=gnu11", "-g", "-O1", *_WARNINGS, *sanitizers, *target.flags]
    try:
        _run([clang, *flags, *_sources(target), "-o", str(program)])
    except RuntimeError as error:
        if "libclang_rt" in str(error):
            raise ToolMissing(INSTALL_HINT) from error
        raise
    return program


def compile_with_any(sources: Sequence[Path], program: Path, *flags: str) -> Path:
    """Compiles a plain program with zig, which is always here."""
    command = [sys.executable, "-m", "ziglang", "cc", "-std=gnu11", "-O2", *_WARNINGS, "-fno-sanitize=all", *flags]
    _run([*command, *map(str, sources), "-o", str(program)])
    return program


def build_replays(targets: Sequence[Target], folder: Path) -> dict[str, Path]:
    """Compiles programs that run the files they are given through a target, with zig."""
    zig = [sys.executable, "-m", "ziglang", "cc", "-s", "-O1"]
    options = [*_WARNINGS, "-fsanitize=undefined", "-fsanitize-trap=undefined"]
    return build_programs(targets, folder, [*zig, *options], zig, (str(HERE / "replay.c"),))


def build_programs(
    targets: Sequence[Target],
    folder: Path,
    compiler: Sequence[str],
    linker: Sequence[str],
    further: Sequence[str] = (),
    engine: Sequence[str] = (),
) -> dict[str, Path]:
    """Compiles each source once for all targets, two at a time, and links the programs.

    Args:
        targets: as in `TARGETS`.
        folder: of the programs.
        compiler: of C, with its options.
        linker: with its options.
        further: sources that each program has as well.
        engine: the linker's last options.

    Returns:
        The programs by their targets' names.
    """
    objects: dict[tuple[str, ...], Path] = {}
    parts: dict[str, list[Path]] = {}
    for target in targets:
        for source in (*_sources(target), *further):
            # The core calls no kernel: what is put in front of the engine's sources is nothing to it.
            flags = () if Path(source).parent == NATIVE / "core" else target.flags
            made = objects.setdefault((*flags, source), folder / f"{len(objects)}.o")
            parts.setdefault(target.name, []).append(made)
    commands = [[*compiler, "-std=gnu11", "-c", *key, "-o", str(made)] for key, made in objects.items()]
    programs = {name: folder / name for name in parts}
    links = [[*linker, *map(str, made), *engine, "-o", str(programs[name])] for name, made in parts.items()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_run, commands))
        list(pool.map(_run, links))
    for made in objects.values():
        made.unlink()
    return programs


def dictionary_of(target: Target) -> str:
    """The target's words, as libFuzzer's file of words has them."""
    words = ("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in word) for word in target.words)
    return "".join(f'"{word}"\n' for word in words)


def targets_here() -> tuple[Target, ...]:
    """Those that this machine can run: the x86_64 scanner's windows are defined for x86_64 only."""
    only_x86_64 = {"elf", "code"}
    return tuple(t for t in TARGETS if X86_64_ONLY or t.name not in only_x86_64)
