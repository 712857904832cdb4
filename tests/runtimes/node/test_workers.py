"""Managed Instances: the runtime client starts several threads, and each of them loads the handler and asks for work.

The first asks before the last has loaded it, in one process, so `read_handler` cannot be blocked there; all else can.
"""

from __future__ import annotations

import platform
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from emulated_lambda.languages import find
from emulated_lambda.sandbox import Sandbox, shield_lines
from shielded_function import ShieldPolicy
from shielded_function_runtime.build.native import BINARIES, build

LINES = (22, 24)  # the client has it since then
WORKERS = 4  # each waits in a thread of libuv, which has no more
_SECONDS = 60.0
_HANDLER = "export const handler = async () => 'hello';\n"


class RuntimeApi(ThreadingHTTPServer):
    """Lets everybody wait who asks for work, and counts them; what else is said of the start is kept."""

    daemon_threads = True

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(("127.0.0.1", 9001), _Conversation, bind_and_activate=False)
        self.socket.close()
        self.socket = sandbox.socket()
        self.socket.bind(self.server_address)
        self.socket.listen(64)
        self.asked: list[str] = []
        self.failures: list[str] = []
        self.over = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class _Conversation(BaseHTTPRequestHandler):
    @property
    def _api(self) -> RuntimeApi:
        assert isinstance(self.server, RuntimeApi)
        return self.server

    def do_GET(self) -> None:
        self._api.asked.append(self.path)
        self._api.over.wait(_SECONDS)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._api.failures.append(body.decode(errors="replace"))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked is what the test looks at."""


@pytest.fixture(scope="module")
def machine_layer() -> Path:
    """The layer for this machine."""
    build([f"layer/{platform.machine()}"])
    return BINARIES / "layer" / platform.machine()


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"node{line}")
def test_every_worker_starts_where_the_handler_may_be_read(line: int, tmp_path: Path, machine_layer: Path) -> None:
    runtime = find(f"nodejs{line}.x")
    if reason := runtime.missing():
        pytest.skip(reason)
    tmp_path.chmod(0o755)
    (tmp_path / "index.mjs").write_text(_HANDLER)
    environment = {
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "AWS_LAMBDA_MAX_CONCURRENCY": "8",
        "AWS_LAMBDA_NODEJS_WORKER_COUNT": str(WORKERS),
        "_HANDLER": "index.handler",
        **ShieldPolicy(read_handler="allow").to_env(),
    }
    with Sandbox(tmp_path, machine_layer, runtime=runtime) as sandbox:
        if not sandbox.isolation.whole:
            pytest.skip(f"needs a network of its own: {sandbox.isolation.note}")
        with RuntimeApi(sandbox) as api:
            process = sandbox.start(["/opt/shielded-function/shield", *runtime.command], environment=environment)
            deadline = time.monotonic() + _SECONDS
            while len(api.asked) < WORKERS and not api.failures and time.monotonic() < deadline:
                time.sleep(0.02)
            process.kill()
            stderr = process.communicate()[1].decode()
            api.over.set()
            api.shutdown()
    assert api.failures == []
    assert api.asked == ["/2018-06-01/runtime/invocation/next"] * WORKERS, stderr
    assert [line.get("event") for line in shield_lines(stderr.splitlines())] == ["armed"]
