"""The engine's walk over JavaScript's frames as an add-on, and what it sees in a program that does many things."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.compiling import EFFORT, NATIVE, compile_c
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Sandbox

HERE = Path(__file__).parent
WALK = (
    *("report/node_lines.c", "report/node_frames.c", "report/node_heap.c", "report/node_runtime.c"),
    *(
        "base/memory_reader.c",
        "base/exported_symbol.c",
        "base/thread_local.c",
        "base/user_memory.c",
        "base/proc_maps.c",
    ),
)
PURE = ("text.c", "v8_layout.c")


def write_walk(folder: Path, include: Path) -> Path:
    """The program and the add-on. `include`: where Node.js's headers are."""
    shutil.copytree(HERE / "frames", folder)
    sources = [HERE / "c" / "look_at_frames.c", *(NATIVE / "engine" / name for name in WALK)]
    sources += [NATIVE / "core" / name for name in PURE]
    flags = ("-O2", "-shared", "-fPIC", f"-I{include / 'node'}")
    compile_c(sources, folder / "look_at_frames.node", *flags, target=f"{architecture()}-linux-gnu")
    return folder


def walk(box: Sandbox, node: str, what: str, effort: float, *, options: Sequence[str] = ()) -> dict[str, Any]:
    command = [node, *options, "/var/task/frames.js", what, str(effort)]
    done = box.run_command(command, timeout=120 + 30 * EFFORT)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-3000:]}"
    return json.loads(done.stdout)
