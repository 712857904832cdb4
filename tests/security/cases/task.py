"""/var/task for the cases: the programs that run inside, compiled helpers, and odd names for the same files."""

from __future__ import annotations

import atexit
import py_compile
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from harness.compiling import SOURCES as ENGINE_SOURCES
from harness.compiling import compile_c
from harness.elf_files import ask_for_an_executable_stack
from harness.engine import INSIDE as ENGINE_INSIDE
from shielded_function_emulator.machine import architecture

HERE = Path(__file__).parent
INSIDE, SOURCES = HERE / "inside", HERE / "c"

# Library: source, further flags.
_LIBRARIES: dict[str, tuple[Path, tuple[str, ...]]] = {
    "help": (SOURCES / "help.c", ("-fno-omit-frame-pointer",)),
    "inline": (SOURCES / "inline.c", ()),
    "library": (SOURCES / "library.c", ()),
    "states": (SOURCES / "states.c", ("-fno-omit-frame-pointer", "-fasynchronous-unwind-tables")),
    "namespace": (ENGINE_SOURCES / "namespace.c", ()),
}
_LINKS = {
    "to_tmp": "/tmp",
    "to_there": "/tmp/there",
    "to_new": "/tmp/new_by_link",
    "to_mark": "mark",
}


def _compile(folder: Path) -> None:
    machine = architecture()
    for name, (source, flags) in _LIBRARIES.items():
        compile_c([source], folder / f"lib{name}.so", "-shared", "-fPIC", *flags, target=f"{machine}-linux-gnu")
    compile_c([SOURCES / "mark.c"], folder / "mark", target=f"{machine}-linux-gnu")
    compile_c([SOURCES / "mark.c"], folder / "mark_static", "-static", target=f"{machine}-linux-musl")


@lru_cache(maxsize=1)
def task() -> str:
    """The folder, made once a process and removed at its end."""
    scratch = tempfile.mkdtemp(prefix="shield-cases-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    folder = Path(scratch) / "task"
    shutil.copytree(INSIDE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ENGINE_INSIDE / "ways.py", folder)
    _compile(folder)
    shutil.copy(folder / "mark", folder / "mark_copy")
    shutil.copy(folder / "liblibrary.so", folder / "libexecstack.so")
    ask_for_an_executable_stack(folder / "libexecstack.so")
    for name, target in _LINKS.items():
        (folder / name).symlink_to(target)
    (folder / "open_policy").write_text("SHIELD_READ_WRITE_TMP=allow\n")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "app.cpython-399.pyc").write_bytes(b"bytecode")
    for module in folder.glob("*.py"):
        if module.name != "app.py":  # the handler: what reads it is told apart by its files
            py_compile.compile(str(module), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    for path in [folder.parent, folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755)
    return str(folder)


if __name__ == "__main__":
    task()
