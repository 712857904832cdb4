"""Which JavaScript an alert names: in each version that Lambda has, however the call was made."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lief
import pytest
from aws_cdk import aws_lambda as lambda_

from harness.running import SHIELD, policy, prepare_tmp, whole_sandbox
from runtimes.attempts import ALERT
from runtimes.functions import STACK, Described, policy_of, synthesize
from runtimes.functions import shield_lines as shielded
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.function import EmulatedFunction
from shielded_function_emulator.languages import node
from shielded_function_emulator.sandbox import Completed, Sandbox, shield_lines

HERE = Path(__file__).parent
TASK = HERE / "callers"
NODE = "/var/lang/bin/node"
FOLDER = {"LAMBDA_TASK_ROOT": "/var/task"}
WATCHED = policy(read_write_tmp="alert", outbound_connectivity="block", create_child_process="block") | FOLDER
RUNTIMES = {each.name: each for each in node.RUNTIMES}
OLDEST = "nodejs20.x"
"""What Sparkplug compiled for it has no lines."""


class Caller(NamedTuple):
    """What an alert says of its caller. `line`: what stands in the line; it is the first one behind `after`."""

    function: str
    file: str
    line: str
    through: tuple[str, ...]
    after: str = ""


def own(function: str, way: str = "", line: str = "fs.readFileSync(FILE)") -> Caller:
    return Caller(function, "app.js", line, ("app",), f"{way or function}(")


def read(*through: str) -> Caller:
    return Caller("read", "node_modules/reader/lib/read.js", "readFileSync(", ("reader", *through))


def started(function: str, line: str) -> Caller:
    return Caller(function, "node_modules/starter/index.js", line, ("starter", "app"))


UNUSUAL = "node_modules/@acme/ünusual"
# What is called: the callers of the alerts, in their order. None: nobody is named.
WAYS: Mapping[str, list[Caller | None]] = {
    "by_itself": [own("by_itself")],
    "through_packages": [read("@acme/opener", "app")],
    "when_required": [Caller("", "node_modules/loud/index.js", "readFileSync(", ("loud", "app"))],
    "after_await": [read("app")],
    "in_an_es_module": [Caller("peek", "node_modules/modern/index.mjs", "=> readFileSync(", ("modern", "app"))],
    "when_imported": [Caller("", "node_modules/modern/loud.mjs", "readFileSync('", ("modern",))],
    "under_foreign_names": [
        Caller("lés", f"{UNUSUAL}/index.js", "fs.readFileSync(", ("@acme/ünusual", "app")),
    ],
    "under_foreign_names_of_a_url": [
        Caller("lesen", f"{UNUSUAL}/名前 1.mjs", "fs.readFileSync(", ("@acme/ünusual", "app")),
    ],
    "in_a_constructor": [own("Account", "constructor", "fs.readFileSync(name)")],
    "in_a_getter": [own("get balance", "get balance")],
    "in_a_callback_of_a_builtin": [own("readOne", "function readOne", "fs.readFileSync(name)")],
    "in_a_method_after_await": [own("load", "async load")],
    "in_a_generator": [own("rows", "*rows")],
    "in_a_callback_of_json": [own("revive", "function revive")] * 2,
    "in_a_proxy": [own("get", "in_a_proxy")],
    "by_eval": [own("by_eval", line="eval(")],
    "in_a_script_of_vm": [Caller("", "app.js", "vm.runInThisContext(", ("app", "made"), "in_a_script_of_vm(")],
    "at_the_end_of_a_deep_stack": [Caller("deep", "app.js", "fs.readFileSync(FILE)", ("app",), "function deep(")],
    "at_the_end_of_a_very_deep_stack": [read("app")],
    "in_a_timer": [own("ring", "function ring")],
    "in_a_worker": [read("worker")],
    "in_a_worker_of_no_file": [read()],
    "on_the_pool": [None, None],
    "by_dns": [own("by_dns", line="resolver.resolve4(")],
    "by_a_socket": [None],
    "by_spawn": [started("spawn", "childProcess.spawn(")],
    "by_exec": [started("exports.exec", "childProcess.exec(")],
    "by_exec_file": [started("execFile", "childProcess.execFile(")],
    "by_fork": [started("fork", "childProcess.fork(")],
    "by_spawn_sync": [own("by_spawn_sync", line="childProcess.spawnSync(")],
    "by_exec_sync": [Caller("", "app.js", "childProcess.execSync(", ("app",))],
    "by_spawn_after_await": [own("by_spawn_after_await", line="childProcess.spawn(")],
    "by_spawn_in_a_worker": [
        Caller("work", "worker.js", "spawnSync(", ("worker",)),
    ],
}
MANY, HOT, FALSE = "by_spawn_of_many_at_once", "in_hot_code", "under_a_false_name"


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("callers") / "code"
    shutil.copytree(TASK, folder)
    return folder


@pytest.fixture(scope="module", params=RUNTIMES)
def box(request: pytest.FixtureRequest, layer: Path, code: Path) -> Iterator[Sandbox]:
    runtime = RUNTIMES[request.param]
    if reason := runtime.missing():
        pytest.skip(reason)
    with whole_sandbox(code, layer, runtime=runtime) as sandbox:
        prepare_tmp(sandbox)
        yield sandbox


def run(box: Sandbox, *command: str, settings: Mapping[str, str] = WATCHED) -> Completed:
    done = box.run_command([SHIELD, NODE, *command], environment=settings, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def callers(lines: Sequence[str]) -> list[dict[str, Any]]:
    """Of each alert; without the shared object."""
    alerts = [line for line in shield_lines(lines) if "policy" in line]
    assert all("object" in alert["caller"] for alert in alerts)
    return [{name: value for name, value in a["caller"].items() if name != "object"} for a in alerts]


def named_by(box: Sandbox, *options: str) -> Mapping[str, list[dict[str, Any]]]:
    """Who is named for each way, all in one process."""
    ways = [*WAYS, MANY, HOT, FALSE]
    log = run(box, *options, "/var/task/app.js", *ways).stderr
    parts = [part.partition("\n") for part in log.split("--- ")[1:]]
    assert [way for way, _, _ in parts] == ways
    return {way: callers(log.splitlines()) for way, _, log in parts}


@pytest.fixture(scope="module")
def named(box: Sandbox) -> Mapping[str, list[dict[str, Any]]]:
    return named_by(box)


def line_of(caller: Caller) -> int:
    lines = (TASK / caller.file).read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines, 1) if caller.after in line) if caller.after else 0
    return next(number for number, line in enumerate(lines[start:], start + 1) if caller.line in line)


def as_written(caller: Caller | None) -> dict[str, Any]:
    if caller is None:
        return {}
    return ({"function": caller.function} if caller.function else {}) | {
        "file": f"/var/task/{caller.file}",
        "line": line_of(caller),
        "package": caller.through[0],
        "through": list(caller.through),
    }


@pytest.mark.parametrize("way", WAYS)
def test_the_caller_is_named(named: Mapping[str, list[dict[str, Any]]], way: str) -> None:
    """Fails as well where a version that Lambda has gives no answer."""
    assert named[way] == [as_written(caller) for caller in WAYS[way]]


def test_each_of_many_programs_at_once_has_its_caller(named: Mapping[str, list[dict[str, Any]]]) -> None:
    """A worker's thread and the main one fork at the same time."""
    spawn, work = (as_written(WAYS[way][0]) for way in ("by_spawn", "by_spawn_in_a_worker"))
    assert sorted(named[MANY], key=json.dumps) == sorted([work, *[spawn] * 10], key=json.dumps)


def test_hot_code_is_named_with_the_right_line_or_none(named: Mapping[str, list[dict[str, Any]]]) -> None:
    (caller,) = named[HOT]
    expected = as_written(Caller("hot", "app.js", "fs.readFileSync(", ("app",), "function hot("))
    assert caller == expected | {"line": caller.get("line", expected["line"])} or caller == {
        name: value for name, value in expected.items() if name != "line"
    }
    assert caller.get("line", expected["line"]) == expected["line"]


def test_what_sparkplug_compiled_has_lines(box: Sandbox) -> None:
    named = named_by(box, "--always-sparkplug", "--no-opt", "--no-maglev")
    for way, expected in WAYS.items():
        wanted = [as_written(caller) for caller in expected]
        if box.runtime.name == OLDEST:
            wanted = [{name: value for name, value in each.items() if name != "line"} for each in wanted]
        assert named[way] == wanted, way


def test_a_false_name_is_believed(named: Mapping[str, list[dict[str, Any]]]) -> None:
    """Known to get through (docs/security/limits.md): who is named is who appears to call."""
    (caller,) = named[FALSE]
    assert (caller["function"], caller["package"]) == ("send", "@aws-sdk/client-s3")


def write_stranger(program: Path, to: Path) -> None:
    """The same program, but that it says to be of another version of V8, as does the snapshot that it starts from."""
    content = bytearray(program.read_bytes())
    parsed = lief.ELF.parse(list(content))
    assert parsed
    places = {each.name: parsed.virtual_address_to_offset(each.value) for each in parsed.dynamic_symbols if each.value}
    major, minor = (places[f"_ZN2v88internal7Version6{part}_E"] for part in ("major", "minor"))
    said = re.compile(rf"{content[major]}\.{content[minor]}(\.\d+\.\d+-node)".encode())
    content[minor] = 9
    to.write_bytes(said.sub(rb"%d.9\1" % content[major], content))


def test_a_version_that_is_not_known_names_nobody(layer: Path, tmp_path: Path) -> None:
    runtime = node.RUNTIMES[-1]
    if reason := runtime.missing():
        pytest.skip(reason)
    code = tmp_path / "code"
    shutil.copytree(TASK, code)
    write_stranger(runtime.mounts()["/var/lang"] / "bin" / "node", code / "node")
    command = ["/var/task/node", "--no-verify-snapshot-checksum", "/var/task/app.js", "by_itself", "by_spawn_sync"]
    with whole_sandbox(code, layer, runtime=runtime) as box:
        prepare_tmp(box)
        done = box.run_command([SHIELD, *command], environment=WATCHED)
    assert done.returncode == 0, done.stderr[-3000:]
    assert callers(done.stderr.splitlines()) == [{}, {}]


def test_code_that_node_cannot_have_run_names_nobody(box: Sandbox) -> None:
    """No JavaScript is on the stack of a thread of the pool, nor when the program ends."""
    code = "process.on('exit', () => {}); require('fs').readFile('/tmp/there', () => {})"
    assert callers(run(box, "-e", code).stderr.splitlines()) == [{}]


def test_the_functions_own_folder_is_sealed(box: Sandbox) -> None:
    """It is the one that the function started with, whatever its code does to the environment; a child has it too."""
    code = "process.env.LAMBDA_TASK_ROOT = '/elsewhere'; require('/var/task/app.js').ways.by_itself();"
    options = "['/var/task/app.js', 'by_itself'], { env: {}, stdio: 'inherit' }"
    code += f"require('child_process').spawnSync(process.execPath, {options})"
    done = run(box, "-e", code, settings=policy(read_write_tmp="alert") | FOLDER)
    assert callers(done.stderr.splitlines()) == [as_written(own("by_itself"))] * 2


@pytest.fixture(scope="module")
def functions(code: Path, tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    described = [
        Described(
            id=name,
            runtime=lambda_.Runtime(name, lambda_.RuntimeFamily.NODEJS),
            handler="handled.handler",
            code=code,
            policy=policy_of(ALERT),
        )
        for name in RUNTIMES
    ]
    return synthesize(tmp_path_factory.mktemp("functions") / "cdk.out", described)


@pytest.mark.parametrize("name", RUNTIMES)
def test_lambdas_own_client_is_not_named(functions: CloudAssembly, layer: Path, name: str) -> None:
    """It is under every frame of the handler."""
    if reason := RUNTIMES[name].missing():
        pytest.skip(reason)
    with EmulatedFunction(functions.function(STACK, name)) as function:
        function.sandbox.path("/tmp/there").write_text("content")
        invocation = function.invoke({})
    assert invocation.payload == "done", invocation
    alerts, _ = shielded(invocation.log)
    told = {alert.policy: alert.frame for alert in alerts if alert.frame}
    assert told["read_write_tmp"].chain == ("reader", "@acme/opener", "handled")
    assert told["create_child_process"].chain == ("handled",)
    assert told["create_child_process"].function == "handler"


def test_where_no_program_can_be_alerted_nobody_looks(box: Sandbox) -> None:
    done = run(box, "/var/task/app.js", "by_spawn", "by_exec_sync", settings=policy(outbound_connectivity="block"))
    assert callers(done.stderr.splitlines()) == []
