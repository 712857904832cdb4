"""From npm, for tests of Node.js: the tracers that functions preload."""

from __future__ import annotations

import shutil
from pathlib import Path

from shielded_function_emulator.languages.parts import Part, scratch, unpack_npm

# OpenTelemetry's and Datadog's, with all that they require: name, version, hash.
_TRACERS = Path(__file__).with_name("node_tracers.txt").read_text()


def _make_tracers(into: Path) -> None:
    for row in _TRACERS.splitlines():
        name, version, integrity = row.split()
        with scratch() as folder:
            shutil.copytree(unpack_npm(name, version, integrity, folder), into / "node_modules" / name)


TRACERS = Part("node-tracers", (_TRACERS,), _make_tracers)
PARTS = (TRACERS,)
