"""Runs test modules in sandboxes: the same interpreter, the same place, with the shield in front of it or not."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.modules import OUTWARD, Interpreter
from conformance.outcomes import DID_NOT_END, Difference, Run, compare, read_record
from emulated_lambda.dns_server import DnsServer
from emulated_lambda.sandbox import Sandbox, SandboxError, shield_lines

INSIDE = Path(__file__).parent / "inside"
SHIELD = "/opt/shielded-function/shield"
_POLICIES = ("OUTBOUND_CONNECTIVITY", "READ_WRITE_TMP", "CREATE_CHILD_PROCESS", "READ_HANDLER", "EXECUTABLE_MEMORY")
_PACKAGE_PARENT = str(Path(__file__).resolve().parent.parent)
# The sandbox has a network of its own, so nothing that asks for the network leaves the machine. Left out is what
# takes gigabytes, minutes of pure computing, or a download.
_RESOURCES = "all,-largefile,-audio,-gui,-cpu,-decimal,-urlfetch"
_OUTWARD_HOSTS = Path(__file__).parent / "outward.hosts"
_SERVICES = (Path("/etc/services"), Path("/etc/protocols"))  # for getservbyname
# Ends at once or after five minutes, as chance has it: a thread that has taken its part of the work finishes it.
_BY_CHANCE = "*.WithThreadsTestPool.test_terminate"
UNSHIELDED = "unshielded"
_GRACE = 15.0  # for regrtest, which says where a test hangs when the time is up
RERUNS = 2


def interpreter_mounts(prefix: Path) -> dict[str, Path]:
    """The interpreter under test where Lambda has its own, and at its place on this machine for its library paths."""
    return {"/var/lang": prefix} | ({} if prefix.is_relative_to("/usr") else {str(prefix): prefix})


def settings(mode: str) -> dict[str, str]:
    """Every policy in one mode."""
    return {f"SHIELD_{policy}": mode for policy in _POLICIES}


@dataclass(frozen=True)
class Runner:
    """Runs modules, each in each mode for `seconds` at most."""

    interpreter: Interpreter
    layer: Path
    filtered: bool
    seconds: float

    def run(self, module: str, mode: str, tests: Sequence[str] = ()) -> Run:
        """One module, or some of its tests, in a new sandbox.

        Raises:
            SandboxError: there is no sandbox, or the shield did not arm.
        """
        mounts = interpreter_mounts(self.interpreter.prefix) | {str(file): file for file in _SERVICES if file.exists()}
        if module.endswith(OUTWARD):
            mounts["/etc/hosts"] = _OUTWARD_HOSTS
        with Sandbox(task=INSIDE, layers=self.layer, mounts=mounts, filtered=self.filtered) as box:
            if not box.isolation.whole:
                raise SandboxError(f"needs a sandbox with a network and /tmp of its own: {box.isolation.note}")
            _add_devices(box)
            with DnsServer(box, {}):
                run = self._run_in(box, module, mode, tests)
        if not run.events["armed"] and mode != UNSHIELDED:
            raise SandboxError(f"{module}, {mode}: the shield did not arm\n{run.output[-4000:]}")
        return run

    def _run_in(self, box: Sandbox, module: str, mode: str, tests: Sequence[str]) -> Run:
        with tempfile.TemporaryFile() as record:
            argv = [f"/var/lang/bin/{self.interpreter.name}", "/var/task/record.py", str(record.fileno())]
            argv += ["--use", _RESOURCES, "--timeout", f"{self.seconds:g}"]
            argv += ["--ignore", _BY_CHANCE]
            for test in tests:
                argv += ["--match", test]
            argv.append(self.interpreter.runnable(module))
            if mode != UNSHIELDED:
                argv.insert(0, SHIELD)
            environment = {} if mode == UNSHIELDED else settings(mode)
            began = time.monotonic()
            process = box.start(argv, environment=environment, keep=[record.fileno()])
            try:
                stdout, stderr = process.communicate(timeout=self.seconds + _GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                stdout, stderr = process.communicate()
                stderr += f"\nended after {self.seconds + _GRACE:g} s\n".encode()
            seconds = time.monotonic() - began
            record.seek(0)
            run = read_record(record.read().decode().splitlines())
        run.seconds, run.status = seconds, process.returncode
        log = stderr.decode("utf-8", "backslashreplace").splitlines()
        # The end of a line that a test left open may hold an alert: it still counts, wherever it begins.
        run.events = Counter(
            _kind(line) for line in shield_lines([line[max(line.find('{"function'), 0) :] for line in log])
        )
        run.output = stdout.decode("utf-8", "backslashreplace") + "\n".join(log)
        if not run.outcomes and run.status:
            run.outcomes[module] = DID_NOT_END
            run.texts[module] = run.output[-3000:]
        return run


def _kind(line: dict[str, Any]) -> str:
    return str(line.get("event") or line.get("policy"))


def _add_devices(box: Sandbox) -> None:
    command = [sys.executable, "-S", "-m", "conformance.devices", str(box._keeper.pid), box.isolation.kind]
    done = subprocess.run(
        command,
        env={"PYTHONPATH": _PACKAGE_PARENT, "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SandboxError(f"no /dev/shm and /dev/pts in the sandbox: {done.stderr.strip().splitlines()[-1:]}")


@dataclass
class ModuleResult:
    """One module: its runs by mode, and the differences by mode."""

    module: str
    runs: dict[str, Run]
    differences: dict[str, list[Difference]]

    @property
    def complaints(self) -> list[str]:
        """Lines of the shield that should not be: it tells one start, and nothing at all of what is allowed."""
        found: list[str] = []
        for mode, run in self.runs.items():
            expected = {UNSHIELDED: {}, "allow": {"armed": 1}}.get(mode, {**run.alerts, "armed": 1})
            if run.events != expected:
                found.append(f"{mode}: {self.module}: the shield wrote {dict(run.events)}, expected {dict(expected)}")
        return found

    @property
    def standing(self) -> list[Difference]:
        """The differences that did not go away."""
        return [d for found in self.differences.values() for d in found if d.stands]

    @property
    def flaky(self) -> list[Difference]:
        """Those that did."""
        return [d for found in self.differences.values() for d in found if not d.stands]


def run_module(runner: Runner, module: str, modes: Sequence[str]) -> ModuleResult:
    """Runs a module unshielded and in every mode, and once more, alone, each test that differs."""
    runs = {mode: runner.run(module, mode) for mode in (UNSHIELDED, *modes)}
    differences = {mode: compare(runs[UNSHIELDED], runs[mode]) for mode in modes}
    for mode, found in differences.items():
        _repeat(runner, module, mode, found)
    return ModuleResult(module, runs, differences)


def _repeat(runner: Runner, module: str, mode: str, found: Sequence[Difference]) -> None:
    if not found:
        return
    # Fixtures have no test of their own name: then the whole module runs again.
    tests = [d.test for d in found] if all(_is_test(d.test) for d in found) else []
    for _ in range(RERUNS):
        unshielded, shielded = (runner.run(module, each, tests) for each in (UNSHIELDED, mode))
        for difference in found:
            difference.unshielded.append(unshielded.of(difference.test))
            difference.shielded.append(shielded.of(difference.test))


def _is_test(test: str) -> bool:
    return "(" not in test and "." in test
