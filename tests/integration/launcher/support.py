"""What the tests of the exec wrapper share: running it, reading its line."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

REFUSED = 78
MACHINE = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine())
OTHER_MACHINE = {"x86_64": "aarch64", "aarch64": "x86_64"}[MACHINE]
# A policy in its shortest form; `PATH` and the like are left to each test.
POLICY = {"SHIELD_OUTBOUND_CONNECTIVITY": "block"}
SECONDS = 30.0
LINE_LIMIT = 4096
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@dataclass(frozen=True)
class Installed:
    """`shield` and `libshield.so` in a folder of their own, as in the layer."""

    folder: Path

    @property
    def program(self) -> Path:
        return self.folder / "shield"

    @property
    def library(self) -> Path:
        return self.folder / "libshield.so"

    def run(
        self,
        arguments: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        before: Callable[[], object] | None = None,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Runs `shield ARGUMENTS` with this environment and no other. `before` runs in the child, before exec."""
        return subprocess.run(
            [str(self.program), *map(str, arguments)],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=SECONDS,
            preexec_fn=before,
            check=False,
            **options,
        )


def read_line(stderr: str, event: str) -> str:
    """The reason in the one JSON line that `stderr` consists of; anything else fails."""
    assert (stderr[-1:], stderr.count("\n")) == ("\n", 1), stderr
    assert len(stderr.encode(errors="surrogateescape")) <= LINE_LIMIT
    line = json.loads(stderr)
    names = " ".join(name for name in line if name not in ("function", "version", "region", "account"))
    assert names == "function_shield v timestamp level event policy severity count shield_version reason"
    assert (line["function_shield"], line["v"], line["policy"], line["count"]) == (True, 1, "start", 1)
    assert (line["event"], line["level"]) == (event, "ERROR")
    assert _TIMESTAMP.fullmatch(line["timestamp"])
    return line["reason"]


def assert_refused(done: subprocess.CompletedProcess[str]) -> str:
    """Nothing ran, one line says why, exit status 78. Returns the reason."""
    assert done.returncode == REFUSED, done.stderr
    assert done.stdout == ""
    return read_line(done.stderr, "refused")


def write_script(path: Path, *lines: str, interpreter: str = "/bin/sh") -> Path:
    """An executable script; returns its path."""
    path.write_text("\n".join((f"#!{interpreter}", *lines, "")))
    path.chmod(0o755)
    return path


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def become(uid: int, gid: int) -> None:
    """Gives up root for good."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
