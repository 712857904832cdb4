"""The engine's entry point against code that holds a pointer to it: nothing gets looser, and nothing crashes."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

from harness.compiling import compile_c
from harness.running import PYTHON, SHIELD, policy, prepare_tmp
from integration.from_code.conftest import events
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_runtime.build.native import NATIVE

TRIALS = [
    *("odd_arguments", "eight_threads", "changing_lines", "from_signal_handlers"),
    *("in_a_vfork_child", "in_forked_copies", "after_closing", "under_a_limit"),
]


@pytest.mark.parametrize("trial", TRIALS)
def test_nothing_gets_looser(box: Sandbox, trial: str) -> None:
    prepare_tmp(box)
    done = box.run_command(["/var/task/attack", "/opt/shielded-function/libshield.so", trial])
    assert (done.returncode, done.stdout) == (0, "ok\n"), f"{done.returncode} {done.stdout} {done.stderr[-3000:]}"
    assert "armed" in events(done)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="on aarch64 a jump always has room")
def test_threads_that_all_are_refused(box: Sandbox) -> None:
    prepare_tmp(box)
    done = box.run_command(["/var/task/attack", "/opt/shielded-function/libshield.so", "while_none_can_be_armed"])
    assert (done.returncode, done.stdout) == (0, "ok\n"), f"{done.returncode} {done.stdout} {done.stderr[-3000:]}"
    assert set(events(done)) == {"refused"}


SIZES = """
#include <stddef.h>
#include <stdio.h>
#include "state/sealed_state.h"
struct request { struct policy wanted; char lines[1 << 16]; }; /* configure.c */
int main(void)
{
    size_t modes = offsetof(struct sealed, policy) + offsetof(struct policy, modes);
    printf("%zu %zu %zu\\n", modes, sizeof(struct request), sizeof(struct sealed));
}
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the sizes are looked up on x86_64")
@pytest.mark.parametrize(("way", "runs"), [("write", 1), ("protect", 8), ("pin", 2)])
def test_another_threads_change_to_a_copy_has_no_force(box: Sandbox, tmp_path: Path, way: str, runs: int) -> None:
    """The copy that is to replace what is sealed lies where every thread can write to it, until it is looked at; what a
    device was told before to read into it may arrive later."""
    source = tmp_path / "sizes.c"
    source.write_text(SIZES)
    sizes = compile_c([source], tmp_path / "sizes", f"-I{NATIVE / 'engine'}", target="x86_64-linux-gnu.2.28")
    found = subprocess.check_output([sizes], text=True).split()
    prepare_tmp(box)
    settings = policy(read_write_tmp="block") | {"SHIELD_ALLOW_TMP": ",".join(f"/tmp/x{i}" for i in range(100))}
    for _ in range(runs):
        done = box.run_command([SHIELD, PYTHON, "/var/task/race.py", way, *found], environment=settings)
        assert done.returncode == 0, done.stderr[-3000:]
        verdict, near = done.stdout.split()
        assert (verdict, int(near) > 0) == ("held", True), done.stderr[-3000:]


def test_a_preloaded_library_without_a_policy_stops_a_program(box: Sandbox) -> None:
    """Only who loads it later, having no setting of ours, may say what it wants afterwards."""
    done = box.run_command(["/bin/true"], environment={"LD_PRELOAD": "/opt/shielded-function/libshield.so"})
    assert done.returncode == 78, done.stderr
    assert events(done) == ["refused"]
    assert "there is no policy" in done.shield_lines[0]["reason"]
