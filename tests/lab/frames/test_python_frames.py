"""The walk over Python's frames, without the engine around it: what it sees is what the interpreter says, and it does
no harm, at whatever moment. In each version that Lambda has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.compiling import EFFORT, compile_c
from harness.running import whole_sandbox
from shielded_function_emulator.languages import python
from shielded_function_emulator.languages.python_versions import available
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.machine import architecture, is_emulated
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_runtime.build.native import NATIVE

pytestmark = pytest.mark.promise("alert.caller-python")

HERE = Path(__file__).parent
RUNTIMES: Mapping[str, Runtime] = {"3": python.THIS} if is_emulated() else available()
WALK = (
    *("report/python_frames.c", "base/memory_reader.c"),
    *("base/user_memory.c", "base/procfs.c"),
)
PURE = ("text.c", "python_layout.c", "python_objects.c")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames") / "code"
    folder.mkdir()
    (folder / "frames.py").write_bytes((HERE / "frames.py").read_bytes())
    sources = [HERE / "look_at_frames.c", *(NATIVE / "engine" / name for name in WALK)]
    sources += [NATIVE / "core" / name for name in PURE]
    target = f"{architecture()}-linux-gnu"
    compile_c(sources, folder / "look_at_frames.so", "-O2", "-shared", "-fPIC", target=target)
    return folder


@pytest.fixture(scope="module", params=RUNTIMES)
def box(request: pytest.FixtureRequest, layer: Path, code: Path) -> Iterator[Sandbox]:
    with whole_sandbox(code, layer, runtime=RUNTIMES[request.param]) as sandbox:
        yield sandbox


def run(box: Sandbox, what: str, effort: float) -> dict[str, Any]:
    command = [box.runtime.interpreter, "-W", "ignore", "/var/task/frames.py", what, "/var/task/look_at_frames.so"]
    done = box.run_command([*command, str(effort)], timeout=60 + 30 * EFFORT)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-3000:]}"
    return json.loads(done.stdout)


def test_whole_stacks_are_as_the_interpreter_says(box: Sandbox) -> None:
    said = run(box, "compare", 1000 * EFFORT)
    assert said["looks"] > 100, said
    assert said["frames"] > 10 * said["looks"]
    assert said["wrong"] == 0, said["first"]


@pytest.mark.race
def test_any_moment_does_no_harm(box: Sandbox) -> None:
    """A frame may be half made, a thread may just begin or end: then nobody is named."""
    said = run(box, "interrupt", EFFORT)
    assert said["looks"] > 100, said
    assert said["frames"] > said["looks"]
    assert said["empty"] < said["looks"] / 2
