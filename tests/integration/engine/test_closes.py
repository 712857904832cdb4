"""A close may take long. Whoever works with other descriptors meanwhile, or with the next one by that number, does not
wait for it; and what a close tells, it tells.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engine import INSIDE
from harness.recorder import Recorder
from harness.running import PYTHON, SHIELD, policy, whole_sandbox
from integration.engine.late_files import late_files
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import Sandbox

SERVER, BY_NAME = "203.0.113.9", "allowed.example"
LATE_SECONDS = 5  # more than anybody waits for a number
POLICY = policy(outbound_connectivity="block") | {"SHIELD_ALLOW_OUTBOUND": BY_NAME, "SHIELD_ALLOW_AWS": "none"}


@pytest.fixture
def late(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "late"
    folder.mkdir()
    try:
        with late_files(folder, LATE_SECONDS, errno.EDQUOT):
            yield folder
    except OSError as e:
        pytest.skip(f"no FUSE here: {e}")


@pytest.fixture
def task(tmp_path: Path) -> Path:
    task = tmp_path / "task"
    task.mkdir()
    for name in ("closes.py", "questions.py", "hellos.py"):
        (task / name).write_bytes((INSIDE / name).read_bytes())
    return task


def run(box: Sandbox, name: str, *, shield: tuple[str, ...] = (SHIELD,)) -> int:
    servers = [Recorder(box, SERVER, port) for port in (80, 443)]
    with DnsServer(box, {BY_NAME: [SERVER]}):
        done = box.run_command([*shield, PYTHON, "/var/task/closes.py", name], environment=POLICY)
    for server in servers:
        server.close()
    assert done.returncode == 0, done.stderr[-2000:]
    assert not [line for line in done.shield_lines if "policy" in line]
    return int(done.stdout)


@pytest.mark.parametrize("name", ["a_connection_lingers", "a_connection_is_replaced"])
def test_nobody_waits_for_a_connection(layer: Path, task: Path, name: str) -> None:
    with whole_sandbox(task, layer) as box:
        run(box, name)


@pytest.mark.parametrize("shield", [(), (SHIELD,)], ids=["without", "with"])
def test_nobody_waits_for_a_file(layer: Path, task: Path, late: Path, shield: tuple[str, ...]) -> None:
    with whole_sandbox(task, layer, mounts={"/mnt/late": late}) as box:
        assert run(box, "a_file_is_written_late", shield=shield) == errno.EDQUOT


def test_nobody_waits_for_a_file_that_is_replaced(layer: Path, task: Path, late: Path) -> None:
    with whole_sandbox(task, layer, mounts={"/mnt/late": late}) as box:
        run(box, "a_file_is_replaced")
