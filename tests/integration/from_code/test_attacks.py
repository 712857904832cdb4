"""The engine's entry point against code that holds a pointer to it: nothing gets looser, and nothing crashes."""

from __future__ import annotations

import pytest

from harness.running import prepare_tmp
from integration.from_code.conftest import events
from shielded_function_emulator.sandbox import Sandbox

TRIALS = ["odd_arguments", "eight_threads", "in_a_vfork_child", "in_forked_copies", "after_closing"]


@pytest.mark.parametrize("trial", TRIALS)
def test_nothing_gets_looser(box: Sandbox, trial: str) -> None:
    prepare_tmp(box)
    done = box.run_command(["/var/task/attack", "/opt/shielded-function/libshield.so", trial])
    assert (done.returncode, done.stdout) == (0, "ok\n"), f"{done.returncode} {done.stdout} {done.stderr[-3000:]}"
    assert "armed" in events(done)


def test_a_preloaded_library_without_a_policy_stops_a_program(box: Sandbox) -> None:
    """Only who loads it later, having no setting of ours, may say what it wants afterwards."""
    done = box.run_command(["/bin/true"], environment={"LD_PRELOAD": "/opt/shielded-function/libshield.so"})
    assert done.returncode == 78, done.stderr
    assert events(done) == ["refused"]
    assert "there is no policy" in done.shield_lines[0]["reason"]
