"""Ruby in the emulated sandbox, under a client of our own: every way in, unshielded and in every mode.

`make test` tries one way in for each control, with the newest.
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from aws_cdk import aws_lambda as lambda_

from harness.thinning import long_but
from runtimes.attempts import MODES, UNSHIELDED, Attempt, problems
from runtimes.functions import AUTHORITY, STACK, Described, Run, attempt_all, policy_of, shield_lines, synthesize
from runtimes.outside import HTTP, IPV4, IPV6, PLAIN, ZONE
from shielded_function import ShieldPolicy
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.emulated_function import EmulatedFunction
from shielded_function_emulator.languages.ruby import VERSIONS
from shielded_function_monitoring.alert import Policy
from shielded_function_runtime.build.native import build

pytestmark = pytest.mark.promise("runtime.ruby")

HANDLERS = ("app.handler", "app.Functions::Orders.process")
_DENIED, _NO_NAME = "Errno::EACCES", "Socket::ResolutionError"
_OWN, _OLD, _THERE, _NAME = "/tmp/{id}", "/tmp/{id}.old", "/tmp/there", f"{{id}}.{ZONE}*"


def _all(policy: Policy | None, names: str, *allow: str, code: str = _DENIED, seen: bool = False) -> list[Attempt]:
    """Of `section-name`, each in a thread as well."""
    sections = (name.partition("-") for name in names.split())
    return [Attempt(section, name, policy, (code,), allow, seen, threads=True) for section, _, name in sections]


ATTEMPTS: Sequence[Attempt] = (
    *_all("read_write_tmp", "files-write files-append files-dots files-proc-root files-sysopen", _OWN, seen=True),
    *_all("read_write_tmp", "files-native files-syscall files-copy-in files-mkdir files-symlink", _OWN, seen=True),
    *_all("read_write_tmp", "files-unix-server files-tempfile", f"{_OWN}*", seen=True),
    *_all("read_write_tmp", "files-rename", _OLD, _OWN, seen=True),
    *_all("read_write_tmp", "files-delete", _OLD, seen=True),
    *_all("read_write_tmp", "files-remove-tree", "/tmp/{id}.folder*", seen=True),
    *_all("read_write_tmp", "files-read files-foreach files-load files-chmod files-utime", _THERE),
    *_all("read_write_tmp", "files-children", "/tmp"),
    *_all(None, "files-exists network-loopback programs-fork"),
    *_all("outbound_connectivity", "network-tcp network-udp network-connect", f"{IPV4}:{PLAIN}", seen=True),
    *_all("outbound_connectivity", "network-tcp6", f"[[]{IPV6}]:{PLAIN}", seen=True),
    *_all("outbound_connectivity", "network-http", f"{IPV4}:{HTTP}", seen=True),
    *_all("outbound_connectivity", "network-http-name network-open-uri network-dns", _NAME, code=_NO_NAME, seen=True),
    *_all("outbound_connectivity", "network-dns-by-hand", _NAME, code="Resolv::ResolvError", seen=True),
    *_all(None, "network-allowed", seen=True),
    *_all("create_child_process", "programs-system programs-spawn programs-exec", "/usr/bin/true"),
    *_all("create_child_process", "programs-backtick programs-popen programs-empty-environment", "/usr/bin/echo"),
    *_all("create_child_process", "programs-open3", "/usr/bin/cat"),
    *_all("create_child_process", "programs-shell", "/usr/bin/dash"),
    *_all("read_handler", "source-read source-lines source-proc-root source-native source-compile"),
    *_all(None, "source-while-loading source-require source-backtrace source-location"),
)
NEWEST = max(VERSIONS)
EACH_VERSION = pytest.mark.parametrize("version", long_but({NEWEST}, VERSIONS))


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    build([f"layer/{platform.machine()}"])
    runtime = lambda_.Runtime("ruby3.4", lambda_.RuntimeFamily.RUBY)
    policies = {mode: policy_of(mode) for mode in MODES} | {"default": ShieldPolicy(), "closed": policy_of("block")}
    policies |= {"without-fiddle": ShieldPolicy(block_foreign_functions=True)}
    code = Path(__file__).parent / "handler"
    described = [Described(id, runtime, HANDLERS[id == "closed"], code, policy) for id, policy in policies.items()]
    return synthesize(tmp_path_factory.mktemp("assembly") / "cdk.out", described)


@pytest.fixture(scope="module")
def runs(assembly: CloudAssembly) -> Callable[[str, str], Run]:
    """All attempts of a version in a mode, each made once."""

    @functools.cache
    def run(version: str, mode: str) -> Run:
        if reason := VERSIONS[version].missing():
            pytest.skip(reason)
        package = assembly.function(STACK, mode)
        return attempt_all(package, ATTEMPTS, environment={"SSL_CERT_FILE": AUTHORITY}, runtime=VERSIONS[version])

    return run


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_function_that_does_nothing_is_quiet(runs: Callable[[str, str], Run], version: str, mode: str) -> None:
    alerts, events = runs(version, mode).first
    assert (alerts, [event.event for event in events]) == ([], [] if mode == UNSHIELDED else ["armed"])


@pytest.mark.long
@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.id)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_program_may_do(runs: Callable[[str, str], Run], version: str, attempt: Attempt) -> None:
    for id in (attempt.id, f"worker-{attempt.id}"):
        assert problems(attempt, id, {mode: runs(version, mode).outcomes[id] for mode in MODES}) == [], id


@EACH_VERSION
def test_each_control_denies(assembly: CloudAssembly, version: str) -> None:
    """And Lambda's name of the handler may be that of a class's method."""
    if reason := VERSIONS[version].missing():
        pytest.skip(reason)
    names = {"files-write": "read_write_tmp", "network-udp": "outbound_connectivity"}
    names["programs-system"] = "create_child_process"
    with EmulatedFunction(assembly.function(STACK, "default"), runtime=VERSIONS[version]) as function:
        done = function.invoke({"attempts": [{"id": name} for name in names]})
    assert {name: said.get("error", {}).get("code") for name, said in done.payload.items()} == dict.fromkeys(
        names, _DENIED
    )
    assert [alert.policy for alert in shield_lines(done.log)[0]] == [*names.values()]
    with EmulatedFunction(assembly.function(STACK, "closed"), runtime=VERSIONS[version]) as function:
        done = function.invoke({})
    assert done.payload["errorType"] == _DENIED
    assert [alert.policy for alert in shield_lines(done.log)[0]] == ["read_handler"]


@pytest.mark.promise("memory.foreign")
@EACH_VERSION
def test_fiddle_is_refused_by_the_switch(assembly: CloudAssembly, version: str) -> None:
    if reason := VERSIONS[version].missing():
        pytest.skip(reason)
    with EmulatedFunction(assembly.function(STACK, "without-fiddle"), runtime=VERSIONS[version]) as function:
        done = function.invoke({"attempts": []})
    (alert,) = shield_lines(done.log)[0]
    assert done.failed
    assert any("LoadError" in line.message for line in done.log)
    assert (alert.policy, alert.mode, alert.allow) == ("executable_memory", "block", "fiddle")
