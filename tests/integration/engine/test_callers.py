"""Which Python code an alert names: in each version that Lambda has, however the call was made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.engine import INSIDE
from harness.running import SHIELD, alerts, alerts_by_way, policy, whole_sandbox
from shielded_function_emulator.languages import python
from shielded_function_emulator.languages.python_versions import available
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.machine import is_emulated
from shielded_function_emulator.sandbox import Completed, Sandbox

pytestmark = pytest.mark.promise("alert.caller-python")

TASK = INSIDE / "callers"
FOLDER = {"LAMBDA_TASK_ROOT": "/var/task"}
# A forked child that may not be one does not come to its own call.
BLOCKED = policy(outbound_connectivity="block") | FOLDER
NO_PROGRAMS = policy(create_child_process="block") | FOLDER
# The emulated machine has one; which of Lambda's are missing here says test_versions.py.
RUNTIMES: Mapping[str, Runtime] = {"3": python.THIS} if is_emulated() else available()


class Caller(NamedTuple):
    """What an alert says of its caller. `line`: what stands in that line of the file."""

    function: str
    file: str
    line: str
    through: tuple[str, ...]


def dialled(*through: str) -> Caller:
    return Caller("Client.dial", "dialler/client.py", "s.connect_ex(", ("dialler", *through))


def own(function: str, line: str = "", *, file: str = "app.py") -> Caller:
    return Caller(function, file, line or "socket.socket().connect_ex(", ("app",))


NETTY = "deps/site-packages/netty/pool.py"
OPENED = own("open_one", "await asyncio.open_connection")
PROGRAMS: Mapping[str, list[Caller | None]] = {
    "by_subprocess": [own("by_subprocess", 'subprocess.run(["/bin/true"], check')],
    "by_subprocess_with_a_function": [own("by_subprocess_with_a_function", "preexec_fn=")],
    "by_posix_spawn": [own("by_posix_spawn", "os.posix_spawn(")],
    "by_exec": [own("by_exec", "os.execv(")],
}
# What is called: the callers of the alerts, in their order. None: nobody is named.
WAYS: Mapping[str, list[Caller | None]] = {
    "through_libraries": [Caller("Pool.borrow", NETTY, "connection.connect_ex(", ("netty", "asker", "app"))],
    "by_itself": [own("by_itself")],
    "call": [dialled("app")],
    "when_imported": [dialled("loud", "app")],
    "in_a_thread": [dialled()],
    "in_a_pool": [dialled()],
    "only_the_standard_library_in_a_pool": [None],
    "in_coroutines": [OPENED],
    "in_a_callback_of_c": [dialled("app")],
    "in_a_thread_of_c": [None],
    "in_a_forked_child": [dialled("app")],
    "in_a_child_of_a_thread": [dialled("app")],
    "in_a_subinterpreter": [dialled(), dialled("app")],
    "under_no_name": [own("under_no_name", "exec(compile(")],
    "with_foreign_names": [Caller("by_itself", "app.py", "socket.socket().connect_ex(", ("app", "päckage"))],
    "at_the_end_of_a_deep_stack": [own("by_itself")],
}
ODD_WAYS = ("at_a_far_line", "under_a_false_name", "under_long_names")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("callers") / "code"
    return shutil.copytree(TASK, folder, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture(scope="module", params=RUNTIMES)
def box(request: pytest.FixtureRequest, layer: Path, code: Path) -> Iterator[Sandbox]:
    with whole_sandbox(code, layer, runtime=RUNTIMES[request.param]) as sandbox:
        yield sandbox


def run(box: Sandbox, *command: str, settings: Mapping[str, str] = BLOCKED) -> Completed:
    done = box.run_command([SHIELD, box.runtime.interpreter, "-W", "ignore", *command], environment=settings)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def callers(alerts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Without the shared object. What the same code does again in a second has no line of its own."""
    named = [alert.get("caller", {}) for alert in alerts if "event" not in alert]
    return [{name: value for name, value in caller.items() if name != "object"} for caller in named]


@pytest.fixture(scope="module")
def named(box: Sandbox) -> Mapping[str, list[dict[str, Any]]]:
    """Who is named for each way, all of one policy in one process."""
    log = run(box, "/var/task/app.py", *WAYS, *ODD_WAYS).stderr
    log += run(box, "/var/task/app.py", *PROGRAMS, settings=NO_PROGRAMS).stderr
    assert all(len(line.encode()) <= 4096 for line in log.splitlines())
    found = alerts_by_way(log)
    assert list(found) == [*WAYS, *ODD_WAYS, *PROGRAMS]
    return {way: callers(lines) for way, lines in found.items()}


def lines_with(file: str, text: str) -> list[int]:
    lines = (TASK / file).read_text(encoding="utf-8").splitlines()
    return [number for number, line in enumerate(lines, 1) if text in line]


def as_written(caller: Caller | None) -> dict[str, Any]:
    if caller is None:
        return {}
    head = lines_with(caller.file, f"def {caller.function.rpartition('.')[2]}(")[0]
    return {
        "function": caller.function,
        "file": f"/var/task/{caller.file}",
        "line": next(line for line in lines_with(caller.file, caller.line) if line > head),
        "package": caller.through[0],
        "through": list(caller.through),
    }


@pytest.mark.parametrize("way", [*WAYS, *PROGRAMS])
def test_the_caller_is_named(named: Mapping[str, list[dict[str, Any]]], way: str) -> None:
    """Fails as well where a version that Lambda has gives no answer."""
    # Threads that do the same at the same moment may have a line each.
    told = [caller for number, caller in enumerate(named[way]) if caller not in named[way][:number]]
    assert told == [as_written(caller) for caller in {**WAYS, **PROGRAMS}[way]]


def test_a_line_far_down(named: Mapping[str, list[dict[str, Any]]]) -> None:
    """Tables of locations tell it by differences, forward and backward."""
    (caller,) = named["at_a_far_line"]
    assert (caller["file"], caller["function"], caller["line"]) == ("/var/task/far.py", "farther", 75_304)
    assert caller["through"] == ["far", "app"]


def test_a_replaced_name_is_believed(named: Mapping[str, list[dict[str, Any]]]) -> None:
    """Known to get through (docs/security/limits.md): who is named is who appears to call."""
    (caller,) = named["under_a_false_name"]
    assert (caller["function"], caller["file"]) == ("Session.client", "/var/task/boto3/session.py")
    assert caller["through"] == ["boto3", "app"]


def test_long_names_are_cut(named: Mapping[str, list[dict[str, Any]]]) -> None:
    (caller,) = named["under_long_names"]
    assert [caller[name][-4:] for name in ("function", "file", "package")] == ["f...", "p...", "p..."]
    assert max(len(caller[name]) for name in ("function", "file", "package")) == 256


LOOK_UPS = """
import _socket, concurrent.futures, contextlib, os, socket, ssl, sys
ssl.create_default_context()  # its calls leave words on the stack
def look_up(name, call=socket.getaddrinfo, *more):
    with contextlib.suppress(OSError):
        call(name + ".evil.example", *more)
look_up("one", socket.getaddrinfo, 443)
look_up("two", socket.gethostbyname)
look_up("three", socket.gethostbyname_ex)
concurrent.futures.ThreadPoolExecutor().submit(look_up, "four", socket.getaddrinfo, 443).result()
print(os.path.basename(getattr(_socket, "__file__", os.path.realpath(sys.executable))))
"""


def test_the_object_of_a_look_up(box: Sandbox) -> None:
    """The one that called libc's resolver, not one of those that ran on the same stack before."""
    done = run(box, "-c", LOOK_UPS)
    told = {(line["details"]["host"], line["caller"]["object"]) for line in alerts(done) if "event" not in line}
    assert told == {(f"{name}.evil.example", done.stdout.strip()) for name in ("one", "two", "three", "four")}


def test_the_functions_own_folder_is_sealed(box: Sandbox) -> None:
    """It is the one that the function started with, whatever its code does to the environment; a child has it too."""
    code = "import os, subprocess, sys; os.environ['LAMBDA_TASK_ROOT'] = '/elsewhere'\n"
    code += "sys.path.insert(0, '/var/task'); from app import call; call()\n"
    code += "subprocess.run([sys.executable, '/var/task/app.py', 'call'], env={})"
    done = run(box, "-c", code, settings=BLOCKED)
    assert callers(alerts(done)) == [as_written(dialled("app"))] * 2


@pytest.mark.parametrize("setting", [{}, {"SHIELD_LOG_ARGUMENTS": "on"}], ids=["by default", "on"])
def test_without_arguments_code_is_named_all_the_same(box: Sandbox, setting: dict[str, str]) -> None:
    """The names of files and functions are no arguments."""
    done = run(box, "/var/task/app.py", "by_subprocess", settings=NO_PROGRAMS | setting)
    assert ("arguments" in json.dumps(done.shield_lines)) == bool(setting)
    assert callers(alerts(done)) == [as_written(caller) for caller in PROGRAMS["by_subprocess"]]
