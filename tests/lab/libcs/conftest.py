"""The libraries, unpacked, and programs that run on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.compiling import compile_c
from lab.libcs.fetch import Unavailable, Unpackable, root_of
from lab.libcs.releases import Libc
from lab.libcs.site_lists import compile_list_sites

PROMISE = "memory.sites"

SOURCES = Path(__file__).parent / "c"
# The programs do not look at what every call returns: a later line tells.
_QUIET = "-Wno-unused-result"


@pytest.fixture(scope="session")
def root() -> Callable[[Unpackable], Path]:
    """The root of a library, which skips the test, with the reason, when it cannot be had."""

    def find(libc: Unpackable) -> Path:
        try:
            return root_of(libc)
        except Unavailable as error:
            pytest.skip(f"{libc.id} is not available: {error}")

    return find


@pytest.fixture(scope="session")
def list_sites(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The tool that prints what discovery for an architecture finds in a file."""
    folder = tmp_path_factory.mktemp("list_sites")

    def build(architecture: str) -> Path:
        tool = folder / architecture
        return tool if tool.exists() else compile_list_sites(architecture, tool)

    return build


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, Libc], Path]:
    """A C file as a dynamic program for a library's kind; all of a kind share it."""
    folder = tmp_path_factory.mktemp("programs")
    folder.chmod(0o755)

    def build(source: Path, libc: Libc) -> Path:
        place = folder / libc.target
        place.mkdir(exist_ok=True)
        program = place / source.stem
        return program if program.exists() else compile_c([source], program, _QUIET, "-dynamic", target=libc.target)

    return build
