"""sun.misc.Unsafe, with which Java code reads and writes all memory of its process."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from harness.engine import layer
from harness.running import SHIELD, heard_outside, policy, prepare_tmp, whole_sandbox
from harness.thinning import long_but
from runtimes.java.building import compile_java
from runtimes.java.table import LINES
from shielded_function_emulator.languages import find, java
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Completed, Sandbox

__all__ = ["layer"]

JAVA = "/var/lang/bin/java"
CONTROLS = ("outbound_connectivity", "read_write_tmp", "create_child_process")
BLOCKED = {name: value for name, value in policy(**dict.fromkeys(CONTROLS, "block")).items() if "MEMORY" not in name}
ALERTED = policy(**dict.fromkeys(CONTROLS, "alert")) | {"SHIELD_ALLOW_TMP": "/tmp/hsperfdata_*/**"}
SWITCH = {"SHIELD_BLOCK_FOREIGN_FUNCTIONS": "on"}
LISTED = {"SHIELD_ALLOW_EXECUTABLE_MEMORY": "java-unsafe"}


@pytest.fixture(scope="module", params=LINES, ids=lambda line: f"java{line}")
def line(request: pytest.FixtureRequest) -> int:
    if reason := find(java.name_of(request.param)).missing():
        pytest.skip(reason)
    return request.param


@pytest.fixture(scope="module")
def box(line: int, layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    code = tmp_path_factory.mktemp("memory") / "code"
    compile_java((Path(__file__).parent / "memory").glob("*.java"), code, "8")
    with whole_sandbox(code, layer, runtime=find(java.name_of(line))) as sandbox:
        yield sandbox


def take_all_memory(box: Sandbox, line: int, settings: Mapping[str, str], *what: str) -> Completed:
    platform = {"AWS_EXECUTION_ENV": f"AWS_Lambda_{java.name_of(line)}"}
    command = [SHIELD, JAVA, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", "/var/task", "AllMemory", *what]
    return box.run_command(command, environment={**platform, **settings}, timeout=120)


@pytest.mark.promise("memory.unsafe")
@pytest.mark.skipif(architecture() != "x86_64", reason="its machine code is of x86_64")
@pytest.mark.parametrize("line", long_but({max(LINES)}, LINES), indirect=True, scope="module")
@pytest.mark.parametrize(
    ("settings", "since"),
    [(BLOCKED, 0), (BLOCKED | SWITCH, 24), (ALERTED | SWITCH, 24), (BLOCKED | SWITCH | LISTED, 0)],
)
def test_java_that_takes_all_memory(box: Sandbox, line: int, settings: Mapping[str, str], since: int) -> None:
    """Without native code, it reaches any host (docs/security/limits.md); by the switch, not from Java 24 on."""
    heard, done = heard_outside(box, lambda: take_all_memory(box, line, settings))
    is_refused = since and line >= since
    assert heard == (b"" if is_refused else b"arrived"), done.stderr
    assert ("UnsupportedOperationException" in done.stderr) is bool(is_refused)
    other = [alert for alert in done.shield_lines if "policy" in alert and alert["policy"] != "read_write_tmp"]
    assert other == []


@pytest.mark.promise("kernel.limits")
@pytest.mark.skipif(architecture() != "x86_64", reason="its machine code is of x86_64")
@pytest.mark.parametrize("line", long_but({max(LINES)}, LINES), indirect=True, scope="module")
@pytest.mark.parametrize(("limits", "results"), [("on", [-errno.EFBIG] * 3), ("off", [0, 7, 7])])
def test_the_kernel_holds_what_unsafe_asks(box: Sandbox, line: int, limits: str, results: list[int]) -> None:
    """System calls that no gate sees: a memory file does not grow, and no file is written to."""
    prepare_tmp(box)
    done = take_all_memory(box, line, BLOCKED | {"SHIELD_KERNEL_LIMITS": limits}, "limits")
    assert done.stdout.splitlines()[-1] == " ".join(["true", *map(str, results)]), done.stderr


@pytest.mark.promise("kernel.limits")
@pytest.mark.parametrize("line", long_but({max(LINES)}, LINES), indirect=True, scope="module")
@pytest.mark.parametrize("collector", ["Serial", "G1", "Z"])
def test_deep_calls_and_a_heap_work_under_limits(box: Sandbox, layer: Path, line: int, collector: str) -> None:
    """ZGC's heap is a memory file of the start, which leaves one limit off. Lambda refuses it the call fallocate."""
    if collector == "Z" and line < 17:
        pytest.skip("ZGC is no collector of this Java")
    assert box.task
    command = [SHIELD, JAVA, f"-XX:+Use{collector}GC", "-Xms16m", "-Xmx384m", "-cp", "/var/task", "Room"]
    with whole_sandbox(box.task, layer, runtime=find(java.name_of(line)), filtered=collector != "Z") as sandbox:
        done = sandbox.run_command(command, environment=BLOCKED, timeout=120)
    held = "unlimited" if collector == "Z" else "0"
    assert done.stdout.splitlines()[-1] == f"true true {200 << 20} {held}", done.stderr
    told = [said["kernel_off"] for said in done.shield_lines if "file-growth" in said.get("kernel_off", {})]
    assert bool(told) is (collector == "Z")


def test_unsafe_where_the_version_is_not_known(box: Sandbox, line: int) -> None:
    """Known to get through (docs/security/limits.md): an image that does not name its runtime."""
    settings = BLOCKED | SWITCH | {"AWS_EXECUTION_ENV": ""}
    heard, _ = heard_outside(box, lambda: take_all_memory(box, line, settings))
    assert heard == b"arrived"
