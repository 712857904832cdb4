"""One process inside a sandbox, attached in one way in one mode, which runs cases one after the other."""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.running import PYTHON, SHIELD
from security.cases.catalogue import Case
from security.cases.world import World
from shielded_function_emulator.sandbox import shield_lines

MAIN = "/var/task/main.py"
UNSHIELDED = "unshielded"
ANSWER_SECONDS = 180.0  # an emulated machine is many times slower
# The engine writes at most 200 lines a second (report.c): a batch of cases stays well below.
LINES_A_SECOND = 150
LONGEST_LINE = 4096


@dataclass(frozen=True)
class Outcome:
    """What one case came to in one process."""

    errno: int | None = None
    evidence: Any = None
    error: str | None = None
    left_open: int | None = None  # None: not known
    effects: dict[str, object] = field(default_factory=dict[str, object])
    alerts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    broken: str | None = None  # a line that is not one JSON object of at most 4096 bytes
    ended: int | None = None  # the process ended instead of answering: its status

    @property
    def reported(self) -> int:
        """Violations that the lines tell of, with those that a storm left out of them."""
        return sum(line["count"] for line in (*self.alerts, *self.events) if "policy" in line)


class Session:
    """`mode` and `way` say how the process is started; `first` says which settings, and where."""

    def __init__(self, world: World, first: Case, mode: str, way: str) -> None:
        self.world, self.first, self.mode, self.way = world, first, mode, way
        self._lines: list[float] = []
        self._used = False
        self._text = b""
        shielded = mode != UNSHIELDED
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        descriptor = fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, 500)
        theirs.close()
        # -S: what is installed beside Python may take longer to load than most cases.
        command = [PYTHON, "-S", MAIN, "serve", str(descriptor)]
        command += ["late"] if shielded and way == "late" else []
        command += ["ready"] if first.ready else []
        command = [SHIELD, *command] if shielded and way == "wrapper" else command
        environment = {"_HANDLER": "app.handler", "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= {name: value for name, value in first.settings.items() if not name.startswith("SHIELD_")}
        environment |= first.settings_in(mode) if shielded else {}
        self.process = world.sandbox.start(command, environment=environment, keep=[descriptor])
        os.close(descriptor)
        self._channel = ours
        self._channel.settimeout(ANSWER_SECONDS)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe
            os.set_blocking(pipe.fileno(), False)
        self.began = self._take(self._receive())

    def run(self, case: Case) -> Outcome:
        """Runs it; once more where an earlier case's count came with it. The engine writes that after its second."""
        outcome = self._run(case)
        counts = not case.alone and any("policy" in line for line in outcome.events)
        return self._run(case) if counts and outcome.reported > case.alerts[1] and outcome.ended is None else outcome

    def _run(self, case: Case) -> Outcome:
        self._keep_below_the_rate()
        if self._used:  # the first one's /tmp was there before the process started
            self.world.prepare(case.scene)
        self._used = True
        copied = case.alone
        if self.mode != UNSHIELDED:
            copied = self.tells_once(case) and self.way == "wrapper" and not case.alone
        return self._ask(f"{case.section} {case.name} {'copied' if copied else 'here'}")

    def tells_once(self, case: Case) -> bool:
        """Of a handler's file a process tells once a minute: the next case needs another, or a copy."""
        return case.policy == "read_handler" and case.must == "deny" and self.mode in ("block", "alert")

    def close(self) -> None:
        self._channel.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe
            pipe.close()

    def _ask(self, request: str) -> Outcome:
        try:
            self._channel.send(request.encode())
        except OSError:
            return self._take(None)
        return self._take(self._receive())

    def _receive(self) -> dict[str, Any] | None:
        """The answer; None when the process ended. Its pipes are read meanwhile only when it takes long."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            if select.select([self._channel], [], [], 0.2)[0]:
                try:
                    answer = self._channel.recv(1 << 16)
                except OSError:
                    return None
                return json.loads(answer) if answer else None
            self._text += self._read(self.process.stderr)
            if self.process.poll() is not None:
                return None
        self.process.kill()
        return None

    def _take(self, answer: dict[str, Any] | None) -> Outcome:
        ended = None
        if answer is None:
            ended = self.process.wait()
            answer = {}
        effects = self.world.effects() if self.first else {}
        text, self._text = self._text + self._read(self.process.stderr), b""
        self._read(self.process.stdout)
        lines = [line for line in text.split(b"\n") if line.startswith(b"{")]
        found = shield_lines([line.decode("utf-8", "backslashreplace") for line in lines])
        alerts = [line for line in found if "event" not in line]
        self._lines += [time.monotonic()] * len(alerts)
        return Outcome(
            errno=answer.get("errno"),
            evidence=answer.get("evidence"),
            error=answer.get("error") or (None if ended is None else text.decode(errors="replace")[-1500:]),
            left_open=answer.get("left_open"),
            effects=effects,
            alerts=alerts,
            events=[line for line in found if "event" in line],
            broken=_broken(lines),
            ended=ended,
        )

    def _read(self, pipe: Any) -> bytes:
        text = b""
        while True:
            try:
                part = os.read(pipe.fileno(), 1 << 16)
            except BlockingIOError:
                return text
            if not part:
                return text
            text += part

    def _keep_below_the_rate(self) -> None:
        now = time.monotonic()
        self._lines = [at for at in self._lines if now - at < 1]
        if len(self._lines) >= LINES_A_SECOND:
            time.sleep(1)


def _broken(lines: Sequence[bytes]) -> str | None:
    for line in lines:
        if len(line) + 1 > LONGEST_LINE:
            return f"a line of {len(line) + 1} bytes"
        try:
            json.loads(line.decode("utf-8"))
        except ValueError as error:
            return f"{error}: {line[:200]!r}"
    return None
