"""The layer as a function without the wrapper meets it, and a sandbox to run such functions in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.compiling import SOURCES, compile_c
from harness.engine import layer
from harness.running import PYTHON, SHIELD, prepare_tmp, whole_sandbox
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Completed, Sandbox

__all__ = ["layer"]

PROMISE = "code.stricter-only"

HERE = Path(__file__).parent
HARD = HERE.parents[1] / "lab" / "libcs" / "c" / "hard.S"
Probe = Callable[..., tuple[list[str], Completed]]


@pytest.fixture(scope="session")
def box(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose /var/task holds the probes, and compiled helpers."""
    task = tmp_path_factory.mktemp("task") / "code"
    shutil.copytree(HERE / "inside", task, ignore=shutil.ignore_patterns("__pycache__"))
    target = f"{architecture()}-linux-gnu.2.28"
    compile_c([HERE / "c" / "in_a_vfork_child.c"], task / "in_a_vfork_child", "-ldl", target=target)
    if architecture() == "x86_64":  # on aarch64 a jump always has room
        compile_c([HARD], task / "libhard.so", "-shared", target=target)
        relocated = [SOURCES / "layouts.S"]
        compile_c(relocated, task / "librelocated.so", "-shared", "-nostdlib", "-Wl,-z,notext", target=target)
    with whole_sandbox(task, layer) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def probe(box: Sandbox) -> Probe:
    """Runs `probe.py` with these steps; returns what came of each, and the run. `shielded`: by the wrapper, with these
    settings."""

    def run(
        *steps: Any, shielded: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None
    ) -> tuple[list[str], Completed]:
        prepare_tmp(box)
        command = [PYTHON, "-S", "/var/task/probe.py", json.dumps(steps)]
        settings = {"_HANDLER": "app.handler", **(environment or {}), **(shielded or {})}
        done = box.run_command(command if shielded is None else [SHIELD, *command], environment=settings)
        assert done.returncode == 0, f"{done.returncode}: {done.stdout} {done.stderr}"
        return json.loads(done.stdout.splitlines()[-1]), done

    return run


def events(done: Completed) -> list[str]:
    """But for the inventory of native code: the engine itself is called by some here."""
    told = [line["event"] for line in done.shield_lines if "event" in line]
    return [event for event in told if event != "native"]


def policy(**fields: Any) -> dict[str, Any]:
    """A configuration: every policy allows unless it is given."""
    modes = ("outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler", "executable_memory")
    return {"policy": dict.fromkeys(modes, "allow") | fields}


def only(**fields: Any) -> dict[str, Any]:
    """A configuration of these fields alone."""
    return {"policy": fields}
