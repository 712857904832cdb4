"""Node.js where V8 alone may make memory executable: stricter than the default, which lets all native code."""

from __future__ import annotations

import errno
import shutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from aws_cdk import aws_lambda as lambda_

from harness.engine import layer
from harness.running import SHIELD, heard_outside, policy, prepare_tmp, whole_sandbox
from runtimes.functions import STACK, Described, synthesize
from runtimes.node.conftest import EACH_NODE, RUNTIMES
from shielded_function import ShieldPolicy
from shielded_function_emulator.emulated_function import EmulatedFunction
from shielded_function_emulator.languages import find
from shielded_function_emulator.machine import architecture
from shielded_function_emulator.sandbox import Completed, Sandbox
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


# V8's flags: "unset" counts as the strictest mode of the others.
EVERY = ("outbound_connectivity", "read_write_tmp", "create_child_process")
BLOCKED = {name: value for name, value in policy(**dict.fromkeys(EVERY, "block")).items() if "MEMORY" not in name}
ALERTED = BLOCKED | {f"SHIELD_{name.upper()}": "alert" for name in EVERY}
LISTED = {"SHIELD_ALLOW_EXECUTABLE_MEMORY": "node,node-flags"}
ALLOWED = {"SHIELD_EXECUTABLE_MEMORY": "allow"}
V8_LISTED = {"SHIELD_EXECUTABLE_MEMORY": "block", "SHIELD_ALLOW_EXECUTABLE_MEMORY": "node"}
NO_OUTBOUND = {"SHIELD_OUTBOUND_CONNECTIVITY": "allow"}
SWITCH = {"SHIELD_BLOCK_FOREIGN_FUNCTIONS": "on"}


@pytest.fixture(scope="module")
def box(name: str, layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    code = shutil.copytree(Path(__file__).parent / "memory", tmp_path_factory.mktemp("memory") / "code")
    with whole_sandbox(code, layer, runtime=RUNTIMES[name]) as sandbox:
        yield sandbox


def run_node(box: Sandbox, name: str, settings: Mapping[str, str], *arguments: str) -> Completed:
    platform = {"AWS_EXECUTION_ENV": f"AWS_Lambda_{name}"}
    return box.run_command([SHIELD, NODE, *arguments], environment={**platform, **settings}, timeout=120)


def told_of_flags(done: Completed) -> list[tuple[str, str]]:
    return [(x["mode"], x["details"]["path"]) for x in done.shield_lines if x.get("allow") == "node-flags"]


@EACH_NODE
@pytest.mark.promise("memory.v8-flags")
@pytest.mark.skipif(architecture() != "x86_64", reason="its machine code is of x86_64")
@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        (BLOCKED | ALLOWED, "allow"),
        (BLOCKED | LISTED, "allow"),
        (ALERTED, "alert"),
        (BLOCKED, "block"),
        (BLOCKED | NO_OUTBOUND, "block"),
        (BLOCKED | V8_LISTED, "block"),
        (BLOCKED | ALLOWED | SWITCH, "block"),
        (ALERTED | SWITCH, "block"),
    ],
)
def test_javascript_that_takes_all_memory(box: Sandbox, name: str, settings: Mapping[str, str], mode: str) -> None:
    """Without a native module, it reaches any host; by block, it does not get that far."""
    heard, done = heard_outside(box, lambda: run_node(box, name, settings, "/var/task/all_memory.js"))
    assert heard == (b"" if mode == "block" else b"arrived"), done.stderr
    assert done.returncode == (1 if mode == "block" else 0)
    flags = [flag for told, flag in told_of_flags(done) if told == mode]
    assert flags[:1] == ([] if mode == "allow" else ["--no-wasm-bounds-checks"])
    assert ("shielded-function: V8's flags may not change" in done.stderr) is (mode == "block")


@EACH_NODE
@pytest.mark.promise("kernel.limits")
@pytest.mark.skipif(architecture() != "x86_64", reason="its machine code is of x86_64")
@pytest.mark.parametrize(
    ("limits", "results", "status"), [("on", [-errno.EFBIG] * 3, -signal.SIGSEGV), ("off", [0, 7, 7], 42)]
)
def test_the_kernel_holds_what_webassembly_asks(
    box: Sandbox, name: str, limits: str, results: list[int], status: int
) -> None:
    """System calls that no gate sees: a memory file does not grow, no file is written to, no program starts."""
    prepare_tmp(box)
    settings = BLOCKED | ALLOWED | {"SHIELD_KERNEL_LIMITS": limits}
    done = run_node(box, name, settings, "/var/task/all_memory.js", "limits")
    assert done.stdout.splitlines()[-1] == " ".join(["true", *map(str, results)]), done.stderr
    assert done.returncode == status


# Recursion over most of the main thread's 8 MB, and memory of WebAssembly, which grows after the first event.
ROOM = """
require('node:fs').writeSync(1, 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n');
const [hard] = /Max stack size.*/.exec(require('node:fs').readFileSync('/proc/self/limits', 'utf8'));
const memory = new WebAssembly.Memory({ initial: 1, maximum: 4096, shared: true });
memory.grow(2048), new Uint8Array(memory.buffer).fill(1);
let depth = 0;
const down = () => { depth++; down(); };
try { down(); } catch (error) { console.log(error.name, depth > 40000, memory.buffer.byteLength, /0 +0/.test(hard)); }
"""


@EACH_NODE
@pytest.mark.promise("kernel.limits")
def test_deep_calls_and_memory_work_under_limits(box: Sandbox, name: str) -> None:
    done = run_node(box, name, BLOCKED, "--stack-size=7600", "-e", ROOM)
    assert done.stdout.splitlines()[-1] == f"RangeError true {2049 << 16} true", done.stderr
    assert done.returncode == 0


@EACH_NODE
@pytest.mark.promise("memory.v8-flags")
def test_every_way_to_the_flags_is_asked(box: Sandbox, name: str) -> None:
    """Also for `import` and for threads; a flag that only measures or limits is ignored, with a line."""
    ways = ["require", "import", "builtin", "harmless", "not_text", "worker"]
    ways += ["binding"] * (name in ("nodejs20.x", "nodejs22.x"))
    said = {"harmless": "undefined", "not_text": "ERR_INVALID_ARG_TYPE"}
    done = run_node(box, name, BLOCKED, "/var/task/flags.cjs", *ways)
    assert done.stdout.splitlines() == [f"{way}: {said.get(way, 'EACCES')}" for way in ways], done.stderr
    assert set(told_of_flags(done)) == {("block", "--expose-gc"), ("block", "--stack-size=900")}
    line = next(line for line in done.shield_lines if line.get("allow") == "node-flags")
    assert (line["policy"], line["severity"]) == ("executable_memory", "warning")
    assert line["caller"]["file"] == "/var/task/flags.cjs"
    learned = run_node(
        box, name, ALERTED | {"SHIELD_ALLOW_EXECUTABLE_MEMORY": "node-flags"}, "/var/task/flags.cjs", *ways
    )
    assert not told_of_flags(learned)
    assert "EACCES" not in learned.stdout


@EACH_NODE
@pytest.mark.promise("memory.v8-flags")
@pytest.mark.parametrize("way", ["bare_worker", "internals"])
def test_behind_the_preload_the_flags_are_frozen(box: Sandbox, name: str, way: str) -> None:
    """A thread that leaves the preload out, or goes past it, ends the process: V8's own check."""
    done = run_node(box, name, BLOCKED, "/var/task/flags.cjs", way)
    is_asked = way == "internals" and name in ("nodejs20.x", "nodejs22.x")  # whose binding the preload has
    assert (done.returncode < 0) is not is_asked
    assert ("V8's flags may not change" if is_asked else "Check failed: !IsFrozen()") in done.stdout + done.stderr
    assert "changed" not in done.stdout


@EACH_NODE
def test_where_the_flags_are_not_frozen(box: Sandbox, name: str) -> None:
    """Known to get through (docs/security/limits.md): children, and a program whose version is not known."""
    listed = BLOCKED | {"SHIELD_ALLOW_CHILD_PROCESS": NODE}
    done = run_node(box, name, listed, "/var/task/flags.cjs", "bare_child", "flag_of_child")
    assert done.stdout.splitlines() == ["bare_child: changed", "flag_of_child: function"], done.stderr
    done = run_node(box, name, BLOCKED | {"AWS_EXECUTION_ENV": ""}, "/var/task/flags.cjs", "bare_worker", "require")
    assert done.stdout.splitlines() == ["changed", "bare_worker: 0", "require: EACCES"], done.stderr


@EACH_NODE
def test_a_code_cache_made_by_hand_is_run(box: Sandbox, name: str) -> None:
    """Known to get through (docs/security/limits.md): V8 does not check what its own code cache does."""
    done = run_node(box, name, BLOCKED, "/var/task/code_cache.js")
    assert done.stdout == "an object that nobody gave it\n", done.stderr
    assert told_of_flags(done) == []
