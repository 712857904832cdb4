"""A UDP socket that asks the kernel for a way there, where there is none, is no violation: nothing is sent."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.running import PYTHON, SHIELD, policy, whole_sandbox
from shielded_function_emulator.sandbox import Sandbox

# Of documentation's networks: none of the first has an address here, one of the second has.
UNREACHABLE, REACHABLE, PORT = "3fff::9", "203.0.113.77", 4433
ASK = f"""
import errno, json, socket
def ask(kind, address, port, how):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, kind) as s:
            s.settimeout(1)
            s.connect((address, port)) if how == "connect" else s.sendto(b"x", (address, port))
    except OSError as error:
        return error.errno
ways = {{
    "asks": (socket.SOCK_DGRAM, "{UNREACHABLE}", {PORT}, "connect"),
    "asks a name server": (socket.SOCK_DGRAM, "{UNREACHABLE}", 53, "connect"),
    "sends": (socket.SOCK_DGRAM, "{UNREACHABLE}", {PORT}, "send"),
    "by TCP": (socket.SOCK_STREAM, "{UNREACHABLE}", {PORT}, "connect"),
    "there is a way": (socket.SOCK_DGRAM, "{REACHABLE}", {PORT}, "connect"),
}}
print(json.dumps({{name: ask(*way) for name, way in ways.items()}}))
"""


@pytest.fixture(scope="module")
def box(layer: Path, task: Path) -> Iterator[Sandbox]:
    with whole_sandbox(task, layer) as sandbox:
        yield sandbox


def run(box: Sandbox, mode: str) -> tuple[dict[str, int | None], list[Any]]:
    settings = policy(outbound_connectivity=mode) if mode else {}
    done = box.run_command([*([SHIELD] if mode else []), PYTHON, "-c", ASK], environment=settings)
    assert done.returncode == 0, done.stderr
    alerts = [line["details"] for line in done.shield_lines if "policy" in line]
    return json.loads(done.stdout), [(each["ip"], each["protocol"]) for each in alerts]


@pytest.mark.parametrize("mode", ["block", "alert"])
def test_no_way_there_is_the_kernels_answer(box: Sandbox, mode: str) -> None:
    plain, _ = run(box, "")
    assert {plain[name] for name in ("asks", "asks a name server")} <= {errno.ENETUNREACH, errno.EADDRNOTAVAIL}
    assert plain["there is a way"] is None
    found, alerts = run(box, mode)
    told = ("sends", "by TCP", "there is a way")
    refused = dict.fromkeys(told, errno.EACCES) if mode == "block" else {}
    assert found == plain | refused
    assert alerts == [(UNREACHABLE, "udp"), (UNREACHABLE, "tcp"), (REACHABLE, "udp")]
