"""`EmulatedFunction`: a function from `cdk.out`, invoked through AWS's own runtime emulator and runtime client.

package = CloudAssembly(Path("cdk.out")).function("Checkout", "Shielded")
with EmulatedFunction(package) as function:
    invocation = function.invoke({"order": "1"})
    print(invocation.payload, invocation.log)
"""

from __future__ import annotations

import http.client
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from shielded_function_emulator import interface_emulator
from shielded_function_emulator.cloud_assembly import FunctionPackage
from shielded_function_emulator.composite import Composite
from shielded_function_emulator.languages import find
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.platform_files import RAPID_ROOT, RUNTIME_ROOT
from shielded_function_emulator.sandbox import ADDRESSES, Sandbox, SandboxError

_EMULATOR = f"{RAPID_ROOT}/aws-lambda-rie"
_ADDRESS = ("127.0.0.1", 8080)
_INVOKE = "/2015-03-31/functions/function/invocations"
_START_SECONDS = 20.0
_SPARE_SECONDS = 30.0  # above the function's own timeout: the emulator answers for it
_QUIET_SECONDS = 0.15  # the emulator's pipes are drained when nothing came for so long
_REPORT_SECONDS = 2.0  # the emulator's own line comes before the answer, but not after every failure


@dataclass(frozen=True)
class LogLine:
    """One CloudWatch event: a line of the function or of the platform. `time`: seconds since the epoch."""

    time: float
    message: str


@dataclass(frozen=True)
class Invocation:
    """The result of an invocation. `log`: the lines that were written since the invocation before.

    `is_json`: whether the payload was JSON; where it was not, as after a time-out, it is the text.
    """

    status: int
    payload: Any
    log: tuple[LogLine, ...]
    is_json: bool = True

    @property
    def failed(self) -> bool:
        """Whether the handler raised, the runtime ended or the time was up."""
        raised = isinstance(self.payload, dict) and "errorType" in self.payload
        return self.status != http.client.OK or not self.is_json or raised


def emulator() -> Path:
    """AWS's Runtime Interface Emulator for this machine.

    Raises:
        SandboxError: it is not there.
    """
    if reason := interface_emulator.missing():
        raise SandboxError(reason)
    return interface_emulator.path()


@dataclass
class EmulatedFunction(Composite):
    """A function in its own sandbox. `platform` is added to Lambda's own variables in the environment;
    `mounts` are shown in the sandbox besides code and layers. `runtime`: instead of the template's. `addresses` are the
    sandbox's own.

    The sandbox is entered first, so that the function's servers can be started in it (`sandbox.socket`) before the
    first invocation starts the runtime.
    """

    package: FunctionPackage
    platform: Mapping[str, str] = field(default_factory=dict[str, str])
    mounts: Mapping[str, Path] = field(default_factory=dict[str, Path])
    runtime: Runtime | None = None
    addresses: Sequence[str] = ADDRESSES

    def enter_parts(self, stack: ExitStack) -> None:
        try:
            self._runtime = self.runtime or find(self.package.runtime)
        except LookupError as error:
            raise SandboxError(f"{self.package.name}: {error.args[0]}") from error
        if missing := self._runtime.missing():
            raise SandboxError(f"{self.package.name}: {missing}")
        self._log: list[LogLine] = []
        self._emulator_log: list[str] = []
        self._taken = 0
        self._process: subprocess.Popen[bytes] | None = None
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emulated-function-")))
        task, layers = scratch / "task", scratch / "opt"
        self.package.unpack_code(task)
        self.package.unpack_layers(layers)
        mounts = {_EMULATOR: emulator(), **self.mounts}
        sandbox = Sandbox(task, layers, mounts, self.addresses, runtime=self._runtime, runtime_on_root=True)
        self.sandbox = stack.enter_context(sandbox)

    @property
    def environment(self) -> dict[str, str]:
        """The runtime's environment: the platform's variables, then the function's own."""
        package = self.package
        platform = {
            "AWS_REGION": package.region,
            "AWS_DEFAULT_REGION": package.region,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_SESSION_TOKEN": "emulated",
            "AWS_EXECUTION_ENV": self._runtime.execution_environment,
            "AWS_LAMBDA_FUNCTION_NAME": package.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(package.memory_mb),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(package.timeout_seconds),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{package.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
            "EMULATED_LAMBDA_COMMAND": " ".join(self._runtime.command),
        }
        return platform | dict(self.platform) | dict(package.environment)

    def invoke(self, event: Any) -> Invocation:
        """Invokes the function once; the first call starts the runtime.

        Raises:
            SandboxError: the emulator did not start, or did not answer in the function's time and some to spare.
        """
        if self._process is None:
            self._start()
        try:
            status, body = self._post(json.dumps(event).encode())
        except OSError as error:
            raise SandboxError(f"{self.package.name}: the emulator does not answer: {error}{self._diary()}") from error
        self._settle()
        log = tuple(self._log[self._taken :])
        self._taken += len(log)
        try:
            return Invocation(status, json.loads(body), log)
        except ValueError:
            return Invocation(status, body.decode("utf-8", "backslashreplace"), log, is_json=False)

    def _start(self) -> None:
        argv = [_EMULATOR, "--runtime-interface-emulator-address", "{}:{}".format(*_ADDRESS)]
        argv += [f"{RUNTIME_ROOT}/bootstrap", self.package.handler]
        self._process = process = self.sandbox.start(argv, environment=self.environment)
        assert process.stdout is not None
        assert process.stderr is not None
        # The emulator writes the function's stdout and stderr, and the platform's lines, to its stdout, and its own
        # messages to its stderr.
        for stream, take in ((process.stdout, self._take_line), (process.stderr, self._emulator_log.append)):
            threading.Thread(target=_pump, args=(stream, take), daemon=True).start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._listening():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SandboxError(f"{self.package.name}: the emulator did not start{self._diary()}")
            time.sleep(0.02)

    def _listening(self) -> bool:
        with self.sandbox.socket() as probe:
            return probe.connect_ex(_ADDRESS) == 0

    def _post(self, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*_ADDRESS)
        with self.sandbox.socket() as opened:
            opened.settimeout(self.package.timeout_seconds + _SPARE_SECONDS)
            opened.connect(_ADDRESS)
            connection.sock = opened
            connection.request("POST", _INVOKE, body)
            response = connection.getresponse()
            return response.status, response.read()

    def _take_line(self, message: str) -> None:
        self._log.append(LogLine(time.time(), message))

    def _settle(self) -> None:
        """Waits for the lines that are still on their way: the answer and the log arrive separately."""
        seen, latest = -1, time.monotonic() + _REPORT_SECONDS
        while seen != len(self._log) or not (self._is_reported() or time.monotonic() > latest):
            seen = len(self._log)
            time.sleep(_QUIET_SECONDS)

    def _is_reported(self) -> bool:
        return any("REPORT RequestId: " in line.message for line in self._log[self._taken :])

    def _diary(self) -> str:
        return "".join(f"\n  {line}" for line in self._emulator_log[-10:])


def _pump(stream: IO[bytes], take: Any) -> None:
    for line in stream:
        take(line.decode("utf-8", "backslashreplace").rstrip("\n"))
