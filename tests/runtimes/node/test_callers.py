"""Which JavaScript an alert names."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.running import SHIELD, policy, prepare_tmp, whole_sandbox
from shielded_function_emulator.languages import node

NODE = "/var/lang/bin/node"
RUNTIMES = {each.name: each for each in node.RUNTIMES}


@pytest.mark.parametrize("name", RUNTIMES)
def test_javascript_is_not_named(layer: Path, tmp_path: Path, name: str) -> None:
    if reason := RUNTIMES[name].missing():
        pytest.skip(reason)
    with whole_sandbox(tmp_path, layer, runtime=RUNTIMES[name]) as box:
        prepare_tmp(box)
        code = "require('fs').readFileSync('/tmp/there'); require('child_process').spawnSync('/bin/true')"
        done = box.run_command(
            [SHIELD, NODE, "-e", code], environment=policy(read_write_tmp="alert", create_child_process="alert")
        )
    callers = [line["caller"] for line in done.shield_lines if "policy" in line]
    assert [list(caller) for caller in callers] == [["object"]] * 2, done.stderr
