"""Managed Instances: the runtime client starts several threads, and each of them loads the handler and asks for work.

The first asks before the last has loaded it, in one process: so `read_handler` has to be `allow` there.
"""

from __future__ import annotations

import json
import platform
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import pytest

from harness.thinning import long_but
from runtimes.node.conftest import LAYOUTS, MAIN, attempts_of
from shielded_function import ShieldPolicy
from shielded_function_emulator.languages import find
from shielded_function_emulator.sandbox import Sandbox, shield_lines
from shielded_function_runtime.build.native import BINARIES, build

pytestmark = pytest.mark.promise("handler.workers")

LINES = (22, 24)  # the client has it since then
WORKERS = 6
_SECONDS = 60.0
_NEXT = "/2018-06-01/runtime/invocation/next"
# Each worker begins when the one before it has asked for work.
_ONE_AFTER_THE_OTHER = """
const { isMainThread, threadId } = require("node:worker_threads");
if (!isMainThread) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400 * (threadId - 1));
"""
_NAMES = ("FUNCTION_NAME", "FUNCTION_VERSION", "FUNCTION_MEMORY_SIZE", "LOG_GROUP_NAME", "LOG_STREAM_NAME")
_MANAGED = {
    **{f"AWS_LAMBDA_{name}": "1" for name in _NAMES},  # the client insists
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances",
    "AWS_LAMBDA_MAX_CONCURRENCY": "8",
    "AWS_LAMBDA_NODEJS_WORKER_COUNT": str(WORKERS),
    "UV_THREADPOOL_SIZE": str(2 * WORKERS),  # each waits in a thread of libuv
    "NODE_OPTIONS": "--require /var/task/one_after_the_other.cjs",
}


class RuntimeApi(ThreadingHTTPServer):
    """Gives the event to each worker once all ask for work, and lets them wait when they ask again."""

    daemon_threads = True

    def __init__(self, sandbox: Sandbox, event: Any) -> None:
        super().__init__(("127.0.0.1", 9001), _Conversation, bind_and_activate=False)
        self.socket.close()
        self.socket = sandbox.socket()
        self.socket.bind(self.server_address)
        self.socket.listen(64)
        self.event = json.dumps(event).encode()
        self.changed = threading.Condition()
        self.asked = 0
        self.answers: list[Any] = []
        self.failures: list[str] = []
        self.over = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: the function was ended."""

    def wait_for_answers(self) -> None:
        """Of all workers, or a failure, or a time-out: the test looks which it was."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.answers) == WORKERS or self.failures, _SECONDS)


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _api(self) -> RuntimeApi:
        assert isinstance(self.server, RuntimeApi)
        return self.server

    def do_GET(self) -> None:
        api = self._api
        if self.path != _NEXT:
            return  # the handler's own, which waits for no answer
        with api.changed:
            api.asked += 1
            number = api.asked
            api.changed.notify_all()
            api.changed.wait_for(lambda: api.asked >= WORKERS, _SECONDS)
        if number > WORKERS:
            api.over.wait(_SECONDS)
            return
        identity = {"Lambda-Runtime-Aws-Request-Id": f"request-{number}", "Lambda-Runtime-Deadline-Ms": "4102444800000"}
        about = {"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:::fn", "Content-Type": "application/json"}
        self._say(200, api.event, identity | about)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        with self._api.changed:
            if self.path.endswith("/response"):
                self._api.answers.append(json.loads(body))
            else:
                self._api.failures.append(body)
            self._api.changed.notify_all()
        self._say(202)

    def _say(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked is what the test looks at."""


@dataclass
class Served:
    """What the workers answered, what failed, and the shield's lines."""

    answers: list[Any]
    failures: list[str]
    lines: list[dict[str, Any]]


@pytest.fixture(scope="module")
def machine_layer() -> Path:
    """The layer for this machine."""
    build([f"layer/{platform.machine()}"])
    return BINARIES / "layer" / platform.machine()


def serve(line: int, code: Path, layer: Path, event: Any, environment: Mapping[str, str]) -> Served:
    """Starts the function as Managed Instances do, and invokes it once in each worker."""
    runtime = find(f"nodejs{line}.x")
    if reason := runtime.missing():
        pytest.skip(reason)
    (code / "one_after_the_other.cjs").write_text(_ONE_AFTER_THE_OTHER)
    with Sandbox(code, layer, runtime=runtime) as sandbox:
        if not sandbox.isolation.whole:
            pytest.skip(f"needs a network of its own: {sandbox.isolation.note}")
        with RuntimeApi(sandbox, event) as api:
            command = ["/opt/shielded-function/shield", *runtime.command]
            process = sandbox.start(command, environment={**_MANAGED, **environment})
            api.wait_for_answers()
            process.kill()
            stderr = process.communicate()[1].decode()
            api.over.set()
            api.shutdown()
    return Served(api.answers, api.failures, shield_lines(stderr.splitlines()))


@pytest.mark.parametrize(
    ("line", "layout"),
    long_but({(LINES[-1], MAIN)}, [(line, layout) for line in LINES for layout in LAYOUTS]),
    ids=lambda value: f"node{value}" if isinstance(value, int) else value,
)
def test_every_worker_serves(
    line: int, layout: str, codes: dict[str, Path], tmp_path: Path, machine_layer: Path
) -> None:
    """With all that may be blocked: each worker loads the handler, and what it tries is refused, but for its source."""
    shutil.copytree(codes[layout], tmp_path / "code")
    tmp_path.chmod(0o755)
    source = [attempt for attempt in attempts_of(line, MAIN, ("source",)) if attempt.policy]
    event = {"attempts": [{"id": a.id, "section": "source", "name": a.name, "worker": False} for a in source]}
    settings = {"_HANDLER": LAYOUTS[layout], **ShieldPolicy(read_handler="allow").to_env()}
    served = serve(line, tmp_path / "code", machine_layer, event, settings)
    assert served.failures == []
    assert len(served.answers) == WORKERS
    assert [told for answer in served.answers for told in answer.values() if "error" in told] == []
    assert [one for one in served.lines if "policy" in one] == []


@pytest.mark.parametrize("mode", ["block", "alert"])
def test_a_handler_that_each_worker_loads_is_not_closed(
    mode: Literal["block", "alert"], tmp_path: Path, machine_layer: Path
) -> None:
    tmp_path.chmod(0o755)
    runtime = find(f"nodejs{LINES[-1]}.x")
    if reason := runtime.missing():
        pytest.skip(reason)
    settings = {**_MANAGED, "_HANDLER": "index.handler", **ShieldPolicy(read_handler=mode).to_env()}
    with Sandbox(tmp_path, machine_layer, runtime=runtime) as sandbox:
        done = sandbox.run_command(["/opt/shielded-function/shield", *runtime.command], environment=settings)
    (line,) = done.shield_lines
    assert (done.returncode, line["event"]) == (78, "refused")
    assert line["reason"].startswith("read_handler: Node.js on Lambda Managed Instances loads the handler in several")
