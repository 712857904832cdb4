"""The engine's folders, from the ground up: each includes only from those before it, and declares what is in it."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from shielded_function_runtime.build.native import ENGINE_ROOMS, NATIVE

ENGINE = NATIVE / "engine"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# Arrows that still point up. One that is gone has to leave this list too.
UPWARD = {
    ("base/user_memory.c", "state/process_state.h"),
    ("fds/fd_dup.c", "network/network.h"),
    ("sites/loaded_objects.c", "boot/environment_policy.h"),
    ("sites/loaded_objects.c", "memory/mmap_exec.h"),
    ("state/process_state.c", "report/left_out.h"),
    ("state/readiness.c", "report/alerts.h"),
    ("state/readiness.c", "report/left_out.h"),
    ("state/sealed_pages.c", "report/alerts.h"),
}


def files() -> list[Path]:
    return sorted(path for path in ENGINE.rglob("*") if path.suffix in (".c", ".h", ".S"))


def room(path: Path) -> int:
    return ENGINE_ROOMS.index(path.relative_to(ENGINE).parts[0])


def included(path: Path) -> list[Path]:
    """What a file includes of this project's own."""
    return [(path.parent / name).resolve() for name in INCLUDE.findall(path.read_text(encoding="utf-8"))]


def test_every_file_is_in_a_room() -> None:
    assert {path.relative_to(ENGINE).parts[0] for path in files()} == set(ENGINE_ROOMS)


def test_each_room_includes_only_from_those_below_it() -> None:
    upward = {
        (path.relative_to(ENGINE).as_posix(), other.relative_to(ENGINE).as_posix())
        for path in files()
        for other in included(path)
        if ENGINE in other.parents and room(other) > room(path)
    }
    assert upward == UPWARD


def test_nothing_includes_the_engine_but_itself() -> None:
    outside = [path for path in NATIVE.rglob("*.[ch]") if ENGINE not in path.parents]
    assert len(outside) > 50
    assert [path for path in outside for other in included(path) if ENGINE in other.parents] == []


@pytest.mark.parametrize("folder", ["core", "wrapper"])
def test_no_units_of_a_part_include_each_other_in_a_circle(folder: str) -> None:
    """A unit is a `.c` and its header. The engine has its rooms."""
    uses: dict[str, set[str]] = {}
    for path in (NATIVE / folder).glob("*.[ch]"):
        others = {other.stem for other in included(path) if other.parent == NATIVE / folder}
        uses.setdefault(path.stem, set()).update(others - {path.stem})
    assert len(uses) > 10
    try:
        list(TopologicalSorter(uses).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {error.args[1]}")


def test_headers_include_each_other_in_no_circle() -> None:
    found: set[Path] = set()

    def follow(path: Path, above: tuple[Path, ...]) -> None:
        assert path not in above, [each.name for each in (*above, path)]
        if path not in found:
            for other in included(path):
                follow(other, (*above, path))
            found.add(path)

    for header in files():
        follow(header, ())
    assert len(found) > 100
