"""The compiled wrapper beside a library that stands in for the engine.

The stand-in says "stand-in loaded" on stderr: that the loader took the preload is part of what is tested, and what
the real library does then has tests of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.compiling import compile_c
from integration.launcher.support import MACHINE, Installed
from shielded_function_runtime.build import native

PROMISE = "start.unchanged"

LOADED = "stand-in loaded\n"
_STAND_IN = r"""
#include <unistd.h>
__attribute__((constructor)) static void say(void) { write(2, "stand-in loaded\n", 16); }
"""


@pytest.fixture(scope="session")
def compiled() -> Callable[[str], Path]:
    """The wrapper for an architecture, up to date."""

    def build(machine: str) -> Path:
        path = f"layer/{machine}/shielded-function/shield"
        native.build([path])
        return native.BINARIES / path

    return build


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The stand-in for libshield.so, for an architecture."""
    source = tmp_path_factory.mktemp("stand-in") / "stand_in.c"
    source.write_text(_STAND_IN)

    def build(machine: str) -> Path:
        library = source.with_name(f"{machine}.so")
        if not library.exists():
            compile_c([source], library, "-shared", "-fPIC", target=f"{machine}-linux-gnu.2.17")
        return library

    return build


@pytest.fixture
def installed(tmp_path: Path, compiled: Callable[[str], Path], stand_in: Callable[[str], Path]) -> Installed:
    """A layer of this test's own, to be damaged as it likes."""
    folder = tmp_path / "shielded-function"
    folder.mkdir()
    shutil.copy(compiled(MACHINE), folder / "shield")
    shutil.copy(stand_in(MACHINE), folder / "libshield.so")
    return Installed(folder)


@pytest.fixture
def static_program(tmp_path: Path, compiled: Callable[[str], Path]) -> Path:
    """A static program. The wrapper is one; this copy has an inode of its own, so it is not taken for itself."""
    return Path(shutil.copy(compiled(MACHINE), tmp_path / "static-program"))
