"""Every seed through its target once: what fuzzing found stays mended, without Debian's clang.

The programs are zig's, which brings no AddressSanitizer: undefined behaviour traps, an input ends at the end of a page
before one that may not be touched, and the targets' own checks hold.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.fuzz import elf_seeds
from lab.fuzz.building import SEEDS, TARGETS, Target, build_replays, targets_here

LARGEST = 300 << 10  # of all committed seeds together


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All targets."""
    return build_replays(targets_here(), tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize("target", targets_here(), ids=lambda t: t.name)
def test_every_seed_passes(programs: dict[str, Path], target: Target, tmp_path: Path) -> None:
    seeds = sorted((SEEDS / target.name).glob("*"))
    if elf_seeds.needed_by(target.name):
        seeds += elf_seeds.make(target.name, tmp_path / "elf")
    assert seeds
    done = subprocess.run(
        [str(programs[target.name])], input="\n".join(map(str, seeds)), capture_output=True, text=True, check=False
    )
    named = done.stdout.splitlines()
    assert done.returncode == 0, f"{named[-1] if named else target.name}\n{done.stderr}"
    assert named == list(map(str, seeds))


def test_seeds_are_few_and_each_belongs_to_a_target() -> None:
    seeds = [path for path in SEEDS.rglob("*") if path.is_file()]
    assert {path.parent.name for path in seeds} <= {t.name for t in TARGETS}
    assert sum(path.stat().st_size for path in seeds) < LARGEST
