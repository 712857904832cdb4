"""Programs in sandboxes: the same program, the same place, with the shield in front of it or not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.conformance.outcomes import UNSHIELDED
from lab.conformance.suites import OUTWARD, Conditions
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import Sandbox, SandboxError, shield_lines

INSIDE = Path(__file__).parent / "inside"
SHIELD = "/opt/shielded-function/shield"
# Every policy blocks, and what the tests use is listed.
LISTED = "listed"
_POLICIES = ("OUTBOUND_CONNECTIVITY", "READ_WRITE_TMP", "CREATE_CHILD_PROCESS", "READ_HANDLER", "EXECUTABLE_MEMORY")
# Where this package lies, and the emulator's.
_PARENTS = [str(Path(__file__).resolve().parents[3] / root) for root in ("tests", "runtime_layer")]
_OUTWARD_HOSTS = Path(__file__).parent / "outward.hosts"
# For getservbyname, and for what looks up its own user's name.
_DATABASES = (Path("/etc/services"), Path("/etc/protocols"), Path("/etc/nsswitch.conf"))
_TOOLS = """
    bash cat chgrp chmod cp dash date echo env false grep gzip head id kill ln ls mkdir nohup ps pwd
    python3 rm sed sh sleep sort tail test touch true tty uname wc which
"""


def settings(mode: str, programs: Sequence[str] = ()) -> dict[str, str]:
    """Every policy in one mode; `programs` are what the tests start, besides the system's own."""
    if mode == UNSHIELDED:
        return {}
    if mode != LISTED:
        return {f"SHIELD_{policy}": mode for policy in _POLICIES}
    children = sorted({*programs, *(os.path.realpath(f"/usr/bin/{tool}") for tool in _TOOLS.split())})
    return {f"SHIELD_{policy}": "block" for policy in _POLICIES} | {
        "SHIELD_EXECUTABLE_MEMORY": "allow",
        "SHIELD_ALLOW_TMP": "/tmp,/tmp/**",
        "SHIELD_ALLOW_CHILD_PROCESS": ",".join(children),
        "SHIELD_ALLOW_OUTBOUND": "203.0.113.0/24,198.51.100.0/24,2001:db8::/32",
    }


@contextmanager
def open_box(module: str, conditions: Conditions, mounts: Mapping[str, Path], task: Path = INSIDE) -> Iterator[Sandbox]:
    """A sandbox with /dev/shm, terminals and a name server that knows no name.

    Raises:
        SandboxError: there is none with a network and /tmp of its own.
    """
    every = dict(mounts) | {str(file): file for file in _DATABASES if file.exists()}
    if module.endswith(OUTWARD):
        every["/etc/hosts"] = _OUTWARD_HOSTS
    with Sandbox(task=task, layers=conditions.layer, mounts=every, filtered=conditions.filtered) as box:
        _add_devices(box)
        with DnsServer(box, {}):
            yield box


@dataclass
class Execution:
    """One program that ended, and what it wrote: its own words, and the shield's lines by kind."""

    status: int
    seconds: float
    output: str
    events: Counter[str]
    timed_out: bool


def execute(
    box: Sandbox,
    argv: Sequence[str],
    shield: Mapping[str, str],
    seconds: float,
    *,
    environment: Mapping[str, str] | None = None,
    keep: Sequence[int] = (),
    cwd: str = "/var/task",
) -> Execution:
    """Runs a program to its end, or for `seconds`; behind the shield, where there are settings for one.

    Raises:
        SandboxError: the shield did not arm.
    """
    began = time.monotonic()
    command = [SHIELD, *argv] if shield else argv
    process = box.start(command, environment={**shield, **(environment or {})}, keep=keep, cwd=cwd)
    try:
        stdout, stderr = process.communicate(timeout=seconds)
        timed_out = False
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        timed_out = True
    spent = time.monotonic() - began
    log = stderr.decode("utf-8", "backslashreplace").splitlines()
    # The end of a line that a test left open may hold an alert: it still counts, wherever it begins.
    lines = shield_lines([line[max(line.find('{"function'), 0) :] for line in log])
    output = stdout.decode("utf-8", "backslashreplace") + "\n".join(log)
    if timed_out:
        output += f"\nended after {seconds:g} s"
    done = Execution(process.returncode, spent, output, Counter(map(_kind, lines)), timed_out)
    if shield and not done.events["armed"]:
        raise SandboxError(f"{' '.join(argv)}: the shield did not arm\n{output[-4000:]}")
    return done


def _kind(line: dict[str, Any]) -> str:
    return str(line.get("event") or line.get("policy"))


def _add_devices(box: Sandbox) -> None:
    command = [sys.executable, "-S", "-m", "lab.conformance.devices", str(box._keeper.pid), box.isolation]
    done = subprocess.run(
        command,
        env={
            "PYTHONPATH": os.pathsep.join(_PARENTS),
            "PATH": os.defpath,
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SandboxError(f"no /dev/shm and /dev/pts in the sandbox: {done.stderr.strip().splitlines()[-1:]}")
