"""Node.js where V8 alone may make memory executable: stricter than the default, which lets all native code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from aws_cdk import aws_lambda as lambda_

from harness.engine import layer
from harness.running import SHIELD, policy, whole_sandbox
from runtimes.functions import STACK, Described, synthesize
from shielded_function import ShieldPolicy
from shielded_function_emulator.function import EmulatedFunction
from shielded_function_emulator.languages import find
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_monitoring import Alert, parse_line

# Hot enough for each of V8's compilers, a regular expression, and many functions.
HANDLER = """
exports.handler = async () => {
    let sum = 0;
    for (let i = 0; i < 2e7; i++) sum += Math.sqrt(i) % 3;
    for (let i = 0; i < 1000; i++) sum += new Function('x', `return x + ${i}`)(1);
    return { compiled: sum > 0, matched: /a(b+)c/.exec('xabbbc')[1] };
};
"""
__all__ = ["layer"]

V8_ALONE = ShieldPolicy(executable_memory="block", allow_executable_memory=["node"])


def test_v8_alone_may_compile(tmp_path: Path) -> None:
    if reason := find("nodejs22.x").missing():
        pytest.skip(reason)
    (code := tmp_path / "code").mkdir()
    (code / "app.js").write_text(HANDLER)
    described = Described("Node", lambda_.Runtime.NODEJS_22_X, "app.handler", code, V8_ALONE)
    package = synthesize(tmp_path / "cdk.out", [described]).function(STACK, "Node")
    with EmulatedFunction(package) as function:
        invocations = [function.invoke({}) for _ in range(2)]
    assert [each.payload for each in invocations] == [{"compiled": True, "matched": "bbb"}] * 2
    lines = [parse_line(line.message) for each in invocations for line in each.log]
    assert [line for line in lines if isinstance(line, Alert)] == []


NODE = "/var/lang/bin/node"
FFI = "console.log(typeof require('node:ffi').dlopen)"
CONFIG = "node.config.json"
UNSET = {name: value for name, value in policy(read_write_tmp="block").items() if "MEMORY" not in name}
CHILD = """
const { spawnSync } = require('node:child_process');
const child = spawnSync(process.execPath, ['--experimental-ffi', '-e', '1']);
console.log(child.status, String(child.stderr));
"""
WORKER = f'new (require("node:worker_threads").Worker)(`{FFI}`, {{ eval: true, execArgv: ["--experimental-ffi"] }})'


@pytest.fixture(scope="module")
def newest(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Node.js 26, which has a foreign-function interface itself."""
    newest = find("nodejs26.x")
    if reason := newest.missing():
        pytest.skip(reason)
    with whole_sandbox(tmp_path_factory.mktemp("newest"), layer, runtime=newest) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("settings", "options", "environment"),
    [
        (UNSET, ["--experimental-ffi"], {}),
        (UNSET, ["--experimental_ffi"], {}),
        (UNSET, [], {"NODE_OPTIONS": "--no-warnings --experimental-ffi"}),
        (UNSET, [], {"NODE_OPTIONS": r'"--experi\mental-ffi"'}),
        (policy(executable_memory="block") | {"SHIELD_ALLOW_EXECUTABLE_MEMORY": "node"}, ["--experimental-ffi"], {}),
        (policy() | {"SHIELD_BLOCK_FOREIGN_FUNCTIONS": "on"}, ["--experimental-ffi"], {}),
    ],
)
def test_ffi_is_refused(
    newest: Sandbox, settings: Mapping[str, str], options: list[str], environment: Mapping[str, str]
) -> None:
    """The same where nothing else is known to call any address: `koffi` and its like."""
    unshielded = newest.run_command([NODE, *options, "-e", FFI], environment=dict(environment))
    assert unshielded.stdout == "function\n", unshielded.stderr
    done = newest.run_command([SHIELD, NODE, *options, "-e", FFI], environment={**settings, **environment})
    assert done.returncode == 78, done.stderr
    assert done.shield_lines[0]["reason"].startswith("--experimental-ffi lets JavaScript call any address")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (policy(read_write_tmp="block"), []),
        (policy(executable_memory="block") | {"SHIELD_ALLOW_EXECUTABLE_MEMORY": "node,node-ffi"}, []),
        ({**UNSET, "SHIELD_READ_WRITE_TMP": "alert"}, [("executable_memory", "alert")]),
    ],
)
def test_ffi_is_allowed(newest: Sandbox, settings: Mapping[str, str], told: list[tuple[str, str]]) -> None:
    done = newest.run_command([SHIELD, NODE, "--experimental-ffi", "-e", FFI], environment=dict(settings))
    assert done.stdout == "function\n", done.stderr
    assert [(x["policy"], x["mode"]) for x in done.shield_lines if x.get("allow") == "node-ffi"] == told


def test_ffi_in_a_child(newest: Sandbox) -> None:
    done = newest.run_command([SHIELD, NODE, "-e", CHILD], environment=UNSET)
    assert done.stdout.startswith("78 "), done.stderr
    assert "--experimental-ffi lets" in done.stdout


@pytest.mark.parametrize("options", [["-e", WORKER], [f"--experimental-config-file=/var/task/{CONFIG}", "-e", FFI]])
def test_a_worker_turns_ffi_on(newest: Sandbox, options: list[str]) -> None:
    """A limit, and so does a file of options: the process is the same, and the option is in no argument."""
    assert newest.task
    (newest.task / CONFIG).write_text('{"nodeOptions": {"experimental-ffi": true}}')
    done = newest.run_command([SHIELD, NODE, *options], environment=UNSET)
    assert done.stdout == "function\n", done.stderr
