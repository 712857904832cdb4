"""What only tests use of npm, and of PyPI: tracers that functions of Node.js preload, and greenlets."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from shielded_function_emulator.languages.parts import Part, run, scratch, unpack_npm

# OpenTelemetry's and Datadog's, with all that they require: name, version, hash.
_TRACERS = Path(__file__).with_name("node_tracers.txt").read_text()
_WHEELS = ("gevent==26.9.0", "greenlet==3.5.6", "zope.event==6.2", "zope.interface==8.7")


def _make_tracers(into: Path) -> None:
    for row in _TRACERS.splitlines():
        name, version, integrity = row.split()
        with scratch() as folder:
            shutil.copytree(unpack_npm(name, version, integrity, folder), into / "node_modules" / name)


def _install(into: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--only-binary=:all:", "--target", into, *_WHEELS])


TRACERS = Part("node-tracers", (_TRACERS,), _make_tracers)
GEVENT = Part(f"gevent-{sys.version_info[0]}.{sys.version_info[1]}", _WHEELS, _install)
PARTS = (TRACERS, GEVENT)
