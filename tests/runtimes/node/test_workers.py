"""Managed Instances: the runtime client starts several threads, and each of them loads the handler and asks for work.

The first asks before the last has loaded it, in one process: so `read_handler` has to be `allow` there.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

import pytest

from harness.running import SHIELD, whole_sandbox
from harness.thinning import long_but
from integration.readiness.api import LOCAL, NEXT, RuntimeApi
from runtimes.node.conftest import LAYOUTS, MAIN, attempts_of
from shielded_function import ShieldPolicy
from shielded_function_emulator.languages import find
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.sandbox import shield_lines

pytestmark = pytest.mark.promise("handler.workers")

LINES = (22, 24)  # the client has it since then
WORKERS = 6
# Each worker begins when the one before it has asked for work.
_ONE_AFTER_THE_OTHER = """
const { isMainThread, threadId } = require("node:worker_threads");
if (!isMainThread) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400 * (threadId - 1));
"""
_NAMES = ("FUNCTION_NAME", "FUNCTION_VERSION", "FUNCTION_MEMORY_SIZE", "LOG_GROUP_NAME", "LOG_STREAM_NAME")
_MANAGED = {
    **{f"AWS_LAMBDA_{name}": "1" for name in _NAMES},  # the client insists
    "AWS_LAMBDA_RUNTIME_API": "{}:{}".format(*LOCAL),
    "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances",
    "AWS_LAMBDA_MAX_CONCURRENCY": "8",
    "AWS_LAMBDA_NODEJS_WORKER_COUNT": str(WORKERS),
    "UV_THREADPOOL_SIZE": str(2 * WORKERS),  # each waits in a thread of libuv
    "NODE_OPTIONS": "--require /var/task/one_after_the_other.cjs",
}


def runtime_of(line: int) -> Runtime:
    runtime = find(f"nodejs{line}.x")
    if reason := runtime.missing():
        pytest.skip(reason)
    return runtime


@pytest.mark.parametrize(
    ("line", "layout"),
    long_but({(LINES[-1], MAIN)}, [(line, layout) for line in LINES for layout in LAYOUTS]),
    ids=lambda value: f"node{value}" if isinstance(value, int) else value,
)
def test_every_worker_serves(line: int, layout: str, codes: dict[str, Path], tmp_path: Path, layer: Path) -> None:
    """With all that may be blocked: each worker loads the handler, and what it tries is refused, but for its source."""
    runtime, code = runtime_of(line), tmp_path / "code"
    shutil.copytree(codes[layout], code)
    (code / "one_after_the_other.cjs").write_text(_ONE_AFTER_THE_OTHER)
    source = [attempt for attempt in attempts_of(line, MAIN, ("source",)) if attempt.policy]
    event = {"attempts": [{"id": a.id, "section": "source", "name": a.name, "worker": False} for a in source]}
    settings = {**_MANAGED, "_HANDLER": LAYOUTS[layout], **ShieldPolicy(read_handler="allow").to_env()}
    with whole_sandbox(code, layer, runtime=runtime) as sandbox, RuntimeApi(sandbox, LOCAL) as api:
        process = sandbox.start([SHIELD, *runtime.command], environment=settings)
        api.wait_for(NEXT, WORKERS)
        for _ in range(WORKERS):
            api.give(event)
        answers = api.answers(WORKERS)
        process.kill()
        stderr = process.communicate()[1].decode()
    assert [asked for asked in api.asked if asked.path.endswith("/error")] == []
    assert [told for answer in answers for told in answer.values() if "error" in told] == []
    assert [one for one in shield_lines(stderr.splitlines()) if "policy" in one] == []


@pytest.mark.parametrize("mode", ["block", "alert"])
def test_a_handler_that_each_worker_loads_is_not_closed(
    mode: Literal["block", "alert"], tmp_path: Path, layer: Path
) -> None:
    runtime = runtime_of(LINES[-1])
    settings = {**_MANAGED, "_HANDLER": "index.handler", **ShieldPolicy(read_handler=mode).to_env()}
    with whole_sandbox(tmp_path, layer, runtime=runtime) as sandbox:
        done = sandbox.run_command([SHIELD, *runtime.command], environment=settings)
    (line,) = done.shield_lines
    assert (done.returncode, line["event"]) == (78, "refused")
    assert line["reason"].startswith("read_handler: Node.js on Lambda Managed Instances loads the handler in several")
