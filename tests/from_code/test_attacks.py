"""The engine's entry point against code that holds a pointer to it: nothing gets looser, and nothing crashes."""

from __future__ import annotations

import pytest

from emulated_lambda.sandbox import Sandbox
from engine.running import prepare_tmp
from from_code.conftest import events

TRIALS = [
    *("odd_arguments", "eight_threads", "changing_lines", "from_signal_handlers"),
    *("in_a_vfork_child", "in_forked_copies", "after_closing"),
]


@pytest.mark.parametrize("trial", TRIALS)
def test_nothing_gets_looser(box: Sandbox, trial: str) -> None:
    prepare_tmp(box)
    done = box.run_command(["/var/task/attack", "/opt/shielded-function/libshield.so", trial])
    assert (done.returncode, done.stdout) == (0, "ok\n"), f"{done.returncode} {done.stdout} {done.stderr[-3000:]}"
    assert "armed" in events(done)
