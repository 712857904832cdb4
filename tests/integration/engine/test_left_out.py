"""No violation is lost to the metric: what no line told because the log was full is told as soon as it takes one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.running import PYTHON, SHIELD, alerts, policy, prepare_tmp
from harness.thinning import long_but
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_monitoring.filters import SEVERITIES, level_of, severity_of, violations
from shielded_function_monitoring.pattern import all_of, exists, is_true
from shielded_function_monitoring.schema import json_schema

pytestmark = pytest.mark.promise("alert.left-out")

COUNTED = all_of(is_true("$.function_shield"), exists("$.policy"))
SCHEMA = Draft202012Validator(json_schema())
TIMES, OUTBOUND = 20, "outbound_connectivity"
THREADS, EACH = 4, 500
SECONDS = 20.0
NAMES = ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_REGION", "SHIELD_ACCOUNT_ID")
ORIGIN = dict(zip(NAMES, ("checkout", "7", "eu-west-1", "123456789012"), strict=True))


@dataclass(frozen=True)
class Told:
    """The shield's lines that a metric filter counts, after the log was full."""

    lines: list[dict[str, Any]]
    seconds: float

    def total(self, policy: str = "read_write_tmp") -> int:
        """The metric's value."""
        return sum(line["count"] for line in self.lines if line["policy"] == policy)


def take(process: subprocess.Popen[bytes], text: bytearray) -> None:
    """What is in the log by now."""
    assert process.stderr
    with contextlib.suppress(BlockingIOError):
        while part := os.read(process.stderr.fileno(), 1 << 16):
            text += part


def tell(box: Sandbox, what: str, settings: Mapping[str, str], kind: str = "send", *, reads: bool = True) -> Told:
    """Runs leaving_out.py; drains the log once it was full, if somebody `reads`."""
    prepare_tmp(box)
    command = [SHIELD, PYTHON, "/var/task/leaving_out.py", what, kind]
    process = box.start(command, environment={**settings, **ORIGIN}, stdin=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    os.set_blocking(process.stderr.fileno(), False)
    text, began = bytearray(), time.monotonic()
    assert process.stdout.readline() == b"full\n", process.stderr.read()
    full = time.monotonic()
    if reads:
        take(process, text)
        before = len(text)
        assert b'"policy":"read_write_tmp"' not in text, "the log was not full"
        process.stdin.write(b"x")
        process.stdin.flush()
        assert before > 32768
    while process.poll() is None and time.monotonic() < began + SECONDS:
        if reads:
            take(process, text)
        time.sleep(0.005)
    seconds = time.monotonic() - full
    take(process, text)
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()
    lines = [line for line in text.decode().split("\n") if line.startswith("{")]
    for line in lines:
        SCHEMA.validate(json.loads(line))
    counted = [json.loads(line) for line in lines if COUNTED.matches(line)]
    for line in counted:
        assert [line[name] for name in ("function", "version", "region", "account")] == list(ORIGIN.values())
    return Told(counted, seconds)


MODES = ("block", "alert")
EVENTS = [("next_event", kind) for kind in ("send", "write", "writev", "sendmsg")]
ENDS = [(what, "send") for what in ("end", "end_at_once", "another_program", "end_of_a_thread", "any_call")]


WAYS = [*EVENTS, ("next_event_with_threads", "send"), *ENDS, ("fork", "send")]


@pytest.mark.parametrize(
    ("mode", "what", "kind"),
    long_but(
        [*(("block", *way) for way in WAYS), ("alert", "next_event", "send"), ("alert", "fork", "send")],
        [(mode, *way) for mode in MODES for way in WAYS],
    ),
)
def test_what_was_left_out_is_told(box: Sandbox, mode: str, what: str, kind: str) -> None:
    told = tell(box, what, policy(read_write_tmp=mode), kind)
    assert told.total() == TIMES, told
    assert {(line["event"], line["mode"]) for line in told.lines} == {("folded", mode)}


SEEN = [(what, kind) for what in ("next_event", "next_event_with_threads") for _, kind in EVENTS]


@pytest.mark.parametrize(("what", "kind"), long_but([SEEN[0], *SEEN[-3:]], SEEN))
def test_an_event_is_seen_where_the_network_is_judged(box: Sandbox, what: str, kind: str) -> None:
    told = tell(box, what, policy(read_write_tmp="block", outbound_connectivity="block"), kind)
    assert told.total() == TIMES, told


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("what", "outbound"), [("same_again", "allow"), ("another_line", "block")])
def test_they_follow_the_next_line(box: Sandbox, mode: str, what: str, outbound: str) -> None:
    told = tell(box, what, policy(read_write_tmp=mode, outbound_connectivity=outbound))
    lines = [(line["policy"], line["count"], line["mode"], line["details"].get("path")) for line in told.lines]
    # On a slow machine a second is over before the next violation, and they are told at a call before it.
    nexts = {"same_again": ("read_write_tmp", 1, mode, "/tmp/there"), "another_line": (OUTBOUND, 1, "block", None)}
    assert sorted(lines) == [nexts[what], ("read_write_tmp", TIMES, mode, "/tmp/there")]
    assert [line["count"] for line in told.lines if line.get("event") == "folded"] == [TIMES]


@pytest.mark.promise("alert.left-out", "alert.storm")
@pytest.mark.parametrize("mode", long_but({"block"}, MODES))
def test_threads_on_a_log_that_is_read_slowly(box: Sandbox, mode: str) -> None:
    """Most lines are not written: the sum is exact."""
    prepare_tmp(box)
    command = [SHIELD, PYTHON, "/var/task/leaving_out.py", "slowly", str(EACH)]
    process = box.start(command, environment=policy(read_write_tmp=mode))
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline() == b"full\n"
    text = b""
    while part := os.read(process.stderr.fileno(), 4096):
        text += part
        time.sleep(0.001)
    process.wait(SECONDS)
    process.stdout.close()
    process.stderr.close()
    lines = [json.loads(line) for line in text.decode().split("\n") if line.startswith("{")]
    counts = [line["count"] for line in lines if line.get("policy") == "read_write_tmp"]
    assert sum(counts) == THREADS * EACH
    assert len(counts) < THREADS * EACH


DECOYS = """
import os, socket, subprocess, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def attempt(call, *arguments):
    try:
        call(*arguments)
    except OSError:
        pass
time.sleep(1 - time.time() % 1)
began = int(time.time())
WHAT
attempt(s.connect, ("203.0.113.66", 4444))
attempt(open, "/tmp/made", "w")
attempt(os.posix_spawn, "/usr/bin/id", ["id"], {})
print(int(time.time()) == began)
"""
PATIENCE = 20


def after_decoys(box: Sandbox, code: str, modes: Mapping[str, str], *, alone: bool = False) -> list[dict[str, Any]]:
    """The alerts of decoys and of what matters, all within a second: on a busy machine that takes several attempts."""
    program = DECOYS.replace("WHAT", code)
    if alone:
        program = "\n".join(line for line in program.splitlines() if not line.startswith("attempt("))
    for _ in range(PATIENCE):
        prepare_tmp(box)
        done = box.run_command([SHIELD, PYTHON, "-c", program], environment=policy(**modes))
        if done.stdout.endswith("True\n"):
            return alerts(done)
    pytest.skip(f"this machine is too busy: {PATIENCE} times it took longer than a second")


# What comes first, how many lines it has, and what its last line says: the event, how many it counts, and the address.
BURSTS = {
    "of_one": ("for _ in range(250): attempt(s.connect, ('198.51.100.8', 53))", 1, "repeated", 249, "198.51.100.8"),
    "of_two": (
        "for n in range(500): attempt(s.connect, (f'198.51.100.{n % 2}', 53))", 2, "repeated", 498, "198.51.100.1",
    ),
    "of_many": ("for n in range(150): attempt(s.connect, (f'198.51.100.{n}', 53))", 150, None, 1, "198.51.100.149"),
    "of_many_again": (
        "for n in range(396): attempt(s.connect, (f'198.51.100.{n % 198}', 53))",
        198, "repeated", 198, "198.51.100.197",
    ),
}  # fmt: skip


@pytest.mark.promise("alert.storm")
@pytest.mark.parametrize("mode", long_but({"block"}, MODES))
@pytest.mark.parametrize("burst", BURSTS)
def test_decoys_hide_nothing(box: Sandbox, burst: str, mode: str) -> None:
    """The address, the file and the program that matter have lines of their own, and none is lost from the count."""
    code, lines, event, count, last = BURSTS[burst]
    modes: dict[str, str] = dict.fromkeys(("outbound_connectivity", "read_write_tmp", "create_child_process"), mode)
    counted = after_decoys(box, code, modes)
    decoys = [line for line in counted if line["details"].get("ip", "").startswith("198.51.100.")]
    told = [line for line in counted if line not in decoys]
    assert [line["details"].get("ip", line["details"].get("path")) for line in told] == [
        *("203.0.113.66", "/tmp/made", "/usr/bin/id")
    ]
    assert sum("event" not in line for line in decoys) == lines
    assert (decoys[-1].get("event"), decoys[-1]["count"], decoys[-1]["details"]["ip"]) == (event, count, last)
    assert sum(line["count"] for line in decoys) == lines + (count if event else 0)


def test_a_storm_of_targets_hides_others_of_its_policy(box: Sandbox) -> None:
    """It is in the limits. The last one and the first ones are named, and other policies have their lines."""
    storm = "for n in range(400): attempt(s.connect, (f'198.51.{n // 200}.{n % 200}', 53))"
    modes: dict[str, str] = dict.fromkeys(("outbound_connectivity", "read_write_tmp", "create_child_process"), "block")
    counted = after_decoys(box, storm, modes)
    assert sum(line["count"] for line in counted if line["policy"] == "outbound_connectivity") == 401
    assert {line["details"]["path"] for line in counted if "path" in line["details"]} == {"/tmp/made", "/usr/bin/id"}
    (folded,) = (line for line in counted if line.get("event") == "folded")
    assert (folded["count"], folded["details"]["ip"]) == (201, "203.0.113.66")
    named = folded["entries"]
    assert named == [f"198.51.1.{n}:53" for n in range(len(named))]
    assert 2048 - len(json.dumps(named, separators=(",", ":"))) < len('"198.51.1.199:53",')


@pytest.mark.promise("alert.severity")
@pytest.mark.parametrize(("mode", "others"), [*((mode, "allow") for mode in MODES), ("alert", "block")])
def test_platform_programs_are_repeated_apart(box: Sandbox, mode: Any, others: str) -> None:
    """Libraries look for others by ldconfig: no alarm counts that, and each line has its own severity.

    Where the policy blocks another control, a program that starts is critical.
    """
    storm = "for n in range(9): attempt(os.posix_spawn, ['/usr/sbin/ldconfig', '/usr/bin/id'][n % 3 == 2], ['x'], {})"
    blocks = "block" in (mode, others)
    worst = severity_of("create_child_process", mode, blocks=blocks)
    told = after_decoys(box, storm, {"create_child_process": mode, "outbound_connectivity": others}, alone=True)
    assert sorted((line["count"], line["details"]["path"], line["severity"]) for line in told) == sorted(
        (count, path, severity)
        for path, severity, counts in (("/usr/sbin/ldconfig", "notice", (1, 5)), ("/usr/bin/id", worst, (1, 2)))
        for count in counts
    )
    for line in told:
        assert line["level"] == level_of(line["policy"], mode, line["details"]["path"], blocks=blocks)
        found = [each for each in SEVERITIES if violations(severity=each).matches(json.dumps(line))]
        assert found == [line["severity"]]


@pytest.mark.parametrize("mode", long_but({"block"}, MODES))
def test_the_end_is_not_held_up_for_long(box: Sandbox, mode: str) -> None:
    """Nobody reads: what is not told a tenth of a second later is lost, and it ends."""
    told = tell(box, "full", policy(read_write_tmp=mode), reads=False)
    assert told.total() == 0
    assert 0.05 < told.seconds < SECONDS
