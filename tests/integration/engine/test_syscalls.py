"""Every system call of the kernel is either judged or harmless for a reason that is written down.

The list is compared with the kernel's headers; what stands in it as a way out of the shield is tried, and so is what
stands there as harmless although it looked otherwise at first.
"""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from harness.running import PYTHON, SHIELD, alerts, policy, prepare_tmp
from harness.system_calls import ARCHITECTURES, JUDGES, LIST, REASONS, counts, entries, kernel_calls, tables
from shielded_function_emulator.machine import architecture as architecture_under_test
from shielded_function_emulator.sandbox import Sandbox

pytestmark = pytest.mark.promise("shield.every-call")

FILTERED = False  # Lambda's filter would refuse much of this before the engine does
GATE_TABLE = 512  # gate_layout.h
MACHINE = architecture_under_test()
BLOCKED = policy(outbound_connectivity="block", read_write_tmp="block")
ALERTED = policy(outbound_connectivity="alert", read_write_tmp="alert")
LISTED = entries()
ESCAPES = [entry.name for entry in LISTED if entry.judge == "judge_escape" and MACHINE in entry.architectures]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_list_is_the_kernels(architecture: str) -> None:
    listed = Counter(entry.name for entry in LISTED if architecture in entry.architectures)
    known = kernel_calls(architecture)
    print(counts())
    assert not set(known) - set(listed), "calls that nobody thought about"
    assert not set(listed) - set(known), "no such call"
    assert not [name for name, times in listed.items() if times > 1]
    assert max(known.values()) < GATE_TABLE


def test_the_newest_call_is_the_lists() -> None:
    newest = max(number for architecture in ARCHITECTURES for number in kernel_calls(architecture).values())
    assert f"NEWEST_CALL = {newest} " in (LIST.parent / "syscall_policy.h").read_text()


def test_every_call_is_judged_or_has_a_reason() -> None:
    judges = set(re.findall(r"X\((judge_\w+)\)", (LIST.parent / "syscall_policy.h").read_text()))
    for entry in LISTED:
        if entry.judge:
            assert entry.judge in judges, entry
            assert set(entry.reasons) <= set(REASONS), entry
        else:
            assert len(entry.why.split()) > 1, entry
    assert judges == {entry.judge for entry in LISTED if entry.judge} == set(JUDGES)


def test_the_tables_have_every_call() -> None:
    text = tables()
    assert [entry.name for entry in LISTED if f"`{entry.name}`" not in text] == []


NUMBERS = kernel_calls(MACHINE)


def command(scenario: str, names: Iterable[str] = NUMBERS) -> list[str]:
    return [PYTHON, "/var/task/syscalls.py", scenario, json.dumps({name: NUMBERS[name] for name in names})]


def run(
    box: Sandbox, scenario: str, settings: dict[str, str] | None, names: Iterable[str] = NUMBERS
) -> tuple[Any, list[dict[str, Any]]]:
    """A scenario's result and the alerts that it caused; `settings` None: unshielded."""
    prepare_tmp(box)
    done = box.run_command(
        [*([SHIELD] if settings is not None else []), *command(scenario, names)], environment=settings
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-3000:]}"
    return json.loads(done.stdout.splitlines()[-1]), alerts(done)


def policies(lines: list[dict[str, Any]]) -> list[str]:
    """Of all violations, sorted."""
    return sorted(line["policy"] for line in lines for _ in range(line["count"]))


def test_ways_out_are_refused(box: Sandbox) -> None:
    result, lines = run(box, "refused", BLOCKED, ESCAPES)
    assert result == dict.fromkeys(ESCAPES, -errno.EPERM)
    assert [(line["policy"], line["details"]["syscall"]) for line in lines] == [
        ("self_protection", name) for name in ESCAPES
    ]


def test_ways_out_are_the_kernels_own_in_alert_mode(box: Sandbox) -> None:
    unshielded, _ = run(box, "refused", None, ESCAPES)
    alerted, lines = run(box, "refused", ALERTED, ESCAPES)
    assert alerted == unshielded
    assert [line["details"]["syscall"] for line in lines] == ESCAPES
    allowed, lines = run(box, "refused", policy(), ESCAPES)
    assert (allowed, lines) == (unshielded, [])


@pytest.mark.parametrize("call", ["io_uring_setup", "clone3"])
def test_invisible_calls_are_absent_where_anything_is_reported(box: Sandbox, call: str) -> None:
    """What goes through a ring is not seen, and clone3's flags can be others by the time the kernel looks. Libraries
    ask for both on the off chance: no violation."""
    unshielded, _ = run(box, "refused", None, [call])
    if unshielded[call] == -errno.ENOSYS:
        pytest.skip(f"this kernel has no {call}")
    for settings in (BLOCKED, ALERTED):
        assert run(box, "refused", settings, [call]) == ({call: -errno.ENOSYS}, [])
    assert run(box, "refused", policy(), [call]) == (unshielded, [])


def test_there_are_no_children_in_new_namespaces(box: Sandbox) -> None:
    """Where that is only reported, such a child is looked at like any other."""
    unshielded, _ = run(box, "namespaces", None)
    if unshielded["clone"]:
        pytest.skip(f"no user namespaces here: errno {-unshielded['clone']}")
    assert unshielded["open"] is None
    result, lines = run(box, "namespaces", BLOCKED)
    assert result == {"clone": -errno.EPERM}
    assert policies(lines) == ["self_protection"]
    result, lines = run(box, "namespaces", ALERTED)
    assert result == unshielded
    assert policies(lines) == ["read_write_tmp", "self_protection", "self_protection"]


CAME_TO = [
    ("options_of_prctl", BLOCKED, {"move_memory": -errno.EPERM, "name": 0, "dumpable": 0}, ["self_protection"]),
    ("no_descriptors_allowed", BLOCKED, errno.EACCES, ["outbound_connectivity"]),
    ("no_descriptors_allowed", ALERTED, None, ["outbound_connectivity"]),
    # Routes and devices, and what else there is.
    ("netlink", BLOCKED, [None] * 2 + [errno.EACCES] * 3, ["outbound_connectivity"] * 3),
]


@pytest.mark.parametrize(("scenario", "settings", "result", "reported"), CAME_TO)
def test_what_calls_come_to(
    box: Sandbox, scenario: str, settings: dict[str, str], result: object, reported: list[str]
) -> None:
    found, lines = run(box, scenario, settings)
    assert (found, policies(lines)) == (result, reported)


@pytest.mark.promise("child.library")
def test_a_child_that_cannot_load_the_library_is_refused(box: Sandbox) -> None:
    result, lines = run(box, "library_out_of_reach", BLOCKED)
    if result is None:
        pytest.skip("this kernel has no Landlock")
    assert result == errno.EACCES
    assert policies(lines) == ["create_child_process"]


def test_flags_of_execveat(box: Sandbox) -> None:
    unshielded, _ = run(box, "flags_of_execveat", None)
    assert unshielded[0] == 1000
    assert 1000 not in unshielded[1:]
    for settings in (BLOCKED, ALERTED, policy()):
        assert run(box, "flags_of_execveat", settings)[0] == unshielded


def test_an_address_of_a_length_that_is_none(box: Sandbox) -> None:
    unshielded, _ = run(box, "lengths_of_an_address", None)
    assert set(unshielded) == {-errno.EINVAL}
    assert run(box, "lengths_of_an_address", BLOCKED) == (unshielded, [])


@pytest.mark.promise("outbound.no-route")
def test_source_routes_are_refused(box: Sandbox) -> None:
    settings = policy(outbound_connectivity="block") | {"SHIELD_ALLOW_OUTBOUND": "198.51.100.1"}
    result, lines = run(box, "source_routes", settings)
    assert result == {"option": errno.EACCES, "control": errno.EACCES, "other_option": None, "plain": None}
    assert [line["details"]["protocol"] for line in lines] == ["option"] * 2


@pytest.mark.promise("outbound.no-route")
def test_a_flow_label_brings_no_route(box: Sandbox) -> None:
    """The routing headers that it could bring are those of a kernel with mobile IPv6, which this one may not be."""
    unshielded, _ = run(box, "options_of_a_flow_label", None)
    if unshielded["label"]:
        pytest.skip(f"no flow labels here (qemu-user does not pass them on): errno {unshielded['label']}")
    assert unshielded == {"label": None, "with_more": None}
    result, lines = run(box, "options_of_a_flow_label", BLOCKED)
    assert result == {"label": None, "with_more": errno.EACCES}
    assert [line["details"]["protocol"] for line in lines] == ["option"]


def test_a_child_that_cannot_arm_does_not_run(box: Sandbox) -> None:
    settings = policy(read_write_tmp="block") | {"SHIELD_ON_FAILURE": "run_unshielded"}
    assert "content" in run(box, "a_child_that_cannot_arm", None)[0]
    assert set(run(box, "a_child_that_cannot_arm", settings)[0]) == {""}


@pytest.mark.promise("alert.pipe")
def test_the_logs_own_pipe_is_not_read(box: Sandbox) -> None:
    """Started unshielded: the shielded program inside is the one that tries."""
    done = box.run_command(command("starts_with_a_pipe_of_its_own"), environment=BLOCKED)
    assert done.returncode == 0, done.stderr[-3000:]
    result, log = json.loads(done.stdout)
    assert result == {"read": errno.EACCES, "read_and_write": errno.EACCES, "write": None}
    lines = [json.loads(line) for line in log.splitlines() if '"policy"' in line]
    assert policies(lines) == ["outbound_connectivity", "self_protection", "self_protection"]


@pytest.mark.parametrize("change", ["os.setegid(1)", "os.seteuid(1)"])
def test_a_child_whose_loader_drops_the_library_is_refused(layer: Path, change: str) -> None:
    """Real and effective ids that differ make the loader ignore LD_PRELOAD (ld.so(8))."""
    if os.geteuid() != 0:
        pytest.skip("only root can have an effective id of another")
    script = f"import os; {change}; os.execv('/bin/sh', ['/bin/sh', '-p', '-c', 'grep -c libshield /proc/self/maps'])"
    environment = {"PATH": os.defpath} | policy(outbound_connectivity="block")
    command = [str(layer / "shielded-function" / "shield"), "/usr/bin/env", "python3", "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "PermissionError" in done.stderr, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert '"policy":"create_child_process"' in done.stderr


@pytest.mark.promise("shield.newer-calls")
def test_a_newer_call_is_one_that_this_kernel_does_not_have(box: Sandbox) -> None:
    """A filter beneath the shield gives its own answer to that call: it is heard when the call is made."""
    answers = {}
    for mode in (None, "allow", "alert", "block"):
        started = [*command("under_a_filter_that_knows_it"), *([SHIELD] if mode else []), *command("a_newer_call")]
        done = box.run_command(started, environment=policy(read_write_tmp=mode) if mode else None)
        assert done.returncode == 0, done.stderr[-2000:]
        answers[mode] = int(done.stdout)
    assert answers == {None: -99, "allow": -99, "alert": -errno.ENOSYS, "block": -errno.ENOSYS}


@pytest.mark.promise("tmp.mounts")
def test_a_filter_that_hides_file_systems_opens_no_memory(box: Sandbox) -> None:
    outer = command("under_a_filter_of_fstatfs")
    inner = [PYTHON, "-c", "open('/proc/self/mem', 'r+b'); print('opened')"]
    plain = box.run_command([*outer, *inner])
    done = box.run_command([*outer, SHIELD, *inner], environment=BLOCKED)
    assert plain.stdout == "opened\n", plain.stderr
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "PermissionError" in done.stderr


def test_a_kernel_whose_pages_are_larger_is_refused(box: Sandbox) -> None:
    """What the engine protects would begin and end in the midst of a page."""
    outer, inner = command("under_larger_pages"), [PYTHON, "-c", "print('started')"]
    plain = box.run_command([*outer, *inner])
    # Such a kernel maps at its own pages. Here an address may look like one by chance, in one of several starts.
    starts = (box.run_command([*outer, SHIELD, *inner], environment=BLOCKED) for _ in range(8))
    done = next((start for start in starts if start.returncode == 78), plain)
    assert (plain.returncode, plain.stdout) == (0, "started\n"), plain.stderr
    assert (done.returncode, done.stdout) == (78, ""), done.stderr
    assert "the kernel's pages are not of 4096 bytes" in done.shield_lines[0]["reason"]
