"""OSS-Fuzz's build, with this machine's clang: each target is built, and runs for a second from its seeds."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from lab.fuzz.building import CHECKOUT, INSTALL_HINT, targets_here

FLAGS = "-O1 -fno-omit-frame-pointer -gline-tables-only -fsanitize=address -fsanitize=fuzzer-no-link"


@pytest.mark.long
@pytest.mark.promise("policy.parsers")
def test_every_target_is_built_and_runs(tmp_path: Path) -> None:
    clang = shutil.which("clang++") or pytest.skip(INSTALL_HINT)
    engine = subprocess.run([clang, "-print-file-name=libclang_rt.fuzzer-x86_64.a"], capture_output=True, text=True)
    if not Path(engine.stdout.strip()).is_file():
        pytest.skip(INSTALL_HINT)
    source, out = tmp_path / "src", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    (source / "shielded-function").symlink_to(CHECKOUT)
    given = {"SRC": str(source), "OUT": str(out), "CC": "clang", "CXX": "clang++", "CFLAGS": FLAGS, "CXXFLAGS": FLAGS}
    subprocess.run(
        [str(Path(__file__).parent / "build.sh")],
        env=os.environ | given | {"LIB_FUZZING_ENGINE": "-fsanitize=fuzzer"},
        check=True,
    )
    for target in targets_here():
        seeds = tmp_path / target.name
        seeds.mkdir()
        zipfile.ZipFile(out / f"{target.name}_seed_corpus.zip").extractall(seeds)
        dictionary = [f"-dict={path}" for path in out.glob(f"{target.name}.dict")]
        command = [str(out / target.name), "-max_total_time=1", f"-artifact_prefix={tmp_path}/", *dictionary]
        done = subprocess.run([*command, str(seeds)], capture_output=True, text=True, errors="replace")
        assert done.returncode == 0, f"{target.name}\n{done.stderr[-2000:]}"
        assert "Done" in done.stderr
    assert {path.stem for path in out.glob("*.options")} == {target.name for target in targets_here()}
