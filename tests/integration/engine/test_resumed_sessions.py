"""What follows a ClientHello: a session that is resumed goes on with bytes that may look like anything, and where the
server asks for a second hello, its name counts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engine import INSIDE
from harness.recorder import Recorder
from harness.running import PYTHON, SHIELD, policy, whole_sandbox
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.machine import is_emulated
from shielded_function_emulator.sandbox import Completed, Sandbox

SERVER = "203.0.113.9"
ANSWERS, RETRIES = 7443, 7444  # inside/resumed.py
SETTINGS = policy(outbound_connectivity="block") | {
    "SHIELD_ALLOW_OUTBOUND": "allowed.example",
    "SHIELD_ALLOW_AWS": "none",
}
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
CHANGE = b"\x14\x03\x03\x00\x01\x01"
# Of the client's own choice: an answer, to who begins to look there.
SESSION = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(21)


def _record(payload: bytes) -> bytes:
    return b"\x16\x03\x03" + struct.pack("!H", len(payload)) + payload


def _server_hello(random: bytes) -> bytes:
    body = b"\x03\x03" + random + bytes([len(SESSION)]) + SESSION + b"\x13\x01\x00\x00\x06\x00\x2b\x00\x02\x03\x04"
    return _record(b"\x02" + struct.pack("!I", len(body))[1:] + body)


REPLIES = {
    443: b"",
    ANSWERS: _server_hello(bytes(range(32))) + CHANGE + _record(bytes(40)),
    RETRIES: _server_hello(RETRY) + CHANGE,
}


@pytest.fixture(scope="module")
def box(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    task = tmp_path_factory.mktemp("task")
    for name in ("hellos.py", "resumed.py"):
        (task / name).write_bytes((INSIDE / name).read_bytes())
    with whole_sandbox(task, layer) as sandbox, DnsServer(sandbox, {"allowed.example": [SERVER]}):
        if is_emulated():
            pytest.skip("qemu-user tells nothing of a connection")
        yield sandbox


@pytest.fixture
def servers(box: Sandbox) -> Iterator[dict[int, Recorder]]:
    recorders = {port: Recorder(box, SERVER, port, reply=reply) for port, reply in REPLIES.items()}
    yield recorders
    for recorder in recorders.values():
        recorder.close()


def _run(box: Sandbox, what: str, *before: str, settings: dict[str, str] = SETTINGS) -> Completed:
    done = box.run_command([SHIELD, PYTHON, *before, "/var/task/resumed.py", what], environment=settings)
    assert done.returncode == 0, done.stderr
    return done


def _alerts(done: Completed) -> list[dict[str, object]]:
    return [line for line in done.shield_lines if "policy" in line]


THREADS = (
    "-c",
    "import threading, runpy, sys; t = threading.Thread(target=int); t.start(); t.join(); "
    "del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')",
)


@pytest.mark.parametrize("before", [(), THREADS], ids=["alone", "threads"])
def test_no_resumed_session_is_taken_for_a_second_hello(
    box: Sandbox, servers: dict[int, Recorder], before: tuple[str, ...]
) -> None:
    done = _run(box, "sessions_that_are_resumed", *before)
    assert (done.stdout, _alerts(done)) == ("0\n", []), done.stderr


@pytest.mark.parametrize("before", [(), THREADS], ids=["alone", "threads"])
def test_the_name_of_a_second_hello_counts(box: Sandbox, servers: dict[int, Recorder], before: tuple[str, ...]) -> None:
    """Where the server asks for a second hello its name counts."""
    done = _run(box, "second_hellos", *before)
    assert int(done.stdout) > 100
    assert servers[RETRIES].hears(b"allowed.example")
    assert b"evil.example" not in servers[RETRIES].received


def test_the_second_hellos_are_real(box: Sandbox, servers: dict[int, Recorder]) -> None:
    done = _run(box, "second_hellos", settings=SETTINGS | {"SHIELD_CHECK_SERVER_NAME": "off"})
    assert int(done.stdout) in (0, 29)  # where SO_PEEK_OFF is not for TCP
    assert servers[RETRIES].hears(b"evil.example")


def test_reading_goes_on_as_it_would(box: Sandbox, servers: dict[int, Recorder]) -> None:
    done = _run(box, "in_blocking_and_other_reads")
    assert (done.stdout, _alerts(done)) == ("0\n", [])
