"""The shield sends nothing, and a crash inside of it ends the process as any other crash does."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from harness.running import PYTHON, SHIELD, alerts, policy, prepare_tmp
from integration.emulator.conftest import PACKAGE
from shielded_function_emulator.cloud_assembly import InlineCode
from shielded_function_emulator.emulated_function import EmulatedFunction
from shielded_function_emulator.sandbox import RESOLVER, Sandbox, shield_lines

BLOCK = policy(
    outbound_connectivity="block", read_write_tmp="block", create_child_process="block", read_handler="block"
) | {"SHIELD_CLEAR_TMP": "on", "_HANDLER": "app.handler"}
ATTEMPTS = """
import socket, subprocess, sys
from ways import ask_for_work, refusal

def udp(how, *arguments):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        getattr(s, how)(*arguments)

QUERY = b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\4evil\\7example\\0\\0\\1\\0\\1"
attempts = {
    "connect": lambda: socket.create_connection(("203.0.113.9", 80)),
    "datagram": lambda: udp("sendto", b"x", ("203.0.113.9", 80)),
    "query": lambda: udp("sendto", QUERY, ("169.254.78.1", 53)),
    "message": lambda: udp("sendmsg", [b"x"], [], 0, ("203.0.113.9", 80)),
}
for name in sys.argv[1:] or attempts:
    refusal(attempts[name])
if not sys.argv[1:]:
    ask_for_work()
    for path in ("/tmp/there", "/var/task/app.py"):
        assert refusal(lambda: open(path)) == 13
    assert refusal(lambda: subprocess.run(["/bin/true"])) == 13
"""
CRASH = """
import ctypes

def handler(event, context):
    if event:  # calls the zeros behind the engine's code, which are no instruction that works
        line = next(line for line in open("/proc/self/maps") if "r-xp" in line and "libshield" in line)
        low, high = (int(part, 16) for part in line.split()[0].split("-"))
        ctypes.CFUNCTYPE(None)(high - 16)()
    return "well"
"""


def packets(box: Sandbox, *attempts: str, shield: bool) -> tuple[int, list[str]]:
    """The packets that leave the sandbox's only interface, its loopback, while the attempts are made; the alerts."""

    def sent() -> int:
        counters = box.run_command(["/bin/cat", "/proc/net/dev"]).stdout.partition("lo:")[2].split()
        return int(counters[9])  # net/core/net-procfs.c: packets of the second half, which is what was sent

    prepare_tmp(box)
    before = sent()
    command = [*([SHIELD] if shield else []), PYTHON, "-c", ATTEMPTS, *attempts]
    done = box.run_command(command, environment=BLOCK)
    assert done.returncode == 0, done.stderr
    return sent() - before, [line["policy"] for line in alerts(done)]


@pytest.mark.promise("shield.sends-nothing")
def test_the_shield_sends_no_packet_but_a_stand_in(box: Sandbox) -> None:
    """From its start to the end of a program that violates each control, an event included. In the place of the denied
    query, the function's name server gets one for a name that does not exist."""
    controls = ["outbound_connectivity"] * 4 + ["read_write_tmp", "read_handler", "create_child_process"]
    with box.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((RESOLVER, 53))
        server.settimeout(10)
        assert packets(box, shield=True) == (1, controls)
        query = server.recv(512)
    assert b"invalid" in query
    assert b"evil" not in query
    for attempt in ("connect", "datagram", "query", "message"):
        sent, _ = packets(box, attempt, shield=False)
        assert sent > 0, "unshielded, the counter sees it"


@pytest.mark.promise("shield.crash")
def test_a_crash_in_the_engine_ends_the_process(layer: Path) -> None:
    settings = {**BLOCK, "AWS_LAMBDA_EXEC_WRAPPER": SHIELD}
    package = replace(PACKAGE, code=InlineCode("app.py", CRASH), layers=(layer,), environment=settings)
    with EmulatedFunction(package) as function:
        before, crashed, after = (function.invoke(event) for event in ({}, {"crash": True}, {}))
    assert (before.payload, after.payload) == ("well", "well")
    assert crashed.payload["errorType"] == "Runtime.ExitError"
    events = [
        [line["event"] for line in shield_lines([line.message for line in run.log])] for run in (before, crashed, after)
    ]
    assert [each[:1] for each in events] == [["armed"], [], ["armed"]]
