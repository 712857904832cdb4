"""`configure` in a handler's module, under AWS's own runtime clients, in functions that have no wrapper.

The handlers of `inside/clients` call it while they are loaded, where the environment says so.
"""

from __future__ import annotations

import platform
import re
import shutil
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.compiling import compile_c
from harness.thinning import long_but
from integration.from_code.conftest import HERE
from integration.from_code.test_java import COMPILERS, compile_java
from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.function import EmulatedFunction, Invocation
from shielded_function_emulator.languages import find, java
from shielded_function_emulator.languages.python_versions import available
from shielded_function_emulator.sandbox import shield_lines

CLIENTS = HERE / "inside" / "clients"
SERVER = ("203.0.113.77", 7000)  # as the handlers have it
ROUNDS = 2
CONFIGURES = {"CONFIGURES": "1"}
POLICY_OF = {
    "connect": "outbound_connectivity",
    "write": "read_write_tmp",
    "start": "create_child_process",
    "read": "read_handler",
}


@dataclass(frozen=True)
class Language:
    """A function in one language. `denied`: patterns of what it says of attempts that are denied."""

    handler: str
    source: str
    denied: Mapping[str, str]


PYTHON = Language("app.handler", "app.py", dict.fromkeys(POLICY_OF, r"PermissionError: \[Errno 13\] Permission denied"))
NODE = Language("app.handler", "app.js", dict.fromkeys(POLICY_OF, r"EACCES: "))
JAVA = Language(
    "Handler::handle",
    "Handler.class",
    {
        "connect": r"java\.net\.BindException: Permission denied",
        "write": r"java\.nio\.file\.AccessDeniedException: /tmp/written",
        "start": r"java\.io\.IOException: .*error[=:] ?13\b.*Permission denied",
        "read": r"java\.nio\.file\.AccessDeniedException: /var/task/Handler\.class",
    },
)
LANGUAGES = {"python": PYTHON, "nodejs": NODE, "java": JAVA}

PYTHONS = {f"python{version}": runtime for version, runtime in available().items()}
NODES = {name: find(name) for name in ("nodejs20.x", "nodejs22.x", "nodejs24.x")}
JAVAS = {name: find(name) for name in ("java17", "java21", "java25")}
RUNTIMES = {**PYTHONS, **NODES, **JAVAS}
# The newest of each language in `make test`.
EACH_RUNTIME = pytest.mark.parametrize("name", long_but({list(of)[-1] for of in (PYTHONS, NODES, JAVAS)}, RUNTIMES))

# The libuv of these makes rings wherever a kernel offers them, and no variable keeps it from that.
NO_RINGS = {name: {"LD_PRELOAD": "/var/task/no_rings.so"} for name in ("nodejs22.x", "nodejs24.x")}
RINGS = {  # runtime, environment
    "node20 that was asked to": ("nodejs20.x", {"UV_USE_IO_URING": "1"}),
    "node22": ("nodejs22.x", {}),
    "node22 that was asked not to": ("nodejs22.x", {"UV_USE_IO_URING": "0"}),
    "node24": ("nodejs24.x", {}),
}


@pytest.fixture(scope="module")
def code(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The handlers of all languages."""
    task = tmp_path_factory.mktemp("clients") / "code"
    shutil.copytree(CLIENTS, task, ignore=shutil.ignore_patterns("__pycache__"))
    target = f"{platform.machine()}-linux-gnu.2.28"
    compile_c([HERE / "c" / "no_rings.c"], task / "no_rings.so", "-shared", "-ldl", target=target)
    if COMPILERS:
        jar = layer / "java" / "lib" / "shielded-function.jar"
        compile_java(CLIENTS / "Handler.java", task, "-cp", str(jar), "--release", "17")
    return task


def language_of(name: str) -> Language:
    return LANGUAGES[re.sub(r"\d.*", "", name)]


@contextmanager
def started(name: str, code: Path, layer: Path, environment: Mapping[str, str]) -> Iterator[EmulatedFunction]:
    """A function as somebody deploys it who attaches the layer by hand. Skips where it cannot be had."""
    if missing := RUNTIMES[name].missing():
        pytest.skip(missing)
    language = language_of(name)
    if not (code / language.source).exists():
        pytest.skip(f"no Java compiler; {java.TOOLS.missing()}")
    package = FunctionPackage(
        logical_id="ByHand",
        name="by-hand",
        code=code,
        layers=(layer,),
        handler=language.handler,
        runtime=name,
        memory_mb=512,
        timeout_seconds=60,
        environment=environment,
    )
    with EmulatedFunction(package, runtime=RUNTIMES[name]) as function:
        if not function.sandbox.isolation.whole:
            pytest.skip(f"needs a sandbox with a network and /tmp of its own: {function.sandbox.isolation.note}")
        yield function


@dataclass(frozen=True)
class Came:
    """What came of ROUNDS invocations with all attempts, and of one with none before and after: what the function said
    in each, the shield's lines, the connections that arrived, and whether anything was written."""

    said: list[Any]
    lines: list[dict[str, Any]]
    connections: int
    written: bool


def attempt_all(name: str, code: Path, layer: Path, environment: Mapping[str, str]) -> Came:
    without_rings = {**NO_RINGS.get(name, {}), **environment}
    with started(name, code, layer, without_rings) as function, function.sandbox.socket() as listener:
        listener.bind(SERVER)
        listener.listen(2 * ROUNDS)
        invocations = [function.invoke(event) for event in ([], *[list(POLICY_OF)] * ROUNDS, [])]
        written = function.sandbox.path("/tmp/written").exists()
        lines = [line for invocation in invocations for line in lines_of(invocation)]
        return Came([invocation.payload for invocation in invocations], lines, arrived(listener), written)


def arrived(listener: socket.socket) -> int:
    """How many connections wait to be accepted."""
    listener.setblocking(False)
    for count in range(ROUNDS + 1):
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
    raise AssertionError("more came than were tried")


def lines_of(invocation: Invocation) -> list[dict[str, Any]]:
    return shield_lines([line.message for line in invocation.log])


@EACH_RUNTIME
def test_what_is_not_configured_is_allowed(name: str, code: Path, layer: Path) -> None:
    """So that what is denied below is denied by that call."""
    came = attempt_all(name, code, layer, {})
    source = (code / language_of(name).source).read_bytes()[:4].hex()
    done = {"connect": "done: connected", "write": "done: 4", "start": "done: started", "read": f"done: {source}"}
    assert came == Came([{}, *[done] * ROUNDS, {}], [], ROUNDS, written=True)


@EACH_RUNTIME
def test_what_is_configured_is_enforced(name: str, code: Path, layer: Path) -> None:
    """All four in every invocation after, each with the language's own error, and counted in the log."""
    came = attempt_all(name, code, layer, CONFIGURES)
    denied = language_of(name).denied
    assert [list(said) for said in came.said] == [[], *[list(POLICY_OF)] * ROUNDS, []], came
    assert [told for said in came.said for a, told in said.items() if not re.match(denied[a], told)] == []
    assert [line.get("event") for line in came.lines[:1]] == ["armed"]
    counts = Counter[tuple[str, str]]()
    for line in came.lines[1:]:
        if "policy" in line:
            counts[line["policy"], line["mode"]] += line["count"]
    assert counts.pop(("read_handler", "block"), 0) >= 1  # the rest of the minute's is told with the next
    assert counts == {(policy, "block"): ROUNDS for policy in POLICY_OF.values() if policy != "read_handler"}
    assert (came.connections, came.written) == (0, False)


@pytest.mark.parametrize("case", long_but({"node24"}, RINGS))
def test_a_function_that_has_rings_does_not_start(case: str, code: Path, layer: Path) -> None:
    """Kernels with io_uring, as docs/guide/migrating-from-functionshield.md has it. Without rings it is shielded."""
    name, environment = RINGS[case]
    with started(name, code, layer, environment) as function:
        rings = function.invoke(["rings"]).payload["rings"]
    with started(name, code, layer, {**environment, **CONFIGURES}) as function:
        invocation = function.invoke(["write"])
    events = [line.get("event") for line in lines_of(invocation)]
    if rings == "done: 0":
        assert (events, invocation.payload["write"][:7]) == (["armed", None], "EACCES:")
        return
    assert invocation.payload["errorType"] == "ConfigurationError"
    assert invocation.payload["errorMessage"].startswith("this process uses io_uring already")
    assert set(events) == {"refused"}
