"""A program keeps the record locks that it has on its files, whatever is done with them."""

from __future__ import annotations

import pytest

from harness.running import PYTHON, SHIELD, policy, prepare_tmp
from shielded_function_emulator.sandbox import Sandbox

BLOCKED = policy(outbound_connectivity="block") | {"SHIELD_ALLOW_OUTBOUND": "", "SHIELD_ALLOW_AWS": "none"}


@pytest.mark.parametrize("company", ["alone", "threads"])
@pytest.mark.parametrize("way", ["written_under_a_sockets_number", "handed_over", "in_a_refused_message", "a_database"])
def test_nobody_else_gets_the_lock(sandbox: Sandbox, way: str, company: str) -> None:
    prepare_tmp(sandbox)
    done = sandbox.run_command([SHIELD, PYTHON, "/var/task/record_locks.py", way, company], environment=BLOCKED)
    assert (done.returncode, done.stdout) == (0, "False False\n"), done.stderr
