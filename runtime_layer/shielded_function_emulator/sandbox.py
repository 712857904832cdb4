"""`Sandbox`: runs commands as Lambda would run them. The public face of `keeper`, `enter`, `root` and `seccomp`.

    with Sandbox(task=code, layers=opt) as sandbox:
        done = sandbox.run_command(["/opt/shielded-function/shield", INTERPRETER, "/var/task/app.py"])
        assert done.returncode == 0, done.stderr

It has its own root, network, PIDs, user and seccomp filter. That needs root, or unprivileged user namespaces.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import Self

from shielded_function_emulator import keeper
from shielded_function_emulator.base import lay_out
from shielded_function_emulator.keeper import MESSAGE
from shielded_function_emulator.languages import python
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.machine import Machine, MachineError, machine
from shielded_function_emulator.platform_files import BOOTSTRAP, LAYERS_ROOT, RUNTIME_ROOT, TASK_ROOT

# Documentation addresses (RFC 5737, RFC 3849): "the internet" of a sandbox, all of it on its own loopback.
RESOLVER = "169.254.78.1"
ADDRESSES = ("203.0.113.1/24", "198.51.100.1/24", f"{RESOLVER}/32", "2001:db8::1/128", "2001:db8::66/128")

START_SECONDS = 20.0
COMMAND_SECONDS = 60.0
_READABLE = 0o005
_EXECUTABLE = 0o555
_PACKAGE_PARENT = str(Path(__file__).resolve().parent.parent)

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
PLATFORM_ENVIRONMENT: dict[str, str] = {
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "LAMBDA_TASK_ROOT": TASK_ROOT,
    "LAMBDA_RUNTIME_DIR": RUNTIME_ROOT,
    "SHLVL": "0",
}


class SandboxError(Exception):
    """The sandbox could not be made or entered; one line says why."""


class NamespacesMissing(SandboxError):
    """This machine gives no namespaces, so nothing is run."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"an emulated Lambda needs root or unprivileged user namespaces: {why}; run it with sudo, or, in a "
            "container, start that with --privileged"
        )


class SandboxTimeout(SandboxError):
    """A command was ended because its time was up. Carries its output so far."""

    def __init__(self, argv: Sequence[str], seconds: float, stdout: str, stderr: str) -> None:
        super().__init__(f"{argv[0]}: ended after {seconds:g} s; stderr so far: {stderr[-2000:] or 'nothing'}")
        self.stdout = stdout
        self.stderr = stderr


@dataclass(frozen=True)
class Completed:
    """A command that ended: its status (negative: the signal that ended it) and its output."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    @property
    def shield_lines(self) -> list[dict[str, Any]]:
        """The JSON lines that a shield wrote to stderr: alerts, `armed`, `refused`."""
        return shield_lines(self.stderr.splitlines())


def shield_lines(lines: Sequence[str]) -> list[dict[str, Any]]:
    """The lines that are a shield's: JSON objects with `"function_shield": true`."""
    parsed: list[dict[str, Any]] = []
    for line in lines:
        if not line.startswith("{"):
            continue
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if value.get("function_shield") is True:
            parsed.append(value)
    return parsed


@dataclass
class Sandbox:
    """A sandbox with `task` at /var/task, `layers` at /opt and `mounts` (sandbox path to host path), all read-only.

    `filtered=False` leaves the seccomp filter out. `addresses` are the sandbox's own (`address/prefix`). `ways` are the
    kinds of `isolation` to try. Each file of `runtime` has its own mount, or, with `runtime_on_root`, lies on the mount
    of /, as in Lambda; with `system_on_root` so does the system, and the rest of this machine is visible.
    Raises NamespacesMissing on entering where this machine gives none, and SandboxError when it does not start.
    """

    task: Path | None = None
    layers: Path | None = None
    mounts: Mapping[str, Path] = field(default_factory=dict[str, Path])
    addresses: Sequence[str] = ADDRESSES
    filtered: bool = True
    ways: Sequence[str] = tuple(keeper.WAYS)
    runtime: Runtime = python.THIS
    runtime_on_root: bool = False
    system_on_root: bool = False
    isolation: str = field(init=False, default="")
    machine: Machine = field(init=False)

    def __enter__(self) -> Self:
        try:
            self.machine = machine()
        except MachineError as error:
            raise SandboxError(str(error)) from error
        self._lock = threading.Lock()
        self._running: list[subprocess.Popen[bytes]] = []
        self._scratch = ExitStack()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel = ours
        with theirs:
            self._keeper = subprocess.Popen(
                [sys.executable, "-S", "-m", "shielded_function_emulator.keeper", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=_helper_environment(),
            )
        try:
            self.isolation = self._isolate(self._request())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends everything that runs in the sandbox, and the sandbox."""
        for process in self._running:
            process.kill()
            process.wait()
        self._channel.close()
        try:
            self._keeper.wait(5)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        self._scratch.close()

    def run_command(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        stdin: str = "",
        timeout: float = COMMAND_SECONDS,
        cwd: str = TASK_ROOT,
    ) -> Completed:
        """Runs a program to its end. `environment` is added to the platform's own and the language's.

        Raises SandboxTimeout after `timeout` seconds; nothing that the program started is left then or at its end.
        """
        process = self.start(argv, environment=environment, cwd=cwd, stdin=subprocess.PIPE)
        try:
            stdout, stderr = process.communicate(stdin.encode(), timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            raise SandboxTimeout(argv, timeout, _text(stdout), _text(stderr)) from None
        finally:
            self._running.remove(process)
        return Completed(tuple(argv), process.returncode, _text(stdout), _text(stderr))

    def start(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        cwd: str = TASK_ROOT,
        stdin: int = subprocess.DEVNULL,
        keep: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Starts a program with pipes for stdout and stderr. It ends with the sandbox, or by `kill()`.

        `keep`: descriptors of this process that the program inherits under the same numbers.
        """
        merged = PLATFORM_ENVIRONMENT | dict(self.runtime.environment) | dict(environment or {})
        request = {
            "keeper": self._keeper.pid,
            "isolation": self.isolation,
            "filtered": self.filtered,
            "argv": list(argv),
            "environment": merged,
            "cwd": cwd,
            "keep": list(keep),
        }
        process = subprocess.Popen(
            [sys.executable, "-S", "-m", "shielded_function_emulator.enter", json.dumps(request)],
            env=_helper_environment(),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=keep,
        )
        self._running.append(process)
        return process

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket of this process that lives in the sandbox's network: bind it to serve, connect it to call."""
        with self._lock:
            self._channel.send(json.dumps([int(family), int(kind)]).encode())
            message, fds, _, _ = socket.recv_fds(self._channel, MESSAGE, 1)
        if not fds:
            raise SandboxError(json.loads(message)["error"])
        return socket.socket(family, kind, fileno=fds[0])

    def path(self, inside: str) -> Path:
        """The path from here to a file of the sandbox."""
        return Path(f"/proc/{self._keeper.pid}/root{inside}")

    def _isolate(self, request: keeper.Request) -> str:
        """The way in which the keeper got the namespaces."""
        self._channel.settimeout(START_SECONDS)
        try:
            self._channel.send(json.dumps(request).encode())
            answer = self._channel.recv(MESSAGE)
        except OSError as error:
            raise SandboxError(f"the sandbox did not start: {error}") from error
        if not answer:
            raise SandboxError("the sandbox did not start: its keeper ended; see its message above")
        said: dict[str, str] = json.loads(answer)
        if "error" in said:
            raise NamespacesMissing(said["error"])
        return said["isolation"]

    def _bootstrap(self) -> Path:
        """The script that starts runtime clients; a copy, where an installer has dropped its mode."""
        if BOOTSTRAP.stat().st_mode & _EXECUTABLE == _EXECUTABLE:
            return BOOTSTRAP
        copy = Path(shutil.copy(BOOTSTRAP, self._scratch_folder()))
        copy.chmod(_EXECUTABLE | stat.S_IWUSR)
        return copy

    def _request(self) -> keeper.Request:
        base = ""
        mounts = {f"{RUNTIME_ROOT}/bootstrap": self._bootstrap(), **self.runtime.mounts(), **self.mounts}
        mounts |= {TASK_ROOT: self.task} if self.task else {}
        mounts |= {LAYERS_ROOT: self.layers} if self.layers else {}
        for target, source in mounts.items():
            if not source.exists():
                raise SandboxError(f"{target}: {source} does not exist")
            if target in (TASK_ROOT, LAYERS_ROOT) and source.stat().st_mode & _READABLE != _READABLE:
                raise SandboxError(f"{target}: {source} must be readable by everyone: chmod 755 {source}")
        if self.runtime_on_root:
            base = self._scratch_folder()
            mounts = lay_out(mounts, Path(base))
        return {
            "base": base,
            "lies_over": self.system_on_root,
            "binds": [{"source": str(source.resolve()), "target": target} for target, source in mounts.items()],
            "system": str(self.machine.system or ""),
            "emulator": str(self.machine.emulator or ""),
            "resolver": RESOLVER,
            "addresses": list(self.addresses),
            "hostname": "emulated-lambda",
            "ways": list(self.ways),
        }

    def _scratch_folder(self) -> str:
        """A new folder, readable by everyone, which is deleted with the sandbox."""
        folder = self._scratch.enter_context(tempfile.TemporaryDirectory(prefix="emulated-lambda-"))
        Path(folder).chmod(0o755)
        return folder


def _helper_environment() -> dict[str, str]:
    return {"PYTHONPATH": _PACKAGE_PARENT, "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath}


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
