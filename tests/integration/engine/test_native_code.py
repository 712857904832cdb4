"""Native code that a function brings along: told once, and refused where it exists to reach past its language."""

from __future__ import annotations

import importlib.util
import json
import platform
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.compiling import compile_c
from harness.running import PYTHON, SHIELD, alerts, policy, run_inside, whole_sandbox
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_monitoring import Alert, ShieldEvent, parse_line


def unsaid(**modes: str) -> dict[str, str]:
    """A policy that says nothing of executable_memory."""
    return {name: mode for name, mode in policy(**modes).items() if name != "SHIELD_EXECUTABLE_MEMORY"}


BLOCKED = unsaid(read_handler="block", read_write_tmp="block")
OF_THIS_MACHINE = pytest.mark.skipif(
    architecture() != platform.machine(), reason="the modules that it loads are those of this machine's Python"
)
REFUSED = "failed to map segment from shared object"
PLAIN = "void *PyInit_plain(void) { return 0; }\n"
TASK = "/var/task"
NODE_BRIDGES = {
    f"{TASK}/node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node": "koffi",
    f"{TASK}/node_modules/@yuuang/ffi-rs-linux-x64-gnu/ffi-rs.linux-x64-gnu.node": "ffi-rs",
    f"{TASK}/node_modules/ffi-napi/prebuilds/linux-x64/node.napi.uv1.node": "ffi-napi",
    f"{TASK}/node_modules/ref-napi/prebuilds/linux-x64/node.napi.node": "ref-napi",
}
# That only a switch refuses, with their entries.
COMMON_BRIDGES = {
    f"{TASK}/site-packages/_ctypes.cpython-313-x86_64-linux-gnu.so": "_ctypes",
    f"{TASK}/site-packages/_cffi_backend.cpython-313-x86_64-linux-gnu.so": "_cffi_backend",
    f"{TASK}/site-packages/_jpype.so": "_jpype",
    f"{TASK}/jna-123/jna456.tmp": "jna",
    f"{TASK}/lib/libjnidispatch.so": "jna",
    f"{TASK}/lib/jffi456.so": "jffi",
    f"{TASK}/lib/libjffi-1.2.so": "jffi",
    f"{TASK}/gems/fiddle-1.1.6/lib/fiddle.so": "fiddle",
    f"{TASK}/gems/ffi-1.17.2/lib/3.4/ffi_c.so": "ffi_c",
}
NUMERICS = [f"{TASK}/site-packages/numerics/{name}.so" for name in ("core", "more")]
MANY = [f"{TASK}/{number:03}{'long' * 40}" for number in range(40)]
SWITCH = {"SHIELD_BLOCK_FOREIGN_FUNCTIONS": "on"}


def module(name: str) -> Path:
    """The file of one of CPython's own extension modules."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.origin or not spec.origin.endswith(".so"):
        pytest.skip(f"this machine's Python has no file for {name}")
    return Path(spec.origin)


def in_box(name: str) -> str:
    """The same where the sandbox has it: its Python lies where Lambda's does."""
    return str(Path("/var/lang") / module(name).relative_to(sys.base_prefix))


def fill_task(task: Path) -> None:
    (task / "plain.c").write_text(PLAIN)
    plain = compile_c([task / "plain.c"], task / "plain.so", "-shared", "-fPIC", target=f"{architecture()}-linux-gnu")
    for place in (*NUMERICS, *NODE_BRIDGES, *COMMON_BRIDGES, *MANY):
        copy = task / Path(place).relative_to(TASK)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(plain, copy)
    for name in ("_ctypes", "_testcapi"):
        shutil.copy(module(name), task / f"harmless{name}.so")
    shutil.copy(module("_testcapi"), task / "_testcapi.so")


Run = tuple[list[str], list[Alert], list[Mapping[str, Any]]]


def run(box: Sandbox, modules: Sequence[tuple[str, str]], settings: Mapping[str, str]) -> Run:
    """What came of each, the alerts, and what the `native` lines say."""
    done = run_inside(box, "load_extensions", json.dumps(modules), settings=settings)
    lines = [parse_line(line) for line in done.stderr.splitlines()]
    native = [line.fields for line in lines if isinstance(line, ShieldEvent) and line.event == "native"]
    return json.loads(done.stdout), [line for line in lines if isinstance(line, Alert)], native


def plain(places: Iterable[str]) -> list[tuple[str, str]]:
    return [("plain", place) for place in places]


def assert_refused(run: Run, bridges: Mapping[str, str]) -> None:
    """Each, by its place, whose entry the alert suggests."""
    said, found, _ = run
    assert all(REFUSED in each for each in said), said
    assert {(alert.policy, alert.mode, alert.details.get("syscall")) for alert in found} == {
        ("executable_memory", "block", "mmap")
    }
    assert {alert.details.get("path"): alert.allow for alert in found} == bridges


def assert_loaded(run: Run) -> None:
    said, found, _ = run
    assert ([each for each in said if REFUSED in each], found) == ([], [])


@pytest.mark.promise("memory.native-line")
def test_what_is_the_runtimes_own_makes_no_line(box: Sandbox) -> None:
    assert run(box, [], BLOCKED) == ([], [], [])


@pytest.mark.promise("memory.native-line")
@OF_THIS_MACHINE
@pytest.mark.parametrize("mode", ["block", "alert"])
def test_bridges_and_objects_are_told_once(box: Sandbox, mode: str) -> None:
    """A package once, whatever it has of files; a bridge by what it exports, wherever it lies."""
    modules = [("_ctypes", in_box("_ctypes")), *plain([*NUMERICS, f"{TASK}/plain.so"])]
    _, found, (line,) = run(box, modules, unsaid(read_handler=mode))
    assert found == []
    assert (line["bridges"], sorted(line["objects"]), line["count"]) == (["ctypes"], ["numerics", "plain.so"], 3)


@pytest.mark.promise("memory.bridges")
@OF_THIS_MACHINE
def test_the_interpreters_test_modules_are_refused(box: Sandbox) -> None:
    """The runtime's, and a copy in the package."""
    places = {in_box("_testcapi"): "_testcapi", "/var/task/_testcapi.so": "_testcapi"}
    refused = run(box, [("_testcapi", path) for path in places], BLOCKED)
    assert_refused(refused, places)
    assert refused[2] == []


@pytest.mark.promise("memory.bridges")
def test_node_bridges_are_refused_by_their_names(box: Sandbox) -> None:
    asked = plain(NODE_BRIDGES)
    assert_refused(run(box, asked, BLOCKED), NODE_BRIDGES)
    loaded = run(box, asked, BLOCKED | {"SHIELD_ALLOW_EXECUTABLE_MEMORY": ",".join(NODE_BRIDGES.values())})
    assert_loaded(loaded)
    assert sorted(loaded[2][0]["bridges"]) == sorted(NODE_BRIDGES.values())


@pytest.mark.promise("memory.bridges")
def test_an_entry_admits_its_own_bridge_alone(box: Sandbox) -> None:
    for entry in NODE_BRIDGES.values():
        others = {place: name for place, name in NODE_BRIDGES.items() if name != entry}
        said, found, _ = run(box, plain(NODE_BRIDGES), BLOCKED | {"SHIELD_ALLOW_EXECUTABLE_MEMORY": entry})
        assert sum(REFUSED in each for each in said) == len(others)
        assert {alert.details.get("path"): alert.allow for alert in found} == others


@pytest.mark.promise("memory.bridges")
@OF_THIS_MACHINE
@pytest.mark.parametrize(
    ("settings", "modes"),
    [
        (unsaid(read_handler="alert"), ["alert"]),
        (policy(read_handler="block", executable_memory="alert"), ["alert"]),
        (policy(read_handler="block"), []),
        (policy(read_handler="alert", executable_memory="block"), ["block"]),
    ],
)
def test_a_bridges_mode_is_that_of_executable_memory(
    box: Sandbox, settings: Mapping[str, str], modes: list[str]
) -> None:
    """Where nothing is said of it, the strictest of the others."""
    (said,), found, _ = run(box, [("_testcapi", in_box("_testcapi"))], settings)
    assert (said == "loaded", [alert.mode for alert in found]) == (modes != ["block"], modes)


@pytest.mark.promise("memory.foreign")
@pytest.mark.parametrize(("bridges", "free"), [(COMMON_BRIDGES, BLOCKED), (NODE_BRIDGES, policy())])
def test_the_switch_refuses_bridges(box: Sandbox, bridges: dict[str, str], free: dict[str, str]) -> None:
    """In every mode, unless their entry is listed."""
    asked, listed = plain(bridges), {"SHIELD_ALLOW_EXECUTABLE_MEMORY": ",".join(bridges.values())}
    assert_refused(run(box, asked, policy() | SWITCH), bridges)
    for settings in (free, policy() | SWITCH | listed, BLOCKED | SWITCH | listed):
        assert_loaded(run(box, asked, settings))


@pytest.mark.promise("memory.foreign")
@OF_THIS_MACHINE
@pytest.mark.parametrize("modes", [{}, {"read_write_tmp": "alert"}], ids=["all allow", "alert"])
def test_a_child_cannot_import_ctypes_either(box: Sandbox, modes: Mapping[str, str]) -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import ctypes'], env={})"
    done = box.run_command([SHIELD, PYTHON, "-c", code], environment=policy(**modes) | SWITCH)
    assert "ImportError" in done.stderr
    assert [(a["mode"], a["allow"]) for a in alerts(done)] == [("block", "_ctypes")]


@OF_THIS_MACHINE
@pytest.mark.parametrize(("name", "bridge"), [("_testcapi", "_testcapi"), ("_ctypes", "ctypes")])
def test_a_renamed_bridge_passes(box: Sandbox, name: str, bridge: str) -> None:
    """A limit: it is a hurdle for what lies at hand, and told all the same."""
    said, found, (line,) = run(box, [(name, f"/var/task/harmless{name}.so")], BLOCKED | SWITCH)
    assert (said, found, line["bridges"]) == (["loaded"], [], [bridge])


@OF_THIS_MACHINE
@pytest.mark.parametrize("switch", [{}, SWITCH], ids=["off", "on"])
def test_a_bridge_that_an_invocation_loads_is_not_told(box: Sandbox, switch: Mapping[str, str]) -> None:
    """A limit: the line is written at the first request for an event. The switch holds at any time."""
    code = """
import socket
here, there = socket.socketpair()
for _ in "12":
    here.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n")
    try: import ctypes; print("loaded")
    except ImportError: print("refused")
"""
    done = box.run_command([SHIELD, PYTHON, "-c", code], environment={**BLOCKED, **switch})
    assert done.stdout.split() == (["refused"] * 2 if switch else ["loaded"] * 2), done.stderr
    assert "native" not in [line.get("event") for line in done.shield_lines]


# What the libraries of this machine's Python ask for. The page docs/guide/policy.md has more.
NEEDS = {
    "uuid, asyncio, multiprocessing.pool, boto3, requests": None,
    "cryptography.x509": "_cffi_backend",
    "psycopg": "_ctypes",
}


@pytest.mark.promise("memory.foreign")
@OF_THIS_MACHINE
def test_libraries_that_need_a_bridge(layer: Path, tmp_path: Path) -> None:
    at = "/var/packages"
    settings = policy() | SWITCH | {"PYTHONPATH": at}
    with whole_sandbox(tmp_path, layer, mounts={at: Path(pytest.__file__).parents[1]}) as box:
        for imports, entry in NEEDS.items():
            done, listed = (
                box.run_command([SHIELD, PYTHON, "-c", f"import {imports}"], environment=settings | more)
                for more in ({}, {"SHIELD_ALLOW_EXECUTABLE_MEMORY": entry or ""})
            )
            assert (done.returncode != 0) == bool(entry), done.stderr
            assert {line["allow"] for line in alerts(done)} == ({entry} if entry else set())
            assert listed.returncode == 0, listed.stderr


@pytest.mark.promise("memory.native-line")
def test_as_many_objects_as_fit_are_named(box: Sandbox) -> None:
    """And all of them are counted."""
    _, _, (line,) = run(box, plain(MANY), BLOCKED)
    assert line["count"] == len(MANY)
    assert 10 < len(line["objects"]) < len(MANY)
    assert set(line["objects"]) < {Path(path).name for path in MANY}
