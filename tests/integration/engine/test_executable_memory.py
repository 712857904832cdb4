"""allow_executable_memory: who asks for memory that can be written and run, told from the system call itself."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.compiling import compile_c
from harness.running import PYTHON, SHIELD, policy
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_monitoring import Alert, parse_line

pytestmark = pytest.mark.promise("memory.listed")

BLOCKED = policy(executable_memory="block")
# A JIT: it maps memory that it can write, and makes it run later. Nothing of it is on the stack of who calls it.
JIT = r"""
#include <errno.h>
#include <sys/mman.h>
#include <sys/shm.h>

long map_both(void)
{
    void *at = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? -errno : 0;
}

long protect_later(void)
{
    void *at = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(at, 4096, PROT_READ | PROT_EXEC) ? -errno : 0;
}

long attach(void)
{
    int segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700);
    void *at = shmat(segment, 0, SHM_EXEC);
    long result = at == (void *)-1 ? -errno : 0;
    shmctl(segment, IPC_RMID, 0);
    return result;
}

/* Another library's function, called from here: that one asks. */
long call(long (*function)(void))
{
    long result = function();
    __asm__ volatile("" ::: "memory"); /* not a jump: this function stays on the stack */
    return result;
}
"""
WAYS = ("map_both", "protect_later", "attach")
LOAD = """
import ctypes, mmap, os
jit, other = (ctypes.CDLL(f"/var/task/lib{name}.so") for name in ("jit", "other-0123abcd"))
"""


def fill_task(task: Path) -> None:
    source = task / "jit.c"
    source.write_text(JIT)
    for name in ("jit", "other-0123abcd"):
        compile_c([source], task / f"lib{name}.so", "-shared", "-fPIC", target=f"{architecture()}-linux-gnu")


def run(box: Sandbox, code: str, settings: Mapping[str, str]) -> tuple[str, list[Alert]]:
    done = box.run_command([SHIELD, PYTHON, "-c", LOAD + code], environment={**BLOCKED, **settings})
    assert done.returncode == 0, done.stderr
    lines = [parse_line(line) for line in done.stderr.splitlines()]
    return done.stdout.strip(), [line for line in lines if isinstance(line, Alert)]


EACH = f"for way in {WAYS}: print("


@pytest.mark.parametrize(("library", "entry"), [("jit", "libjit"), ("other", "libother")])
def test_the_alert_names_the_object(box: Sandbox, library: str, entry: str) -> None:
    said, alerts = run(box, f"{EACH}getattr({library}, way)())", {})
    assert said.split() == [str(-errno.EACCES)] * 3
    assert [(each.policy, each.allow) for each in alerts] == [("executable_memory", entry)] * 3


def test_who_calls_a_listed_object_or_is_called_by_it_may_not(box: Sandbox) -> None:
    """Every way from one library into the other, and only the one that asks counts."""
    listed = {"SHIELD_ALLOW_EXECUTABLE_MEMORY": "libjit"}
    said, alerts = run(box, f"{EACH}jit.call(getattr(other, way)), other.call(getattr(jit, way)))", listed)
    assert said.splitlines() == [f"{-errno.EACCES} 0"] * 3
    assert [each.allow for each in alerts] == ["libother"] * 3


@pytest.mark.parametrize(
    "code",
    [
        "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
        "mmap.mmap(os.open('/var/task/jit.c', os.O_RDONLY), 0, flags=mmap.MAP_PRIVATE, prot=7)",
        "assert ctypes.CDLL(None).mmap(None, 4096, 7, 34, -1, 0) != -1, 'denied'",
    ],
)
def test_a_list_admits_nobody_else(box: Sandbox, code: str) -> None:
    """Python's own module, and libc by a foreign-function interface, beside a library that may."""
    tried = f"""
assert jit.map_both() == 0
try:
    {code}
    print("mapped")
except (PermissionError, AssertionError) as error:
    print(type(error).__name__)
"""
    said, alerts = run(box, tried, {"SHIELD_ALLOW_EXECUTABLE_MEMORY": "libjit"})
    assert said != "mapped"
    assert [each.policy for each in alerts] == ["executable_memory"]
    assert alerts[0].allow not in ("", "libjit")


def test_a_copy_under_a_listed_name_may_not(box: Sandbox) -> None:
    """Where the function can write, no library is mapped: whatever its name."""
    code = """
import shutil
shutil.copy("/var/task/libother-0123abcd.so", "/tmp/libjit.so")
try:
    print(ctypes.CDLL("/tmp/libjit.so").map_both())
except OSError:
    print("not loaded")
"""
    said, alerts = run(box, code, {"SHIELD_ALLOW_EXECUTABLE_MEMORY": "libjit", "SHIELD_READ_WRITE_TMP": "allow"})
    assert said == "not loaded"
    assert {each.policy for each in alerts} == {"executable_memory"}


def test_an_alerting_policy_is_silent_of_listed_objects(box: Sandbox) -> None:
    settings = {"SHIELD_EXECUTABLE_MEMORY": "alert", "SHIELD_ALLOW_EXECUTABLE_MEMORY": "libjit"}
    said, alerts = run(box, "print(jit.map_both(), other.map_both())", settings)
    assert said == "0 0"
    assert [each.allow for each in alerts] == ["libother"]
