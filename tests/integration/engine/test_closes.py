"""A close may take long. Who works with other descriptors meanwhile, or with the next one by that number, does not wait
for it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.engine import INSIDE
from harness.recorder import Recorder
from harness.running import PYTHON, SHIELD, alerts, policy, whole_sandbox
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import Sandbox

SERVER, BY_NAME = "203.0.113.9", "allowed.example"
POLICY = policy(outbound_connectivity="block") | {"SHIELD_ALLOW_OUTBOUND": BY_NAME, "SHIELD_ALLOW_AWS": "none"}


@pytest.fixture
def task(tmp_path: Path) -> Path:
    task = tmp_path / "task"
    task.mkdir()
    for name in ("closes.py", "questions.py", "hellos.py"):
        (task / name).write_bytes((INSIDE / name).read_bytes())
    return task


def run(box: Sandbox, name: str) -> None:
    servers = [Recorder(box, SERVER, port) for port in (80, 443)]
    with DnsServer(box, {BY_NAME: [SERVER]}):
        done = box.run_command([SHIELD, PYTHON, "/var/task/closes.py", name], environment=POLICY)
    for server in servers:
        server.close()
    assert done.returncode == 0, done.stderr[-2000:]
    assert not alerts(done)


@pytest.mark.parametrize("name", ["a_connection_lingers", "a_connection_is_replaced"])
def test_nobody_waits_for_a_connection(layer: Path, task: Path, name: str) -> None:
    with whole_sandbox(task, layer) as box:
        run(box, name)
