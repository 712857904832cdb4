"""Libraries of Python that only tests use, and that `.venv` has not: fetched once, and kept below `.tools/`."""

from __future__ import annotations

import sys
from pathlib import Path

from shielded_function_emulator.languages.parts import Part, run

_WHEELS = ("gevent==26.9.0", "greenlet==3.5.6", "zope.event==6.2", "zope.interface==8.7")


def _install(into: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--only-binary=:all:", "--target", into, *_WHEELS])


GEVENT = Part(f"gevent-{sys.version_info[0]}.{sys.version_info[1]}", _WHEELS, _install)
PARTS = (GEVENT,)
