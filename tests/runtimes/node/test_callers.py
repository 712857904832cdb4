"""Which JavaScript an alert names, where SHIELD_NODE_CALLERS is on: of network clients and of programs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_lambda as lambda_

from harness.extras import TRACERS
from harness.running import SHIELD, alerts, alerts_by_way, policy, prepare_tmp, whole_sandbox
from harness.thinning import long_but
from lab.workloads.packages import NODE_CLIENTS, NODE_CLIENTS_PART
from runtimes.attempts import ALERT
from runtimes.functions import STACK, Described, policy_of, shield_lines, synthesize
from runtimes.node.conftest import EACH_NODE, RUNTIMES
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.emulated_function import EmulatedFunction
from shielded_function_emulator.sandbox import Completed, Sandbox

HERE = Path(__file__).parent
NODE = "/var/lang/bin/node"
CALLERS = "/opt/shielded-function/node_callers.cjs"
OLDEST = "nodejs20.x"
"""Its channel of sockets leaves out TLS and `new Socket()`."""
HOST = "evil.example"
ON = {"LAMBDA_TASK_ROOT": "/var/task", "SHIELD_ALLOW_AWS": "none", "SHIELD_NODE_CALLERS": "on"}
WATCHED = policy(outbound_connectivity="alert", create_child_process="alert", read_write_tmp="alert") | ON

DIALS = ["dialer", "app"]
STARTS = ["starter", "app"]
# Way: through whom each of its alerts came; None: nobody is named.
WAYS: Mapping[str, list[list[str] | None]] = {
    "by_address": [DIALS],
    "by_name": [DIALS, DIALS],
    "by_spawn": [STARTS],
    "by_one_socket": [DIALS] * 12,
    "after_await": [DIALS],
    "in_an_es_module": [["dialer", "module", "app"]],
    "by_two_at_once": [DIALS, STARTS],
    "in_a_worker": [DIALS],
    "in_a_child": [["app"], DIALS],
    "by_exec": [STARTS],
    "by_exec_file": [STARTS],
    "by_fork": [STARTS],
    "under_a_false_name": [["dialer", "@aws-sdk/client-s3", "app"]],
    "by_fetch": [DIALS, DIALS] * 7,
    "by_fetches_at_once": [DIALS, STARTS],
    "by_request": [DIALS, DIALS],
    "by_exec_sync": [None],
    "by_a_file": [None],
    "by_dns": [None],
}
# What each client's connection comes through, first or later.
CLIENTS: Mapping[str, str] = dict.fromkeys(("net", "tls", "http", "https", "fetch"), "app") | {
    **{name: name for name in NODE_CLIENTS},
    "@aws-sdk/client-s3": "@smithy/node-http-handler",
    "redis": "@redis/client",
}
DIAL = (HERE / "clients" / "dial.js").read_text()
PORTS: Mapping[str, str] = dict(re.findall(r"^  '?([\w@/-]+)'?: .*?\b(70\d\d)\b", DIAL, re.MULTILINE | re.DOTALL))
# By the version and by what wraps the calls: V8's stack ends at the tracer where it hands a promise on.
NOT_SEEN = {"tls", "https", "pg", "knex"}
UNNAMED = {(OLDEST, tracer): NOT_SEEN for tracer in ("", "opentelemetry", "datadog")} | {
    ("nodejs22.x", "datadog"): {"fetch", "openai"}
}
TRACED_BY = {
    "opentelemetry": "/var/task/opentelemetry.cjs",
    "datadog": "/var/tracers/node_modules/dd-trace/init.js",
}
WRAPPERS = {"dd-trace", "@opentelemetry/instrumentation", "@opentelemetry/instrumentation-net"}
BROKEN = re.findall(r"^  (\w+): \(\) =>", (HERE / "callers" / "broken.cjs").read_text(), re.MULTILINE)


def run(box: Sandbox, *command: str, settings: Mapping[str, str] = WATCHED) -> Completed:
    prepare_tmp(box)
    with DnsServer(box, {name: ["203.0.113.66"] for name in (HOST, f"*.{HOST}")}):
        return box.run_command([SHIELD, *command], environment=settings, timeout=300)


def through(alert: dict[str, Any]) -> Any:
    return alert.get("caller", {}).get("through")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(HERE / "callers", tmp_path_factory.mktemp("callers") / "code")


@pytest.fixture(scope="module")
def box(name: str, layer: Path, code: Path) -> Iterator[Sandbox]:
    with whole_sandbox(code, layer, runtime=RUNTIMES[name]) as sandbox:
        yield sandbox


def found(log: str, names: Sequence[str]) -> dict[str, list[Any]]:
    told = alerts_by_way(log)
    assert list(told) == list(names)
    return {way: sorted(map(through, told[way]), key=str) for way in names}


@pytest.mark.promise("alert.caller-node")
@pytest.mark.parametrize("name", long_but({OLDEST, "nodejs24.x"}, RUNTIMES), indirect=True, scope="module")
def test_the_javascript_is_named(box: Sandbox, name: str) -> None:
    """Known (docs/security/limits.md): a false name is believed; what has no channel names nobody."""
    done = run(box, NODE, "/var/task/app.js", *WAYS)
    chains = found(done.stderr, list(WAYS))
    if name == OLDEST:
        # Its look-up may be another client's, as long as the socket's host is not told (node_callers.cjs). Such a line
        # is counted and not written ("repeated") where the same second has the same one.
        for way in ("by_name", "by_fetch", "by_request"):
            told = chains[way]
            assert DIALS in told, told
            assert [each for each in told if each not in (DIALS, None)] == []
            chains[way] = [DIALS] * len(WAYS[way])
        assert chains.pop("by_one_socket") == [None] * 12
    assert chains == {way: sorted(WAYS[way], key=str) for way in chains}, done.stderr
    place = alerts_by_way(done.stderr)["by_address"][0]["caller"]
    assert (place["function"], place["line"]) == ("dial", 7)
    assert place["file"] == "/var/task/node_modules/dialer/index.js"


@EACH_NODE
@pytest.mark.promise("alert.packages")
@pytest.mark.parametrize(("packages", "chains"), [("other", [DIALS]), ("dialer>app", []), ("other or dialer", [])])
def test_what_an_entry_with_packages_reports(box: Sandbox, packages: str, chains: list[list[str]]) -> None:
    settings = WATCHED | {"SHIELD_ALLOW_OUTBOUND": f"203.0.113.66 by {packages}", "_HANDLER": "app.handler"}
    done = run(box, NODE, "/var/task/app.js", "by_address", settings=settings)
    assert [through(line) for line in alerts(done) if line.get("reason") == "package"] == chains


@EACH_NODE
@pytest.mark.promise("alert.caller-node")
@pytest.mark.parametrize(
    ("runtime", "settings", "is_on"),
    [
        ("nodejs22.x", {}, True),
        ("nodejs24.x", {}, True),
        ("nodejs26.x", {}, False),
        ("nodejs20.x", {}, False),
        ("python3.13", {}, False),
        ("nodejs22.x", {"SHIELD_NODE_CALLERS": "off"}, False),
        ("nodejs22.x", {"SHIELD_OUTBOUND_CONNECTIVITY": "allow"}, False),
        ("", {}, False),
    ],
)
def test_where_it_is_on(box: Sandbox, name: str, runtime: str, settings: Mapping[str, str], is_on: bool) -> None:
    """Without the variable: in two versions of Node.js, as the platform names them, where connections are looked at."""
    watched = {name: value for name, value in WATCHED.items() if name != "SHIELD_NODE_CALLERS"}
    platform = {"AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}"} if runtime else {}
    code = "process.stdout.write(String(process.env.NODE_OPTIONS)); require('/var/task/app.js').handler()"
    done = run(box, NODE, "-e", code, settings={**watched, **platform, **settings})
    assert done.stdout == (f"--require {CALLERS}" if is_on else "undefined")
    named = {str(DIALS), str(STARTS)} | ({"None"} if name == OLDEST else set())
    assert {str(through(alert)) for alert in alerts(done)} == (named if is_on else {"None"})


@EACH_NODE
@pytest.mark.promise("alert.caller-node")
@pytest.mark.parametrize("way", long_but(["", *BROKEN[::6]], ["", *BROKEN]))
def test_a_function_notices_nothing(box: Sandbox, way: str) -> None:
    """Whatever of it throws: the same is said with it and without. Nor if that is broken before it is loaded."""
    broken = {"BROKEN": way, "NODE_OPTIONS": "--require /var/task/broken.cjs"} if way else {}
    code = """
    const described = ([name, each]) => [name, String(each.value), each.writable, String(each.get)];
    const state = () => JSON.stringify(Object.entries(Object.getOwnPropertyDescriptors(Error)).map(described));
    const before = state();
    require('/var/task/app.js').handler().then(() => process.stdout.write(String(state() === before)));
    """
    without, done = (
        run(box, NODE, "-e", code, settings=WATCHED | broken | {"SHIELD_NODE_CALLERS": switch})
        for switch in ("off", "on")
    )
    rest = [line for line in done.stderr.splitlines() if line and not line.startswith(("--- ", '{"function_shield"'))]
    assert (done.returncode, done.stdout, rest) == (without.returncode, without.stdout, []) == (0, "true", [])
    assert len(alerts(done)) == len(alerts(without)) == 16
    late = ["--require", "/var/task/broken.cjs", "--require", CALLERS] if way else ["--require", CALLERS]
    alone = box.run_command([NODE, *late, "-e", code], environment=broken | {"NODE_OPTIONS": ""})
    assert (alone.returncode, alone.stdout) == (0, "true"), alone.stderr
    assert way or {str(through(alert)) for alert in alerts(done)} >= {str(DIALS), str(STARTS)}


@EACH_NODE
@pytest.mark.promise("alert.caller-node")
def test_other_preloads_stay(box: Sandbox) -> None:
    """Those of the function, and of a wrapper that sets a variable of its own."""
    assert box.task is not None
    (box.task / "other.cjs").write_text("process.stdout.write('loaded ')")
    (box.task / "wrapper").write_text('#!/bin/sh\nexport NODE_OPTIONS="--require /var/task/other.cjs"\nexec "$@"\n')
    (box.task / "wrapper").chmod(0o755)
    for more in ({"NODE_OPTIONS": "--require /var/task/other.cjs"}, {"SHIELD_NEXT_WRAPPER": "/var/task/wrapper"}):
        done = run(box, NODE, "/var/task/app.js", "in_a_child", settings=WATCHED | more)
        assert done.stdout == "loaded ", done.stderr
        assert [through(alert) for alert in alerts(done)][-1] == DIALS, done.stderr
    long = {"NODE_OPTIONS": "--require /var/task/other.cjs" + " " * 100_000}  # nearly what one variable may hold
    done = run(box, NODE, "/var/task/app.js", "by_fork", settings=WATCHED | long)
    assert done.stdout == "loaded loaded ", done.stderr


@EACH_NODE
@pytest.mark.promise("alert.caller-node")
def test_under_lambdas_own_client(name: str, code: Path, layer: Path, tmp_path: Path) -> None:
    """It is under every frame of the handler, and is not named."""
    runtime = lambda_.Runtime(name, lambda_.RuntimeFamily.NODEJS)
    described = Described("Callers", runtime, "app.handler", code, policy_of(ALERT), {"SHIELD_NODE_CALLERS": "on"})
    package = synthesize(tmp_path / "cdk.out", [described]).function(STACK, "Callers")
    with EmulatedFunction(replace(package, memory_mb=1024)) as function:
        invocation = function.invoke({})
    assert invocation.payload == "done", "\n".join(line.message for line in invocation.log)
    told, _ = shield_lines(invocation.log)
    chains = [alert.frame.chain for alert in told if alert.frame and alert.policy != "read_handler"]
    assert set(chains) == {tuple(DIALS), tuple(STARTS)}


@EACH_NODE
@pytest.mark.promise("alert.caller-node")
@pytest.mark.parametrize("tracer", long_but({""}, ["", *TRACED_BY]))
def test_every_client_is_named_at_its_connect(name: str, layer: Path, tmp_path: Path, tracer: str) -> None:
    """Also where a tracer wraps its calls."""
    if reason := NODE_CLIENTS_PART.missing() or TRACERS.missing():
        pytest.skip(reason)
    for file in ("dial.js", "opentelemetry.cjs"):
        shutil.copy(HERE / "clients" / file, tmp_path)
    (tmp_path / "dial.js").rename(tmp_path / "app.js")
    parts = {"/var/node_modules": NODE_CLIENTS_PART, "/var/tracers/node_modules": TRACERS}
    mounts = {at: part.folder / "node_modules" for at, part in parts.items()}
    more = {"NODE_OPTIONS": f"--require {TRACED_BY.get(tracer)}", "NODE_PATH": "/var/tracers/node_modules"}
    with whole_sandbox(tmp_path, layer, mounts=mounts, runtime=RUNTIMES[name]) as box:
        done = run(box, NODE, "/var/task/app.js", *CLIENTS, settings=WATCHED | (more if tracer else {}))
    told = [alert for alert in alerts(done) if alert["details"].get("protocol") == "tcp"]
    connects = {
        client: [through(alert) or [] for alert in told if alert["details"]["port"] == int(PORTS[client])]
        for client in CLIENTS
    }
    assert all(connects.values()), connects
    unnamed = {client for client, chains in connects.items() if any(CLIENTS[client] not in chain for chain in chains)}
    assert unnamed == UNNAMED.get((name, tracer), set()), connects
    named = [chain for client in {*CLIENTS} - unnamed for chain in connects[client]]
    assert not WRAPPERS & {package for chain in named for package in chain}
