"""The wheel: the same bytes wherever it is built, the right files in it, and installable without a compiler."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.checkout import committed
from shielded_function_runtime.build import native

# All in one worker: each of the wheels is built once.

SOURCE_ROOTS = {
    "shielded_function": "constructs",
    "shielded_function_monitoring": "monitoring",
    "shielded_function_emulator": "runtime_layer",
    "shielded_function_runtime": "runtime_layer",
}
METADATA = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}

DECIDE = """
import json, sys
from shielded_function.policy import ShieldPolicy
policy = ShieldPolicy(allow_outbound=["api.example.com:443"])
json.dump([policy.decide("connect", host).action for host in sys.argv[1:]], sys.stdout)
"""


@pytest.fixture(scope="module")
def entries(wheel: Path) -> dict[str, zipfile.ZipInfo]:
    return {entry.filename: entry for entry in zipfile.ZipFile(wheel).infolist()}


@pytest.mark.long  # compiles everything again
def test_two_builds_give_the_same_bytes(wheel: Path, wheel_from_sdist: Path) -> None:
    assert wheel.read_bytes() == wheel_from_sdist.read_bytes()


@pytest.mark.long  # compiles everything again
def test_build_under_another_umask_gives_the_same_bytes(
    wheel: Path, sdist: Path, checkout: Path, tmp_path: Path
) -> None:
    """As another user checks it out: modes follow from the umask, and nothing is compiled yet."""
    place = tmp_path / "another name" / "of the folder"
    built = rebuild(checkout, place, umask=0o077)
    assert (place / "README.md").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in built] == sorted([wheel.name, sdist.name])
    assert {file.read_bytes() for file in built} == {wheel.read_bytes(), sdist.read_bytes()}


def rebuild(checkout: Path, place: Path, umask: int) -> list[Path]:
    """Copies what git has, and builds the wheel and the sdist there, as README.md says.

    zig's own libraries come from the checkout's cache.
    """
    place.mkdir(parents=True)
    pack = ["tar", "--create", "--null", "--files-from=-"]
    names = "\0".join(committed()).encode()
    packed = subprocess.run(pack, cwd=checkout, input=names, capture_output=True, check=True)
    unpack = ["tar", "--extract", "--no-same-permissions", "--no-same-owner"]
    subprocess.run(unpack, cwd=place, input=packed.stdout, check=True, umask=umask)
    (build,) = re.findall(r"^(make wheel)$", (place / "README.md").read_text(), re.MULTILINE)
    build = [*build.split(), f"PYTHON={sys.executable}"]
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(checkout / ".zig-cache")}
    subprocess.run(build, cwd=place, env=environment, stdin=subprocess.DEVNULL, check=True, umask=umask)
    assert not (place / ".venv").exists(), "the development set"
    return sorted((place / "dist").iterdir())


@pytest.mark.long
def test_sdist_holds_the_native_sources(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    native_files = {f for f in native.NATIVE.rglob("*") if f.suffix in {".c", ".h", ".S"}}
    assert native_files
    assert names >= {f.relative_to(native.NATIVE.parents[1]).as_posix() for f in native_files}
    assert not [name for name in names if "/binaries/" in name]


def test_content(checkout: Path, wheel: Path, entries: dict[str, zipfile.ZipInfo]) -> None:
    """A wheel for every platform."""
    assert wheel.name == "shielded_function-0.1.0-py3-none-any.whl"
    expected = {f"shielded_function-0.1.0.dist-info/{name}" for name in METADATA}
    expected |= {f"shielded_function_runtime/binaries/{path}" for path in native.PATHS}
    for package, root in SOURCE_ROOTS.items():
        folder = checkout / root / package
        files = [f.relative_to(folder) for f in folder.rglob("*") if f.is_file()]
        expected |= {
            f"{package}/{file.as_posix()}"
            for file in files
            if file.suffix != ".pyc" and (package, file.parts[0]) != ("shielded_function_runtime", "build")
            if file.parts[0] != "binaries"
        }
    assert set(entries) == expected
    assert {f"{package}/py.typed" for package in SOURCE_ROOTS} <= expected


def test_modes_are_readable_by_the_function_user(entries: dict[str, zipfile.ZipInfo]) -> None:
    programs = {f"shielded_function_runtime/binaries/{p.path}": p.mode for p in native.PROGRAMS}
    programs["shielded_function_emulator/bootstrap.sh"] = 0o755
    for name, entry in entries.items():
        assert stat.S_IMODE(entry.external_attr >> 16) == programs.get(name, 0o644), name


@pytest.mark.long  # fetches what users install
def test_installs_and_decides_without_a_compiler(wheel_from_sdist: Path, run_bare: Callable[..., str]) -> None:
    run_bare("-m", "pip", "install", "--quiet", "--no-compile", str(wheel_from_sdist))
    decided = json.loads(run_bare("-c", DECIDE, "api.example.com:443", "evil.example:443"))
    assert decided == ["allow", "deny"]
