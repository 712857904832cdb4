"""Which JavaScript an alert names: in each version that Lambda has, however the call was made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import lief
import pytest
from aws_cdk import aws_lambda as lambda_

from harness.running import SHIELD, policy, prepare_tmp, whole_sandbox
from runtimes.attempts import ALERT
from runtimes.functions import STACK, Described, policy_of, synthesize
from runtimes.functions import shield_lines as shielded
from runtimes.node.named import (
    FALSE,
    FOLDER,
    HOT,
    MANY,
    WATCHED,
    WAYS,
    Caller,
    as_written,
    callers,
    copy_task,
    named_by,
    own,
    run,
)
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.function import EmulatedFunction
from shielded_function_emulator.languages import node
from shielded_function_emulator.sandbox import Sandbox

NODE = "/var/lang/bin/node"
RUNTIMES = {each.name: each for each in node.RUNTIMES}
OLDEST = "nodejs20.x"
"""What Sparkplug compiled for it has no lines."""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_task(tmp_path_factory.mktemp("callers") / "code")


@pytest.fixture(scope="module", params=RUNTIMES)
def box(request: pytest.FixtureRequest, layer: Path, code: Path) -> Iterator[Sandbox]:
    runtime = RUNTIMES[request.param]
    if reason := runtime.missing():
        pytest.skip(reason)
    with whole_sandbox(code, layer, runtime=runtime) as sandbox:
        prepare_tmp(sandbox)
        yield sandbox


@pytest.fixture(scope="module")
def named(box: Sandbox) -> Mapping[str, list[dict[str, Any]]]:
    return named_by(box, NODE)


@pytest.mark.parametrize("way", WAYS)
def test_the_javascript_is_named(named: Mapping[str, list[dict[str, Any]]], way: str) -> None:
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
    named = named_by(box, NODE, "--always-sparkplug", "--no-opt", "--no-maglev")
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
    places: dict[str, int] = {}
    for symbol in parsed.dynamic_symbols:
        offset = parsed.virtual_address_to_offset(symbol.value) if "Version6" in str(symbol.name) else None
        if isinstance(offset, int):
            places[str(symbol.name)] = offset
    major, minor = (places[f"_ZN2v88internal7Version6{part}_E"] for part in ("major", "minor"))
    said = re.compile(rf"{content[major]}\.{content[minor]}(\.\d+\.\d+-node)".encode())
    content[minor] = 9
    to.write_bytes(said.sub(rb"%d.9\1" % content[major], content))


def test_a_version_that_is_not_known_names_nobody(layer: Path, tmp_path: Path) -> None:
    runtime = node.RUNTIMES[-1]
    if reason := runtime.missing():
        pytest.skip(reason)
    code = copy_task(tmp_path / "code")
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
    assert callers(run(box, NODE, "-e", code).stderr.splitlines()) == [{}]


def test_the_functions_own_folder_is_sealed(box: Sandbox) -> None:
    """It is the one that the function started with, whatever its code does to the environment; a child has it too."""
    code = "process.env.LAMBDA_TASK_ROOT = '/elsewhere'; require('/var/task/app.js').ways.by_itself();"
    options = "['/var/task/app.js', 'by_itself'], { env: {}, stdio: 'inherit' }"
    code += f"require('child_process').spawnSync(process.execPath, {options})"
    done = run(box, NODE, "-e", code, settings=policy(read_write_tmp="alert") | FOLDER)
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
    done = run(
        box, NODE, "/var/task/app.js", "by_spawn", "by_exec_sync", settings=policy(outbound_connectivity="block")
    )
    assert callers(done.stderr.splitlines()) == []
