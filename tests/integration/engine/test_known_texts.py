"""A C library that the engine's tables know is armed as one that it has to search is, and holds as well."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.compiling import SOURCES, compile_c, compile_list_sites
from harness.running import PYTHON, SHIELD, policy, whole_sandbox
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Completed, Sandbox

pytestmark = pytest.mark.skipif(architecture() != "x86_64", reason="changes a no-operation of x86-64")
LONG_NOP = bytes.fromhex("0f1f840000000000")
LOOK = (
    "print([line.split()[-1] for line in open('/proc/self/maps') if '/libc.so.6' in line][0]); open('/tmp/made', 'w')"
)


def change_text(library: Path, to: Path) -> None:
    """A copy that does the same, but for one byte of its code that nothing depends on."""
    content = bytearray(library.read_bytes())
    content[content.index(LONG_NOP, len(content) // 4) + 4] ^= 1
    to.write_bytes(content)
    to.chmod(0o755)


def libc() -> Path:
    names = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libc.so.6" in line}
    return Path(names.pop())


def start(box: Sandbox, path: str) -> Completed:
    settings = policy(read_write_tmp="block") | ({"LD_LIBRARY_PATH": path} if path else {})
    return box.run_command([SHIELD, PYTHON, "-c", LOOK], environment=settings)


def test_a_changed_libc_is_searched_to_the_same_end(layer: Path, tmp_path: Path) -> None:
    tool = compile_list_sites(architecture(), tmp_path / "list_sites")
    task = tmp_path / "task"
    changed = task / "changed" / "libc.so.6"  # not where the loader looks by itself
    changed.parent.mkdir(parents=True)
    change_text(libc(), changed)
    known = {file: subprocess.check_output([tool, file, "--known"]) for file in (libc(), changed)}
    if not known[libc()]:
        pytest.skip(f"{libc()} is not in the table: `make known-libcs` adds it")
    assert known[changed] == b""
    with whole_sandbox(task, layer) as box:
        done = {path: start(box, path) for path in ("", "/var/task/changed")}
    armed = {}
    for path, one in done.items():
        assert (one.stdout.strip() == f"{path}/libc.so.6") == bool(path)
        assert "PermissionError" in one.stderr, one.stderr
        armed[path] = [(line["sites"], line["patched"]) for line in one.shield_lines if line.get("event") == "armed"]
    assert armed[""] == armed["/var/task/changed"] != []


def test_what_the_loader_wrote_into_code_stays(layer: Path, task: Path) -> None:
    """Arming reads the code of all that is there at the start, and gives pages back."""
    library = task / "relocated_text.so"
    flags = ("-shared", "-fPIC", "-Wl,-z,notext")
    compile_c([SOURCES / "relocated_text.c"], library, *flags, target="x86_64-linux-gnu")
    with whole_sandbox(task, layer) as box:
        environment = policy(read_write_tmp="block") | {"LD_PRELOAD": f"/var/task/{library.name}"}
        for command in ([PYTHON, "-c", ""], [SHIELD, PYTHON, "-c", ""]):
            done = box.run_command(command, environment=environment)
            assert (done.returncode, done.stdout) == (0, "well\n"), done.stderr
