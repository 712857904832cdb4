"""Where one system call that a policy has to see can be given no gate, the function does not start."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.compiling import compile_c
from harness.running import SHIELD, policy
from lab.libcs.releases import LIBCS, Libc
from shielded_function_emulator.sandbox import Completed, Sandbox
from shielded_function_runtime.build.native import BINARIES, build

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="on aarch64 a jump always has room")

SOURCES = Path(__file__).parent / "c"
TARGET = "x86_64-linux-gnu.2.28"
REFUSED = 78
LAYER = BINARIES / "layer" / "x86_64"
# mov $symlinkat, %eax; syscall; cmp $-4095, %rax: how glibc makes the call
SYMLINKAT = bytes.fromhex("b80a010000 0f05 483d01f0ffff")
# jmp to the instruction; syscall; jmp over what followed: the same length, and no room for a jump
WITHOUT_ROOM = bytes.fromhex("eb03cccccc 0f05 eb04cccccccc")
GLIBCS = [libc for libc in LIBCS if libc.architecture == "x86_64" and libc.family == "gnu"]


def reason_of(done: Completed) -> str:
    """Nothing ran, and one line says why."""
    assert (done.returncode, done.stdout) == (REFUSED, ""), done.stderr
    refused = [line for line in done.shield_lines if line.get("event") == "refused"]
    assert len(refused) == 1, done.stderr
    return str(refused[0]["reason"])


@pytest.fixture
def task(tmp_path: Path) -> Path:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    return tmp_path


def test_a_library_of_the_functions_own(task: Path) -> None:
    build(["layer/x86_64"])
    library = compile_c([SOURCES / "hard.S"], task / "libhard.so", "-shared", "-Wl,-soname,libhard.so", target=TARGET)
    compile_c([SOURCES / "hard_main.c", library], task / "program", "-Wl,-rpath,$ORIGIN", target=TARGET)
    offset = library.read_bytes().index(b"\x0f\x05\xeb")
    with Sandbox(task=task, layers=LAYER) as sandbox:
        plain = sandbox.run_command(["/var/task/program"])
        assert (plain.returncode, plain.stdout) == (0, "ran 1\n"), plain.stderr
        done = sandbox.run_command([SHIELD, "/var/task/program"], environment=policy(read_write_tmp="block"))
        reason = reason_of(done)
        assert reason == f"a system call cannot be guarded in /var/task/libhard.so at file offset {offset}"
        # Not even where the function may run unshielded is it half shielded: the libc before it was patched already.
        settings = policy(read_write_tmp="block") | {"SHIELD_ON_FAILURE": "run_unshielded"}
        assert reason_of(sandbox.run_command([SHIELD, "/var/task/program"], environment=settings)) == reason


@pytest.mark.parametrize("libc", GLIBCS, ids=lambda libc: libc.id)
def test_a_libc_with_one_call_that_has_no_room(
    libc: Libc, root: Callable[[Libc], Path], compiled: Callable[[Path, Libc], Path], task: Path
) -> None:
    build(["layer/x86_64"])
    system = task / "system"
    shutil.copytree(root(libc) / "usr", system, symlinks=True)
    (task / "function").mkdir()
    shutil.copy(compiled(SOURCES / "tool.c", libc), task / "function")
    places = ("lib/x86_64-linux-gnu/libc-2.31.so", "lib/x86_64-linux-gnu/libc.so.6", "lib64/libc.so.6")
    library = next(system / place for place in places if (system / place).exists())
    content = library.read_bytes()
    at = content.index(SYMLINKAT)
    library.write_bytes(content[:at] + WITHOUT_ROOM + content[at + len(SYMLINKAT) :])
    expected = f"/{library.relative_to(task).as_posix().replace('system', 'usr', 1)} at file offset {at + 5}"
    with Sandbox(task=task / "function", layers=LAYER, mounts={"/usr": system}) as sandbox:
        environment = {"LD_LIBRARY_PATH": ""}
        plain = sandbox.run_command(["/var/task/tool"], environment=environment)
        assert (plain.returncode, plain.stdout) == (5, "hello\n"), plain.stderr
        done = sandbox.run_command([SHIELD, "/var/task/tool"], environment=environment | policy(read_write_tmp="block"))
        assert reason_of(done) == f"a system call cannot be guarded in {expected}"
        told = sandbox.run_command([SHIELD, "doctor", "--json", "--program", "/var/task/tool"], environment=environment)
        coverage = json.loads(told.stdout)["findings"]["libc_coverage"]
        assert coverage["value"] == f"incomplete: a system call cannot be guarded in {expected}"
