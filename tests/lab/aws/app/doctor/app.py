"""Tells what Lambda allows and where things are: `shield doctor`, and what can be read without it. Changes nothing."""

from __future__ import annotations

import json
import os
import platform
import resource
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

SHIELD = "/opt/shielded-function/shield"
# Names and places only; nothing in them is secret.
VARIABLES = ("AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_METADATA_API", "AWS_XRAY_DAEMON_ADDRESS", "PATH", "LD_LIBRARY_PATH")
MOUNTS = ("/", "/var/task", "/var/runtime", "/var/lang", "/opt", "/tmp", "/dev", "/dev/shm", "/proc")
STATUS = ("NoNewPrivs", "Seccomp", "Seccomp_filters", "CapEff", "CapBnd")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Returns {"doctor": its findings, "facts": name to value}. What cannot be read is its error, never left out."""
    done = subprocess.run([SHIELD, "doctor", "--json"], capture_output=True, text=True, check=True, timeout=100)
    return {
        "doctor": json.loads(done.stdout)["findings"],
        "facts": {name: _asked(fact) for name, fact in FACTS.items()},
    }


def _asked(fact: Callable[[], Any]) -> Any:
    try:
        return fact()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _mounts() -> dict[str, str]:
    lines = [line.split(" - ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    found = {left.split()[4]: f"{right.split()[0]} {left.split()[5]}" for left, right in lines}
    return {place: found.get(place, "not a mount of its own") for place in MOUNTS}


def _status() -> dict[str, str]:
    lines = [line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines()]
    found = {name: value.strip() for name, value in lines}
    return {name: found.get(name, "not told") for name in STATUS}


def _streams() -> dict[str, str]:
    kinds = {1: os.fstat(1), 2: os.fstat(2)}
    told = {f"descriptor {fd}": stat.filemode(found.st_mode) for fd, found in kinds.items()}
    same = (kinds[1].st_dev, kinds[1].st_ino) == (kinds[2].st_dev, kinds[2].st_ino)
    return {**told, "stdout and stderr": "the same" if same else "two"}


def _owners() -> dict[str, str]:
    files = {place: os.stat(place) for place in ("/var/task", __file__, "/opt", SHIELD, "/tmp")}
    return {place: f"{stat.filemode(f.st_mode)} {f.st_uid}:{f.st_gid} links {f.st_nlink}" for place, f in files.items()}


FACTS: dict[str, Callable[[], Any]] = {
    "kernel": lambda: " ".join(platform.uname()),
    "libc": lambda: " ".join(platform.libc_ver()),
    "resolvers": lambda: [w for w in Path("/etc/resolv.conf").read_text().split() if w[0].isdigit() or ":" in w],
    "resolv.conf": lambda: Path("/etc/resolv.conf").read_text(),
    "variables": lambda: {name: os.environ.get(name) for name in VARIABLES},
    "mounts": _mounts,
    "status": _status,
    "seccomp actions": lambda: Path("/proc/sys/kernel/seccomp/actions_avail").read_text().strip(),
    "ptrace scope": lambda: Path("/proc/sys/kernel/yama/ptrace_scope").read_text().strip(),
    "descriptors": lambda: resource.getrlimit(resource.RLIMIT_NOFILE),
    "processes": lambda: resource.getrlimit(resource.RLIMIT_NPROC),
    "user and group": lambda: f"{os.getuid()}:{os.getgid()} {os.getgroups()}",
    "process": lambda: f"pid {os.getpid()} parent {os.getppid()} group {os.getpgid(0)} nice {os.nice(0)}",
    "command": lambda: Path("/proc/self/cmdline").read_text().split("\0"),
    "streams": _streams,
    "owners": _owners,
    "home": lambda: f"{os.environ.get('HOME')} exists: {os.path.exists(os.environ.get('HOME', '/nowhere'))}",
}
