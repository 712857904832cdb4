"""Until the runtime is there, wrappers start what they want, but nothing free of the shield; nobody else does."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.compiling import SOURCES, compile_c
from harness.running import PYTHON, SHIELD, policy, whole_sandbox
from shielded_function_emulator.sandbox import Completed, Sandbox

NO_CHILDREN = policy(create_child_process="block")
NOTHING_BLOCKED = policy()

# A child, and a request for work, which is what makes a process the runtime.
_CHILD = """
import subprocess, sys
def child(*command):
    try: return subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout.strip()
    except PermissionError: return "denied"
"""
_ASKS_FOR_WORK = """
import socket
api = socket.create_server(("127.0.0.1", 0))
with socket.create_connection(api.getsockname()) as client:
    client.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n")
"""
WRAPPERS = {
    "to-static.sh": '#!/bin/sh\nexec /var/task/static_child "$@"\n',
    "through-xargs.sh": '#!/bin/sh\necho hello | xargs echo\nexec "$@"\n',
    "writes.sh": '#!/bin/sh\necho wrapped > /tmp/wrapped\nexec "$@"\n',
    "runs-it-itself.py": "#!/usr/bin/env python3\n"
    + _CHILD
    + 'print("before", child("/bin/echo", "started"))\n'
    + _ASKS_FOR_WORK
    + 'print("after", child("/bin/echo", "started"))\n',
    "bootstrap.py": f"#!{PYTHON}\n" + _CHILD + 'print(child("/bin/echo", "started"))\n',
}


@pytest.fixture(scope="module")
def box(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    task = tmp_path_factory.mktemp("stage") / "task"
    task.mkdir()
    compile_c([SOURCES / "static_child.c"], task / "static_child", "-static", target=f"{platform.machine()}-linux-musl")
    for name, text in WRAPPERS.items():
        (task / name).write_text(text)
    with whole_sandbox(task, layer) as sandbox:
        yield sandbox


def run(box: Sandbox, wrapper: str, settings: dict[str, str], *arguments: str) -> Completed:
    behind = {"SHIELD_NEXT_WRAPPER": f"/var/task/{wrapper}"} if wrapper else {}
    return box.run_command([SHIELD, PYTHON, *arguments], environment=settings | behind)


def alerts(done: Completed) -> list[tuple[str, str]]:
    return [(line["policy"], line["allow"]) for line in done.shield_lines if "policy" in line]


@pytest.mark.promise("child.no-free-wrapper")
def test_a_wrapper_does_not_set_the_runtime_free(box: Sandbox) -> None:
    """A static program instead of the interpreter would escape every policy, without a word."""
    assert run(box, "to-static.sh", NOTHING_BLOCKED, "/etc/passwd").returncode == 0
    denied = run(box, "to-static.sh", policy(read_write_tmp="block"), "/etc/passwd")
    assert denied.returncode == 126, "what sh says of a program that it may not start"
    assert alerts(denied) == [("create_child_process", "unshielded:/var/task/static_child")]
    listed = {"SHIELD_ALLOW_CHILD_PROCESS": "unshielded:/var/task/static_child"}
    assert run(box, "to-static.sh", policy(read_write_tmp="block") | listed, "/etc/passwd").returncode == 0


def test_a_helper_of_a_wrapper_does_not_start_programs(box: Sandbox) -> None:
    """A helper looks like a runtime, so it may start what the function may."""
    assert run(box, "through-xargs.sh", NOTHING_BLOCKED, "-c", "print('ran')").stdout == "hello\nran\n"
    done = run(box, "through-xargs.sh", NO_CHILDREN, "-c", "print('ran')")
    assert (done.stdout, {policy for policy, _ in alerts(done)}) == ("ran\n", {"create_child_process"}), done.stderr
    listed = {"SHIELD_ALLOW_CHILD_PROCESS": ",".join({entry for _, entry in alerts(done)})}
    again = run(box, "through-xargs.sh", NO_CHILDREN | listed, "-c", "print('ran')")
    assert (again.stdout, alerts(again)) == ("hello\nran\n", [])


def test_the_other_policies_hold_for_a_wrapper(box: Sandbox) -> None:
    assert run(box, "writes.sh", NOTHING_BLOCKED, "-c", "print(open('/tmp/wrapped').read())").stdout == "wrapped\n\n"
    done = run(box, "writes.sh", policy(read_write_tmp="block"), "-c", "print('ran')")
    assert (done.stdout, alerts(done)) == ("ran\n", [("read_write_tmp", "/tmp/wrapped")])
    again = run(box, "writes.sh", policy(read_write_tmp="block") | {"SHIELD_ALLOW_TMP": "/tmp/wrapped"}, "-c", "")
    assert (again.returncode, alerts(again)) == (0, [])


def test_what_asks_for_work_is_the_runtime(box: Sandbox) -> None:
    """A wrapper that runs the runtime in its own process is one no longer."""
    done = run(box, "runs-it-itself.py", NO_CHILDREN, "-c", "")
    assert (done.returncode, done.stdout) == (0, "before started\nafter denied\n"), done.stderr
    assert [(policy, Path(entry).name) for policy, entry in alerts(done)] == [("create_child_process", "echo")]


@pytest.mark.promise("child.no-free-wrapper")
def test_a_runtime_that_is_a_script_is_no_wrapper(box: Sandbox) -> None:
    """Its own path is among the arguments of the interpreter that the kernel starts for it."""
    program = ["/var/task/bootstrap.py"]
    assert box.run_command(program).stdout == "started\n"
    done = box.run_command([SHIELD, *program], environment=NO_CHILDREN)
    assert done.stdout == "denied\n", done.stderr
    assert [policy for policy, _ in alerts(done)] == ["create_child_process"]


@pytest.mark.promise("child.no-free-wrapper")
@pytest.mark.parametrize("program", ["/bin/sh", "/usr/bin/env"])
def test_a_child_of_the_runtime_is_no_wrapper(box: Sandbox, program: str) -> None:
    """Neither a shell nor being told of the runtime makes one of a program that the function starts."""
    told = ("-c", f"{PYTHON} -c 'print(1)'", PYTHON) if program == "/bin/sh" else (PYTHON, "-c", "print(1)")
    code = _CHILD + f"print(child({program!r}, *{told!r}))"
    listed = {"SHIELD_ALLOW_CHILD_PROCESS": str(Path(program).resolve())}
    assert run(box, "", NOTHING_BLOCKED, "-c", code).stdout == "1\n"
    done = run(box, "", NO_CHILDREN | listed, "-c", code)
    assert done.stdout == "\n", done.stderr
    assert [policy for policy, _ in alerts(done)] == ["create_child_process"]
