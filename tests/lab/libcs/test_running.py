"""Programs in a small system that runs on the library: it arms, what is forbidden fails, all else is as ever."""

from __future__ import annotations

import errno
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.compiling import SOURCES as ENGINE_SOURCES
from harness.compiling import compile_c
from harness.running import SHIELD, policy
from harness.thinning import long_but
from lab.libcs.releases import LIBCS, Libc
from shielded_function_emulator.sandbox import Completed, Sandbox
from shielded_function_runtime.build.native import BINARIES, build

SOURCES = Path(__file__).parent / "c"
HERE = [libc for libc in LIBCS if libc.architecture == platform.machine()]
KEPT = [libc for libc in HERE if libc.name in ("given", "glibc-2.31", "musl-1.2.5")]  # in `make test`: the ends
PROGRAMS = (SOURCES / "spellings.c", SOURCES / "calls.c", SOURCES / "tool.c")
IN_TMP = {"open", "create", "raw_openat", "unlink", "mkdir", "rmdir", "chmod", "thread_open"}
BLOCK = {"read_write_tmp": "block", "outbound_connectivity": "block", "create_child_process": "block"}


@dataclass
class System:
    """A sandbox whose /usr is the library's own."""

    libc: Libc
    sandbox: Sandbox

    def run(self, argv: list[str], settings: Mapping[str, str] | None) -> Completed:
        """With the shield, or without where there are no settings. /tmp holds `there` and an empty `allowed`."""
        tmp = self.sandbox.path("/tmp")
        for entry in tmp.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        (tmp / "there").write_text("content")
        (tmp / "allowed").mkdir()
        for entry in (tmp / "there", tmp / "allowed"):
            os.chown(entry, tmp.stat().st_uid, tmp.stat().st_gid)
        # The usual search path is for this machine's libraries.
        environment = dict(settings or {}) | {"LD_LIBRARY_PATH": "", "PYTHONPATH": ""}
        command = argv if settings is None else [SHIELD, *argv]
        return self.sandbox.run_command(command, environment=environment)


@pytest.fixture(scope="module", params=long_but(KEPT, HERE), ids=lambda libc: libc.id)
def system(
    request: pytest.FixtureRequest,
    root: Callable[[Libc], Path],
    compiled: Callable[[Path, Libc], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[System]:
    libc: Libc = request.param
    build([f"layer/{platform.machine()}"])
    task = tmp_path_factory.mktemp("task")
    for source in PROGRAMS:
        shutil.copy(compiled(source, libc), task)
    soname = "-Wl,-soname,/var/task/early.so"
    compile_c([ENGINE_SOURCES / "early.c"], task / "early.so", "-shared", "-fPIC", soname, target=libc.target)
    compile_c([ENGINE_SOURCES / "needs.c", task / "early.so"], task / "needs", "-dynamic", target=libc.target)
    shutil.copy(SOURCES.parent / "inside" / "attempts.py", task)
    for folder in (task, *task.parents[:2]):
        folder.chmod(0o755)
    layer = BINARIES / "layer" / platform.machine()
    with Sandbox(task=task, layers=layer, mounts={"/usr": root(libc) / "usr"}) as sandbox:
        yield System(libc, sandbox)


def results(done: Completed) -> dict[str, int]:
    return {name: int(number) for name, number in (line.split() for line in done.stdout.splitlines())}


def alerts(done: Completed) -> list[dict[str, Any]]:
    return [line for line in done.shield_lines if "policy" in line]


def test_it_arms_and_what_is_forbidden_fails(system: System) -> None:
    done = system.run(["/var/task/spellings", "/tmp/there"], policy(**BLOCK))
    assert done.returncode == 0, done.stderr
    armed = [line for line in done.shield_lines if line.get("event") == "armed"]
    assert len(armed) == 1
    assert armed[0]["sites"] > 400
    assert 100 < armed[0]["patched"] < armed[0]["sites"]
    found = results(done)
    denied = {name for name, number in found.items() if number == errno.EACCES}
    # Without a shell or /bin/true in the root there is nothing to start.
    assert denied == IN_TMP - {"rmdir"} | {"tcp", "udp"}
    assert found["rmdir"] == errno.ENOENT  # of the folder that it may not make
    assert (found["other_file"], found["loopback"], found["spawn"]) == (0, 0, errno.ENOENT)
    assert found["resolve"] != 0
    reported = alerts(done)
    assert sum(alert["count"] for alert in reported if alert["policy"] == "read_write_tmp") == len(IN_TMP) - 1
    assert {a["details"].get("host") for a in reported if a["policy"] == "outbound_connectivity"} >= {"denied.example"}
    assert system.sandbox.path("/tmp/there").read_text() == "content"


def test_in_alert_mode_the_same_calls_succeed(system: System) -> None:
    done = system.run(["/var/task/spellings", "/tmp/there"], policy(read_write_tmp="alert"))
    found = results(done)
    assert {found[name] for name in IN_TMP} == {0}
    assert sum(alert["count"] for alert in alerts(done)) == len(IN_TMP) + 1  # it removes its file, too


def test_what_is_allowed_behaves_as_without_the_shield(system: System) -> None:
    argv = ["/var/task/calls", "/tmp/allowed", "/var/task/tool"]
    allowed = policy(**BLOCK, allow_tmp="/tmp/allowed/**", allow_child_process="/var/task/tool")
    plain, shielded = system.run(argv, None), system.run(argv, allowed)
    assert plain.stdout.endswith("done 0\n"), plain.stderr
    assert (shielded.stdout, shielded.returncode) == (plain.stdout, plain.returncode)
    assert (results(plain)["spawn_status"], results(plain)["cancel_recvfrom"], plain.returncode) == (5, 1, 6)
    assert alerts(shielded) == []


def test_a_program_that_is_not_listed_does_not_start(system: System) -> None:
    done = system.run(["/var/task/calls", "/tmp/allowed", "/var/task/tool"], policy(create_child_process="block"))
    found = results(done)
    assert found["spawn"] == errno.EACCES
    assert found["done"] == 0
    assert {alert["details"]["path"] for alert in alerts(done)} == {"/var/task/tool"}


def test_a_call_that_no_policy_needs_to_see_is_not_slowed(system: System) -> None:
    """Where only programs are forbidden, a site with another number right in front is not patched: most of glibc's."""
    done = system.run(["/var/task/tool"], policy(create_child_process="alert"))
    armed = next(line for line in done.shield_lines if line.get("event") == "armed")
    assert done.stdout == "hello\n"
    assert armed["patched"] < armed["sites"] * (0.5 if system.libc.family == "gnu" else 0.8)


@pytest.mark.parametrize(
    "system", long_but(KEPT, [libc for libc in HERE if libc.python]), indirect=True, ids=lambda libc: libc.id
)
def test_the_releases_own_python(system: System) -> None:
    argv = [system.libc.python, "-I", "/var/task/attempts.py"]
    plain = system.run(argv, None)
    assert set(plain.stdout.splitlines()) == {f"{name} done" for name in ("open", "ctypes", "rename", "spawn", "udp")}
    shielded = system.run(argv, policy(**BLOCK))
    assert shielded.stdout.splitlines() == [line.replace("done", "denied") for line in plain.stdout.splitlines()]
    expected = {"read_write_tmp", "create_child_process", "outbound_connectivity"}
    assert {alert["policy"] for alert in alerts(shielded)} == expected


@pytest.mark.promise("memory.constructors")
@pytest.mark.parametrize("how", ["preloaded", "needed"])
def test_constructors_of_other_libraries_are_judged(system: System, how: str) -> None:
    library = {"LD_PRELOAD": "/var/task/early.so"} if how == "preloaded" else {}
    program = "/var/task/tool" if how == "preloaded" else "/var/task/needs"
    done = system.run([program], policy(read_write_tmp="block") | library)
    assert "early" not in done.stdout, done.stderr
    assert [alert["policy"] for alert in alerts(done)] == ["read_write_tmp"]
