"""What an attacker with fresh eyes got through once: it must not get through again."""

from __future__ import annotations

import errno
import json
import platform
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from emulated_lambda.dns_server import DnsServer
from emulated_lambda.sandbox import Completed, Sandbox
from engine.compiling import SOURCES, compile_c
from engine.conftest import INSIDE
from engine.running import PYTHON, SHIELD, policy, prepare_tmp

REFUSED = errno.EACCES
BLOCKED = policy(
    outbound_connectivity="block", read_write_tmp="block", read_handler="block", executable_memory="block"
)  # fmt: skip
pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the attempts use x86_64's call numbers")


@pytest.fixture(scope="module")
def box(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    task = tmp_path_factory.mktemp("task") / "code"
    shutil.copytree(INSIDE, task, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("inline", "early"):
        compile_c([SOURCES / f"{name}.c"], task / f"{name}.so", "-shared", "-fPIC", target="x86_64-linux-gnu")
    (task / "elsewhere").mkdir()
    shutil.copy(task / "early.so", task / "elsewhere" / "libm.so.6")  # a child that looked here would load it
    (task / "pkg").mkdir()
    (task / "pkg" / "__init__.py").write_text("handler = None\n")
    for path in [task, *task.rglob("*"), *task.parents[:3]]:
        path.chmod(0o755)
    with Sandbox(task=task, layers=layer) as sandbox:
        if not sandbox.isolation.whole:
            pytest.skip(f"needs a sandbox with a network and /tmp of its own: {sandbox.isolation.note}")
        yield sandbox


@pytest.fixture(scope="module")
def names(box: Sandbox) -> Iterator[DnsServer]:
    listener = box.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("203.0.113.9", 80))
    listener.listen(16)
    with DnsServer(box, {"allowed.example": ["203.0.113.9"]}) as server:
        yield server
    listener.close()


def run(box: Sandbox, evasion: str, settings: Mapping[str, str]) -> tuple[Any, Completed]:
    prepare_tmp(box)
    done = box.run_command([SHIELD, PYTHON, "/var/task/evasion.py", evasion], environment=settings)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-3000:]}"
    return json.loads(done.stdout.splitlines()[-1]), done


def alerts(done: Completed) -> list[str]:
    return [line["policy"] for line in done.shield_lines if "policy" in line]


def test_numbers_whose_high_bits_the_kernel_drops(box: Sandbox) -> None:
    result, done = run(box, "number_with_high_bits", BLOCKED)
    assert all(number < 0 for number in result)
    assert alerts(done) == ["self_protection"] * 3


def test_a_refused_open_never_has_a_descriptor_that_can_be_read(box: Sandbox) -> None:
    result, _ = run(box, "reading_between_open_and_refusal", BLOCKED)
    assert result == 0


def test_no_advice_brings_text_back(box: Sandbox) -> None:
    result, _ = run(box, "advice_that_brings_text_back", BLOCKED)
    assert set(result.values()) == {-REFUSED}


def test_nothing_is_laid_over_patched_text(box: Sandbox) -> None:
    result, _ = run(box, "text_from_the_file_again", BLOCKED)
    assert set(result.values()) == {-REFUSED}


def test_memory_that_can_be_written_does_not_run(box: Sandbox) -> None:
    result, done = run(box, "memory_that_runs", BLOCKED)
    assert set(result.values()) == {-REFUSED}
    assert set(alerts(done)) == {"executable_memory", "self_protection"}


def test_a_thread_with_descriptors_of_its_own(box: Sandbox) -> None:
    settings = BLOCKED | {"SHIELD_ALLOW_TMP": "/tmp/allowed/**"}
    result, _ = run(box, "descriptor_table_of_its_own", settings)
    assert result == [-REFUSED] * 3


def test_a_child_believes_the_gate_alone(box: Sandbox, names: DnsServer) -> None:
    result, _ = run(box, "children_that_are_told_otherwise", BLOCKED)
    assert result == [f"[{REFUSED}, {REFUSED}]\n"] * 5


def test_a_slash_at_the_end_follows(box: Sandbox) -> None:
    result, _ = run(box, "links_with_a_slash", BLOCKED)
    assert result == [REFUSED] * 2


def test_a_query_carries_its_question_and_nothing_else(box: Sandbox, names: DnsServer) -> None:
    arrived: list[bytes] = []
    answer = names.answer

    def keep(message: bytes, transport: str) -> bytes | None:
        arrived.append(message)
        return answer(message, transport)

    names.answer = keep
    try:
        run(box, "queries_that_carry_more", BLOCKED | {"SHIELD_ALLOW_OUTBOUND": "allowed.example"})
    finally:
        names.answer = answer
    assert arrived
    assert not [message for message in arrived if b"secret" in message or b"trailing" in message]
    assert {len(message) for message in arrived} <= {33, 44}, "one question, or one with a bare EDNS record"


def test_a_stream_on_a_number_that_a_look_up_had(box: Sandbox, names: DnsServer) -> None:
    result, _ = run(box, "a_descriptor_that_was_a_name_servers", BLOCKED | {"SHIELD_ALLOW_OUTBOUND": "allowed.example"})
    assert result == 20000


def test_many_threads_do_not_wait_for_each_other(box: Sandbox) -> None:
    prepare_tmp(box)
    tmp = box.path("/tmp")
    (tmp / "allowed").mkdir()
    shutil.chown(tmp / "allowed", tmp.stat().st_uid, tmp.stat().st_gid)
    settings = BLOCKED | {"SHIELD_ALLOW_TMP": "/tmp/allowed/**"}
    done = box.run_command([SHIELD, PYTHON, "/var/task/evasion.py", "many_threads"], environment=settings)
    assert json.loads(done.stdout) == {"None": 4000}, done.stderr[-2000:]
    assert alerts(done) == []


def test_a_package_as_handler(box: Sandbox) -> None:
    result, _ = run(box, "a_package_for_a_handler", BLOCKED | {"_HANDLER": "pkg.handler"})
    assert result == REFUSED


def test_many_threads_become_ready_at_once(box: Sandbox) -> None:
    for _ in range(5):
        assert run(box, "ready_in_many_threads", BLOCKED | {"_HANDLER": "app.handler"})[0] == 16
