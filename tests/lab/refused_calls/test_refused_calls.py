"""Armed means armed: behind a filter that answers one call, the shield refuses to start and names it, or all holds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.engine import INSIDE as HARNESS_INSIDE
from harness.recorder import Recorder
from harness.running import PYTHON, SHIELD, policy
from integration.readiness.api import RUNTIME_API, RuntimeApi, open_box
from lab.refused_calls.calls import ANSWERS, CALLS, Call
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import Completed, Sandbox, shield_lines

INSIDE = Path(__file__).parent / "inside"
CASES_INSIDE = INSIDE.parents[2] / "security" / "cases" / "inside"
SERVER, LISTED, FOREIGN = "203.0.113.10", "198.51.100.9", "203.0.113.77"
OF_THE_CASES = "203.0.113.9"
REFUSED, SECONDS = 78, 60
SETTINGS = policy(
    outbound_connectivity="block",
    read_write_tmp="block",
    create_child_process="block",
    read_handler="block",
    executable_memory="block",
) | {
    "SHIELD_ALLOW_OUTBOUND": f"allowed.example,{LISTED}",
    "SHIELD_ALLOW_TMP": "/tmp/listed,/tmp/listed/**",
    "SHIELD_ALLOW_CHILD_PROCESS": "/usr/bin/true,/usr/bin/cat",
    "SHIELD_ALLOW_AWS": "none",
}
ENVIRONMENT = {"_HANDLER": "app.handler", "LAMBDA_TASK_ROOT": "/var/task", "AWS_LAMBDA_RUNTIME_API": RUNTIME_API}
DENIALS = {"errno 1", "errno 13", "errno 38", "EAI -2", "EAI -3", "EAI -4"}
NAMED = (  # seen to leak, to hang, or to end without a line
    *("ppoll", "readlinkat", "rt_sigprocmask", "getsockopt(SO_PROTOCOL)"),
    *("statx", "statfs", "fgetxattr", "madvise", "gettid", "getpid"),
)
TRIED_BY_THE_LIBRARY = (  # else they leak, are silent, or break the program; the last line: of clear_tmp
    *("madvise", "fstat", "rt_sigprocmask", "mremap", "readlinkat", "prlimit64", "fcntl(F_GETFL)", "ppoll"),
    *("getresuid", "getresgid", "getsockopt(SO_PROTOCOL)", "getsockopt(SO_TYPE)", "getpeername", "sendmsg", "recvmsg"),
    *("statx", "lseek", "unlinkat"),
)
ROWS = [
    pytest.param(
        *(call, answer),
        id=f"{call.name}-{answer}",
        marks=() if call.name in NAMED and answer != "ENOSYS" else pytest.mark.long,
    )
    for call in CALLS
    for answer in ANSWERS
]


class Done(NamedTuple):
    """How a program ended."""

    status: int
    told: dict[str, dict[str, str]]
    lines: list[dict[str, Any]]
    stderr: str


class Scene:
    """One sandbox, in which one program runs after the other."""

    def __init__(self, box: Sandbox, api: RuntimeApi) -> None:
        self._box, self._api = box, api

    def run_alone(self, command: list[str], settings: dict[str, str], refused: list[object]) -> Completed:
        """A command of its own; the settings are set behind the filter, as what makes it is no function."""
        given = [f"{name}={value}" for name, value in settings.items()]
        behind = ["/usr/bin/env", *given, *command]
        return self._box.run_command([PYTHON, "/var/task/filtering.py", json.dumps([refused]), *behind])

    def run(self, settings: dict[str, str] | None, refused: list[object] | None) -> Done:
        """`settings` None: without the shield."""
        tmp = self._box.path("/tmp")
        owner = tmp.stat()
        for made in (tmp / "made", tmp / "pointer"):  # by an earlier run
            made.rmdir() if made.is_dir() else made.unlink(missing_ok=True)
        for path in (tmp / "there", tmp / "listed"):
            path.mkdir(exist_ok=True) if path.name == "listed" else path.write_text("content")
            os.chown(path, owner.st_uid, owner.st_gid)
        self._api.give({})
        shield = [SHIELD] if settings else []
        rules = json.dumps([refused] if refused else [])
        command = [PYTHON, "/var/task/filtering.py", rules, *shield, PYTHON, "/var/task/attempts.py"]
        process = self._box.start(command, environment={**ENVIRONMENT, **(settings or {})})
        try:
            stdout, stderr = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        text = stderr.decode(errors="replace")
        said = [line for line in stdout.splitlines() if line.startswith(b"{")]  # programs that ran say something too
        told = json.loads(said[-1]) if said else {}
        return Done(process.returncode, told, list(shield_lines(text.splitlines())), text)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    task = tmp_path_factory.mktemp("task")
    shared = (HARNESS_INSIDE / name for name in ("hellos.py", "ways.py", "filtering.py"))
    for file in (*CASES_INSIDE.glob("*.py"), *INSIDE.glob("*.py"), *shared):
        (task / file.name).write_bytes(file.read_bytes())
    (task / "to_there").symlink_to("/tmp/there")
    for path in (task, *task.parents[:3]):
        path.chmod(0o755)
    names = {"allowed.example": [SERVER], "*.denied.example": [SERVER]}
    with ExitStack() as stack:
        box = stack.enter_context(open_box(task))
        box.filtered = False
        stack.enter_context(DnsServer(box, names))
        api = stack.enter_context(RuntimeApi(box))
        for address in (SERVER, LISTED, FOREIGN):
            stack.callback(Recorder(box, address).close)
        stack.callback(Recorder(box, OF_THE_CASES, 80).close)
        yield Scene(box, api)


@pytest.fixture(scope="module")
def usual(scene: Scene) -> dict[str, str]:
    """What can be done without the shield and without a filter: of the rest, no denial would say anything."""
    done = scene.run(None, None)
    assert done.told, done
    assert set(done.told["works"].values()) == {"done"}, done
    return done.told["denied"]


def test_most_of_what_is_denied_can_be_done_without_the_shield(usual: dict[str, str]) -> None:
    print({name: how for name, how in usual.items() if how != "done"})
    assert sum(how == "done" for how in usual.values()) > 30


def test_without_a_filter_all_holds(scene: Scene) -> None:
    done = scene.run(SETTINGS, None)
    assert done.told["works"] == dict.fromkeys(done.told["works"], "done")
    assert {name: how for name, how in done.told["denied"].items() if how not in DENIALS} == {}
    assert len([line for line in done.lines if "policy" in line]) > 30


@pytest.mark.parametrize(("call", "answer"), ROWS)
def test_a_refused_call_refuses_the_start_or_changes_nothing(
    scene: Scene, usual: dict[str, str], call: Call, answer: str
) -> None:
    refused = call.filter(answer)
    done = scene.run(SETTINGS, refused)
    if done.status == REFUSED:
        (line,) = [line for line in done.lines if line.get("event") == "refused"]
        assert line["reason"].startswith(call.name), line["reason"]
        return
    alone = scene.run(None, refused)
    if alone.status:
        return  # nor does the program live without the shield
    assert done.status == 0, done.stderr
    assert done.told["works"] == alone.told["works"]
    assert {name: how for name, how in done.told["denied"].items() if how not in DENIALS} == {}
    assert len([line for line in done.lines if "policy" in line]) > 30


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("membarrier", ["armed", "armed"]),  # there is another way
        ("getsockopt(SO_PROTOCOL)", ["armed", "getsockopt(SO_PROTOCOL) is refused (EPERM), and outbound_connectivity"]),
        ("ppoll", ["armed", "ppoll is refused (EPERM), and alerts need it"]),
    ],
)
def test_code_that_makes_a_policy_stricter_meets_the_trials(scene: Scene, name: str, says: list[str]) -> None:
    (call,) = [each for each in CALLS if each.name == name]
    done = scene.run_alone([PYTHON, "/var/task/late.py"], {}, call.filter("EPERM"))
    told = json.loads(done.stdout.splitlines()[-1])["told"]
    assert [text.startswith(begin) for text, begin in zip(told, says, strict=True)] == [True, True], (told, done.stderr)


@pytest.mark.parametrize("name", TRIED_BY_THE_LIBRARY)
def test_a_library_without_the_wrapper_names_the_refused_call(scene: Scene, name: str) -> None:
    (call,) = [each for each in CALLS if each.name == name]
    settings = {**SETTINGS, "SHIELD_CLEAR_TMP": "on", "LD_PRELOAD": "/opt/shielded-function/libshield.so"}
    done = scene.run_alone(["/bin/true"], settings, call.filter("EPERM"))
    assert done.returncode == REFUSED, done.stderr
    (line,) = shield_lines(done.stderr.splitlines())
    assert line["reason"].startswith(f"{name} is refused (EPERM), and "), line
