"""What an attacker with fresh eyes got through once: it must not get through again."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.compiling import EFFORT, SOURCES, compile_c
from harness.running import PYTHON, SHIELD, listening, policy, prepare_tmp, whole_sandbox
from harness.system_calls import kernel_calls
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.machine import architecture, is_emulated
from shielded_function_emulator.sandbox import Completed, Sandbox

pytestmark = pytest.mark.promise("shield.gate")

REFUSED = errno.EACCES
BLOCKED = policy(
    outbound_connectivity="block", read_write_tmp="block", read_handler="block", executable_memory="block"
)  # fmt: skip
NUMBERS = json.dumps(kernel_calls(architecture()))


@pytest.fixture(scope="module")
def box(layer: Path, task: Path) -> Iterator[Sandbox]:
    target = f"{architecture()}-linux-gnu"
    for name in ("inline", "early", "go_note"):
        compile_c([SOURCES / f"{name}.c"], task / f"{name}.so", "-shared", "-fPIC", target=target)
    bare = ("-fno-asynchronous-unwind-tables", "-fno-unwind-tables")
    compile_c([SOURCES / "inline.c"], task / "bare.so", "-shared", "-fPIC", *bare, target=target)
    for name in ("handlers", "late", "shared_memory"):
        compile_c([SOURCES / f"{name}.c"], task / name, "-lpthread", target=target)
    needed = task / "needed.so"
    compile_c([SOURCES / "early.c"], needed, "-shared", "-fPIC", "-Wl,-soname,/var/task/needed.so", target=target)
    compile_c([SOURCES / "needs.c", needed], task / "needs", target=target)
    compile_c([SOURCES / "preinit.c"], task / "preinit", target=target)
    for name in ("kept_mappings", "node"):  # a runtime is known by its name
        compile_c([SOURCES / "kept_mappings.c"], task / name, "-lpthread", target=target)
    (task / "elsewhere").mkdir()
    shutil.copy(task / "early.so", task / "elsewhere" / "libm.so.6")  # a child that looked here would load it
    with whole_sandbox(task, layer) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def names(box: Sandbox) -> Iterator[DnsServer]:
    with listening(box, "203.0.113.9", 80), DnsServer(box, {"allowed.example": ["203.0.113.9"]}) as server:
        yield server


def run(box: Sandbox, evasion: str, settings: Mapping[str, str]) -> tuple[Any, Completed]:
    prepare_tmp(box)
    done = box.run_command([SHIELD, PYTHON, "-S", "/var/task/evasion.py", evasion, NUMBERS], environment=settings)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-3000:]}"
    return json.loads(done.stdout.splitlines()[-1]), done


ANYWHERE = BLOCKED | {"SHIELD_EXECUTABLE_MEMORY": "allow"}
RESOLVER_LISTED = BLOCKED | {"SHIELD_ALLOW_OUTBOUND": "203.0.113.53"}
NAME_LISTED = BLOCKED | {"SHIELD_ALLOW_OUTBOUND": "allowed.example"}
# Evasion: the settings, what comes of it, and the policies that are reported (None: whichever).
CAME_TO: Mapping[str, tuple[Mapping[str, str], Any, list[str] | None]] = {
    "advice_that_brings_text_back": (BLOCKED, [-REFUSED] * 6, None),
    "links_with_a_slash": (BLOCKED, [REFUSED] * 2, None),
    # With threads the gate takes a number for the copy first: it may be the very one that is to be copied.
    "copy_of_a_closed_number": (BLOCKED, [errno.EBADF] * 3, None),
    "descriptors_of_the_gates_range": (
        BLOCKED, [[None, errno.EBADF, errno.EBADF], True, True, True, None, True], [],
    ),
    "a_descriptor_that_was_a_name_servers": (NAME_LISTED, 20000, None),
    "own_descriptors_in_the_gates_range": (BLOCKED, [True, True, None, errno.EBADF, 0], []),
    "libraries_that_come_and_go": (ANYWHERE, 10, None),
    "libraries_beside_changing_descriptors": (ANYWHERE, 2000, None),
    "a_library_without_unwind_tables": (BLOCKED, -REFUSED, ["read_write_tmp"]),
    "a_page_that_cannot_be_written": (RESOLVER_LISTED, [-errno.EFAULT] * 2, None),
    "a_child_with_many_variables": (BLOCKED, 7, ["read_write_tmp"]),
    "descriptor_table_of_its_own": (BLOCKED | {"SHIELD_ALLOW_TMP": "/tmp/allowed/**"}, [-REFUSED] * 3, None),
    # A child that has yet to start its program finds marks there that are its parent's.
    "programs_where_connections_were": (
        policy(outbound_connectivity="block", create_child_process="block"), [REFUSED] * 6, None,
    ),
}  # fmt: skip


@pytest.mark.promise("shield.gate", "shield.descriptors", "child.vfork")
@pytest.mark.parametrize("name", CAME_TO)
def test_what_an_evasion_comes_to(box: Sandbox, names: DnsServer, name: str) -> None:
    settings, came_to, reported = CAME_TO[name]
    result, done = run(box, name, settings)
    assert result == came_to, done.stderr[-2000:]
    assert reported is None or alerts(done) == reported


def alerts(done: Completed) -> list[str]:
    """The policies of all violations, sorted."""
    counted = [line for line in done.shield_lines if "policy" in line]
    return sorted(line["policy"] for line in counted for _ in range(line["count"]))


@pytest.mark.parametrize("program", ["kept_mappings", "node"])
def test_what_must_stay_stays_where_memory_may_run(box: Sandbox, program: str) -> None:
    done = box.run_command([SHIELD, f"/var/task/{program}", "libshield.so"], environment=ANYWHERE)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr[-2000:]
    assert set(alerts(done)) == {"self_protection"}


@pytest.mark.promise("child.environment", "child.shielded")
def test_a_child_believes_the_gate_alone(box: Sandbox, names: DnsServer) -> None:
    result, done = run(box, "children_that_are_told_otherwise", BLOCKED)
    assert result == [f"[{REFUSED}, {REFUSED}]\n"] * 9
    assert alerts(done) == ["outbound_connectivity"] * 9 + ["read_write_tmp"] * 9


@pytest.mark.promise("memory.constructors")
@pytest.mark.parametrize(
    ("preloads", "command"),
    [({"LD_PRELOAD": "/var/task/early.so"}, [PYTHON, "-c", ""]), ({}, ["/var/task/needs"])],
    ids=["preloaded", "needed"],
)
def test_constructors_of_other_libraries_are_judged(box: Sandbox, preloads: dict[str, str], command: list[str]) -> None:
    """Of those that were there first, and of those that a program needs: the loader begins with the gate's."""
    prepare_tmp(box)
    plain = box.run_command(command, environment=preloads)
    assert plain.stdout == "early\n", plain.stderr
    done = box.run_command([SHIELD, *command], environment=policy(read_write_tmp="block") | preloads)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert alerts(done) == ["read_write_tmp"]


@pytest.mark.promise("memory.constructors")
def test_a_listed_program_does_not_begin_before_the_library(box: Sandbox) -> None:
    """Not even what it lists to run before its libraries' constructors (DT_PREINIT_ARRAY)."""
    prepare_tmp(box)
    mark = box.path("/tmp") / "mark"
    command = [PYTHON, "-c", "import subprocess; subprocess.run(['/var/task/preinit'], check=True)"]
    listed = {"SHIELD_ALLOW_CHILD_PROCESS": "/var/task/preinit"}
    settings = policy(read_write_tmp="block", create_child_process="block") | listed
    done = box.run_command([SHIELD, *command], environment=settings)
    assert (done.returncode, alerts(done), mark.exists()) == (0, ["read_write_tmp"], False), done.stderr
    box.run_command(command, environment={})
    assert mark.read_text() == "mark"


@pytest.mark.promise("outbound.bare-queries")
def test_a_query_carries_its_question_and_nothing_else(box: Sandbox, names: DnsServer) -> None:
    arrived: list[bytes] = []
    answer = names.answer

    def keep(message: bytes, transport: str) -> bytes | None:
        arrived.append(message)
        return answer(message, transport)

    names.answer = keep
    try:
        run(box, "queries_that_carry_more", NAME_LISTED)
    finally:
        names.answer = answer
    assert arrived
    assert not [message for message in arrived if b"secret" in message or b"trailing" in message]
    assert {len(message) for message in arrived} <= {33, 44}, "one question, or one with a bare EDNS record"


@pytest.mark.parametrize(("mode", "refused"), [("block", errno.EACCES), ("alert", None)])
def test_one_write_of_several_datagrams(box: Sandbox, mode: str, refused: int | None) -> None:
    """The option does not exist, quietly, since libraries look for it; who writes so all the same is reported."""
    unshielded = policy(outbound_connectivity="allow", executable_memory="allow")
    assert run(box, "one_write_of_several_datagrams", unshielded)[0] == [None, None]
    result, done = run(box, "one_write_of_several_datagrams", policy(outbound_connectivity=mode))
    assert result == [errno.ENOPROTOOPT, refused]
    assert alerts(done) == ["outbound_connectivity"]


def test_many_threads_become_ready_at_once(box: Sandbox) -> None:
    for _ in range(5):
        assert run(box, "ready_in_many_threads", BLOCKED | {"_HANDLER": "app.handler"})[0] == 16


@pytest.mark.promise("shield.judged-is-used")
@pytest.mark.race
def test_what_was_judged_is_what_is_used(box: Sandbox) -> None:
    settings = BLOCKED | {"RACE_SECONDS": str(EFFORT)}
    (wrong, tries), done = run(box, "what_another_thread_lays_over_the_lowest_number", settings)
    assert (wrong, tries > 100) == (0, True), done.stderr[-2000:]


@pytest.mark.promise("child.vfork")
def test_memory_and_descriptors_are_not_parted(box: Sandbox) -> None:
    """But for a vfork child, which makes no thread, no other such child, and no socket."""
    command = ["/var/task/shared_memory", "refused"]
    plain = box.run_command(command)
    assert plain.stdout.split() == ["0"] * 6, "not even unshielded"
    done = box.run_command([SHIELD, *command], environment=BLOCKED)
    refused = [errno.EPERM] * 5 + [REFUSED]
    assert list(map(int, done.stdout.split())) == refused, done.stderr[-2000:]
    assert alerts(done) == ["outbound_connectivity"] + ["self_protection"] * 5


@pytest.mark.promise("child.vfork")
@pytest.mark.parametrize("kind", ["dead", "unreaped"])
def test_what_died_with_its_parents_memory_stops_nobody(box: Sandbox, kind: str) -> None:
    """Child after child dies in the midst of a guarded call."""
    done = box.run_command([SHIELD, "/var/task/shared_memory", kind], environment=BLOCKED)
    assert done.stdout == "0\n", done.stderr[-2000:]


@pytest.mark.promise("shield.signals")
@pytest.mark.parametrize("kind", ["alone", "same", "both"])
def test_a_signal_handler_replaces_nothing_and_stops_nothing(box: Sandbox, kind: str) -> None:
    """The program comes to its end, though the handler meets descriptors of the gate's.

    Handlers of two threads replaced one in 5 of 3,000 runs: docs/security/limits.md.
    """
    plain = box.run_command(["/var/task/handlers", kind, "0"])
    assert plain.stdout.startswith("0 "), f"not even unshielded: {plain.stdout}"
    times = 5
    done = box.run_command([SHIELD, "/var/task/handlers", kind, str(times)], environment=BLOCKED)
    wrong, met = map(int, done.stdout.split())
    assert met >= times
    assert wrong <= (kind == "both")


@pytest.mark.promise("code.late-attach")
def test_attaching_while_threads_run(box: Sandbox) -> None:
    prepare_tmp(box)
    library = str(Path(SHIELD).parent / "libshield.so")
    well = 0
    for _ in range(2 * EFFORT):
        done = box.run_command(["/var/task/late", library], environment=BLOCKED)
        if is_emulated() and "cannot be guarded" in done.stderr:
            continue  # qemu's own memory fills what a jump reaches from libc
        assert done.stdout == "ok\n", done.stderr[-2000:]
        assert [line.get("event", line.get("policy")) for line in done.shield_lines] == ["armed", "read_write_tmp"]
        well += 1
    assert well


@pytest.mark.promise("child.forks")
@pytest.mark.parametrize(("kind", "first"), [("on-demand", REFUSED), ("lambda-managed-instances", 0)])
def test_copies_are_child_processes_but_for_the_runtimes_workers(box: Sandbox, kind: str, first: int) -> None:
    settings = policy(create_child_process="block", read_handler="block")
    settings |= {"AWS_LAMBDA_INITIALIZATION_TYPE": kind, "_HANDLER": "app.handler"}
    result, done = run(box, "workers_that_are_forked", settings)
    assert result == [first, REFUSED]
    assert set(alerts(done)) == {"create_child_process"}


def starting(child: str) -> str:
    """A script that prints what a child comes to that runs another one."""
    return f"import subprocess as s, sys; print(s.run([sys.executable, '-S', '-c', {child!r}], capture_output=True))"


def test_a_child_of_a_function_allowed_everything_is_quiet(box: Sandbox) -> None:
    script = starting("import os; print(sorted(os.listdir('/proc/self/fd')))")
    plain = box.run_command([PYTHON, "-S", "-c", script])
    shielded = box.run_command([SHIELD, PYTHON, "-S", "-c", script], environment=policy())
    assert shielded.stdout == plain.stdout
    assert [line["event"] for line in shielded.shield_lines] == ["armed"]


def test_a_child_does_not_see_the_logs_descriptor(box: Sandbox) -> None:
    child = "import os\nfor n in range(3, 1024):\n    try: os.fstat(n)\n    except OSError: continue\n    print(n)"
    command = [SHIELD, PYTHON, "-S", "-c", starting(child)]
    done = box.run_command(command, environment=policy(create_child_process="alert"))
    assert "stdout=b''" in done.stdout


def test_the_last_name_is_two_dots(box: Sandbox) -> None:
    settings = BLOCKED | {"SHIELD_ALLOW_TMP": "/tmp/folder/**"}
    result, done = run(box, "the_last_name_is_two_dots", settings)
    assert result == [REFUSED] * 3
    assert {line["details"]["path"] for line in done.shield_lines if "policy" in line} == {"/tmp"}


@pytest.mark.promise("outbound.bare-queries")
def test_what_is_added_to_a_query(box: Sandbox, names: DnsServer) -> None:
    before = len(names.questions)
    result, _ = run(box, "what_is_added_to_a_query", NAME_LISTED)
    assert result == [errno.EDESTADDRREQ, REFUSED]
    assert [question.name for question in names.questions[before:]] == ["allowed.example"]


def test_a_library_of_the_go_compiler(box: Sandbox) -> None:
    result, done = run(box, "a_library_of_the_go_compiler", BLOCKED)
    assert "failed to map segment" in result
    assert alerts(done) == ["self_protection"]
