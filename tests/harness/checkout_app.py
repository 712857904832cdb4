"""Apps of `examples/`, synthesized once for all workers: each takes ten seconds of a processor."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.demo import APP
from shielded_function_emulator.synthesis import synthesize


def synthesized(factory: pytest.TempPathFactory, app: Path = APP, **context: str) -> CloudAssembly:
    """The assembly of an app, by default the demo's, under context settings. Nobody may change it."""
    base = factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    name = "-".join([app.name, *(f"{key}={value}" for key, value in context.items())])
    output, done = shared / name / "cdk.out", shared / name / "done"
    output.parent.mkdir(exist_ok=True)
    with open(shared / f"{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            synthesize(app, output, context)
            done.touch()
    return CloudAssembly(output)
