"""/var/task for the cases: the programs that run inside, compiled helpers, and odd names for the same files."""

from __future__ import annotations

import atexit
import os
import shutil
import struct
import tempfile
from functools import lru_cache
from pathlib import Path

from emulated_lambda.machine import architecture
from engine.compiling import SOURCES as ENGINE_SOURCES
from engine.compiling import compile_c

HERE = Path(__file__).parent
INSIDE, SOURCES = HERE / "inside", HERE / "c"

# Library: source, further flags.
_LIBRARIES: dict[str, tuple[Path, tuple[str, ...]]] = {
    "help": (SOURCES / "help.c", ("-fno-omit-frame-pointer",)),
    "inline": (SOURCES / "inline.c", ()),
    "library": (SOURCES / "library.c", ()),
    "states": (SOURCES / "states.c", ("-fno-omit-frame-pointer", "-fasynchronous-unwind-tables")),
    "threads": (SOURCES / "threads.c", ()),
    "namespace": (ENGINE_SOURCES / "namespace.c", ()),
}
_PT_GNU_STACK = 0x6474E551
_LINKS = {
    "to_tmp": "/tmp",
    "to_there": "/tmp/there",
    "to_new": "/tmp/new_by_link",
    "to_mark": "mark",
    "to_app": "app.py",
}


def _compile(folder: Path) -> None:
    machine = architecture()
    for name, (source, flags) in _LIBRARIES.items():
        compile_c([source], folder / f"lib{name}.so", "-shared", "-fPIC", *flags, target=f"{machine}-linux-gnu")
    compile_c([SOURCES / "mark.c"], folder / "mark", target=f"{machine}-linux-gnu")
    compile_c([SOURCES / "mark.c"], folder / "mark_static", "-static", target=f"{machine}-linux-musl")


def _with_executable_stack(library: bytes) -> bytes:
    """The same library, which asks the loader for stacks that can run (elf(5)): zig's linker makes none."""
    changed = bytearray(library)
    table, size, count = struct.unpack_from("<Q", library, 32)[0], *struct.unpack_from("<HH", library, 54)
    for header in range(table, table + size * count, size):
        if struct.unpack_from("<I", library, header)[0] == _PT_GNU_STACK:
            struct.pack_into("<I", changed, header + 4, 7)
    return bytes(changed)


@lru_cache(maxsize=1)
def task() -> str:
    """The folder, made once a process and removed at its end."""
    scratch = tempfile.mkdtemp(prefix="shield-cases-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    folder = Path(scratch) / "task"
    shutil.copytree(INSIDE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    _compile(folder)
    shutil.copy(folder / "mark", folder / "mark_copy")
    (folder / "libexecstack.so").write_bytes(_with_executable_stack((folder / "liblibrary.so").read_bytes()))
    os.link(folder / "app.py", folder / "same_file.txt")
    for name, target in _LINKS.items():
        (folder / name).symlink_to(target)
    (folder / "open_policy").write_text("SHIELD_READ_WRITE_TMP=allow\n")
    (folder / "mounted").mkdir()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "app.cpython-399.pyc").write_bytes(b"bytecode")
    for path in [folder.parent, folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755)
    return str(folder)
