"""`configure` switches it on, in the function's own code."""

from __future__ import annotations

import pytest

from harness.running import policy
from integration.clear_tmp.function import LOOK, started

CONFIGURE = """
import sys
sys.path.insert(0, "/opt/python")
import shielded_function_runtime as shield
modes = ["outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler", "executable_memory"]
try:
    shield.configure({"policy": dict.fromkeys(modes, "allow") | {"clear_tmp": SWITCH}})
    result = "in force"
except Exception as error:
    result = str(error)
"""
ON, OFF = CONFIGURE.replace("SWITCH", "True"), CONFIGURE.replace("SWITCH", "False")
MAKE = """
import os, subprocess
open("/tmp/user", "w").close()
subprocess.run(["/bin/sh", "-c", "echo user > /tmp/by-a-program"], check=True)
subprocess.run(["/bin/sh", "-c", "echo user > /tmp/by-another"], check=True, env={})
"""


@pytest.mark.promise("tmp.clear-refused")
def test_in_the_midst_of_an_invocation() -> None:
    """What it makes from then on goes; what was made before is not known."""
    with started(policy()) as function:
        assert function.run("open('/tmp/before', 'w').close()\n" + ON + MAKE) == "in force"
        found = function.run(LOOK)
        assert "/tmp/before" in found
        assert {"/tmp/user", "/tmp/by-a-program", "/tmp/by-another"}.isdisjoint(found)
        assert function.left(MAKE) == set()
        assert function.run(ON) == "in force"
        expected = 'clear_tmp: "off" is looser than on, which is in force; a later call may only tighten'
        assert function.run(OFF) == expected
        assert function.left(MAKE) == set()


@pytest.mark.promise("tmp.clear-refused")
def test_where_several_invocations_run_at_once() -> None:
    concurrent = {"AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances", "AWS_LAMBDA_MAX_CONCURRENCY": "1"}
    with started({**policy(), **concurrent}) as function:
        assert function.run(ON).startswith("clear_tmp: this function runs several invocations at once")
        assert function.left("open('/tmp/stays', 'w').close()") == {"/tmp/stays"}
