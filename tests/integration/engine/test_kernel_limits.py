"""Resource limits of the kernel behind the gate: what they hold against native code, and where they are left off."""

from __future__ import annotations

import errno
import json
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.compiling import SOURCES, compile_c
from harness.inside.filtering import ANY_BIT, ARGUMENTS, EQUAL, errno_answer
from harness.mounting import make_places, run_mounted
from harness.running import PYTHON, SHIELD, alerts, policy, prepare_tmp, whole_sandbox
from harness.system_calls import kernel_calls
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Completed, Sandbox, shield_lines

pytestmark = pytest.mark.promise("kernel.limits")

BLOCK = policy(read_write_tmp="block", create_child_process="block")
BOTH = ["file-growth", "programs"]
INSIDE = "/var/task/kernel_limits.py"


def fill_task(task: Path) -> None:
    make_places(task)
    glibc = f"{architecture()}-linux-gnu"
    compile_c([SOURCES / "static_child.c"], task / "dynamic_child", target=glibc)
    compile_c([SOURCES / "deep.c"], task / "deep.so", "-shared", "-fPIC", target=glibc)


def run(box: Sandbox, *what: str, settings: Mapping[str, str] = BLOCK, before: str = "") -> Completed:
    """`before`: what a shell does in front of the shield."""
    prepare_tmp(box)
    command = [SHIELD, PYTHON, INSIDE, *what]
    return box.run_command(["/bin/sh", "-c", f'{before}\nexec "$@"', "-", *command], environment=settings)


def said(done: Completed) -> dict[str, Any]:
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    return json.loads(done.stdout)


def told(done: Completed, event: str = "armed") -> tuple[Any, Any]:
    (line,) = [line for line in done.shield_lines if line.get("event") == event]
    return line["kernel"], line.get("kernel_off", {})


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, BOTH),
        ({"clear_tmp": "on"}, BOTH),
        ({"read_write_tmp": "alert"}, ["programs"]),
        ({"allow_tmp": "/tmp/a"}, ["programs"]),
        ({"create_child_process": "alert"}, []),
        ({"allow_child_process": "/bin/true"}, []),
        ({"kernel_limits": "off"}, []),
    ],
    ids=str,
)
def test_the_policy_decides_which_limits_hold(box: Sandbox, settings: dict[str, str], expected: list[str]) -> None:
    done = run(box, "plain", settings=BLOCK | {f"SHIELD_{name.upper()}": value for name, value in settings.items()})
    assert (said(done)["held"], *told(done)) == (expected, expected, {})


STACK = {"programs": "the main stack may grow beyond 64 MB"}
WRITTEN = {"file-growth": "a file or memory file is open for writing"}


@pytest.mark.parametrize(
    ("before", "expected", "why"),
    [
        ("ulimit -Ss 65536", BOTH, {}),
        ("ulimit -Ss 65537", ["file-growth"], STACK),
        ("ulimit -Ss unlimited", ["file-growth"], STACK),
        ("exec 2>&1 1>/tmp/there", ["programs"], WRITTEN),
        ("exec 7>>/tmp/there", BOTH, {}),  # as a JVM keeps its counters open
    ],
)
def test_a_fact_of_the_process_leaves_one_off(box: Sandbox, before: str, expected: list[str], why: Any) -> None:
    done = run(box, "plain", before=before)
    if "1>" in before:
        (line,) = [line for line in shield_lines(done.stdout.splitlines()) if line.get("event") == "armed"]
        assert (line["kernel"], line["kernel_off"]) == (expected, why)
        return
    assert (said(done)["held"], *told(done)) == (expected, expected, why)


def test_a_memory_file_of_the_start_leaves_growth_off(box: Sandbox) -> None:
    """One that is made after arming, such as the heap of Java's ZGC: a second line tells."""
    done = run(box, "memory_file")
    assert (said(done)["held"], told(done)[0]) == (["programs"], BOTH)
    assert told(done, "kernel") == (["programs"], WRITTEN)


# prctl(2): PR_CAPBSET_DROP, CAP_SYS_RESOURCE
WITHOUT_CAPABILITY = (
    PYTHON, "-c", "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 24); os.execv(sys.argv[1], sys.argv[1:])"
)  # fmt: skip


@pytest.mark.parametrize(
    ("behind", "expected", "why"),
    [
        (WITHOUT_CAPABILITY, ["programs"], {"file-growth": "a mount besides /tmp can be written: /proc/cpuinfo"}),
        ((), [], dict.fromkeys(BOTH, "this process has CAP_SYS_RESOURCE")),
    ],
)
def test_a_mount_or_a_capability_leaves_limits_off(
    box: Sandbox, layer: Path, behind: tuple[str, ...], expected: list[str], why: dict[str, str]
) -> None:
    done = run_mounted("laid_over", box, layer, [*behind, SHIELD, PYTHON, INSIDE, "plain"], BLOCK)
    assert (said(done)["held"], *told(done)) == (expected, expected, why)


# prlimit64 with a new RLIMIT_FSIZE or RLIMIT_STACK: where every new limit is refused, the function does not start.
REFUSED = [
    (kernel_calls(architecture())["prlimit64"], errno_answer(errno.EPERM),
     (ARGUMENTS[2], ANY_BIT, 0xFFFFFFFF), (ARGUMENTS[1], EQUAL, limit))
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_STACK)
]  # fmt: skip


def test_a_host_that_refuses_limits_gets_none(box: Sandbox, layer: Path) -> None:
    assert box.task
    with whole_sandbox(box.task, layer, filtered=False) as sandbox:
        done = sandbox.run_command(
            [PYTHON, "/var/task/filtering.py", json.dumps(REFUSED), SHIELD, PYTHON, INSIDE, "plain"], environment=BLOCK
        )
    assert (said(done)["held"], *told(done)) == ([], [], dict.fromkeys(BOTH, "the kernel refuses it"))


def test_native_code_makes_no_file_longer(box: Sandbox) -> None:
    done = said(run(box, "files"))
    grows = ["write to a memory file", "grow a memory file", "write to a file", "write over a file's bytes"]
    refused = dict.fromkeys([*grows, "grow a file"], "EFBIG") | {"raise_it": "EPERM"}
    assert {name: done[name] for name in refused} == refused
    assert done["held"] == BOTH


def test_native_code_starts_no_program(box: Sandbox) -> None:
    done = said(run(box, "programs"))
    assert (done["before"], done["fork"], done["held"]) == ("42", 5, BOTH)
    assert done["ends"] == {name: ["SIGSEGV", "refused"] for name in ("sh", "python3", "dynamic_child")}


def test_libraries_read_the_limits_of_before(box: Sandbox) -> None:
    done = said(run(box, "answers"))
    assert done == {"held": BOTH, "same": True, "child": 0, "threads": True, "bad": -1, "errno": "EFAULT"}


def test_restore_hooks_run_before_the_limits(box: Sandbox) -> None:
    assert said(run(box, "restored")) == {"hook": [], "held": BOTH}


def test_each_forked_worker_gets_its_own(box: Sandbox) -> None:
    managed = {"AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"}
    assert said(run(box, "workers", settings=BLOCK | managed)) == {"held": [], "workers": [2, 2]}


def test_a_stricter_policy_brings_them_at_the_next_event(box: Sandbox) -> None:
    done = run(box, "tightened", settings=policy(read_write_tmp="alert", create_child_process="alert"))
    assert said(done) == {"before": [], "between": [], "held": BOTH}
    assert (told(done), told(done, "tightened")) == (([], {}), (BOTH, {}))


def test_ordinary_code_meets_the_gate_first(box: Sandbox) -> None:
    done = run(box, "ordinary")
    assert said(done) == {"held": BOTH, "file": errno.EACCES, "program": errno.EACCES}
    assert [line["policy"] for line in alerts(done)] == ["read_write_tmp", "create_child_process"]


@pytest.mark.parametrize("limit", [8 << 20, 64 << 20])
def test_the_main_stack_reaches_its_old_end(box: Sandbox, limit: int) -> None:
    """And no further: the same holds without the limits."""
    before = f"ulimit -Ss {limit >> 10}"
    assert said(run(box, "deep", str(limit - (limit >> 5)), before=before)) == {"held": BOTH, "deep": 1}
    for settings in (BLOCK, BLOCK | {"SHIELD_KERNEL_LIMITS": "off"}):
        assert run(box, "deep", str(limit + 4096), settings=settings, before=before).returncode == -11
