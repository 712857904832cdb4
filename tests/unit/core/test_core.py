"""shielded_function_runtime.core: the C core from Python, through its public interface."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shielded_function_runtime import core
from shielded_function_runtime.core import Decision

pytestmark = pytest.mark.promise("policy.verdict")

LINES = """\
AWS_REGION=eu-west-1
SHIELD_OUTBOUND_CONNECTIVITY=block
SHIELD_ALLOW_OUTBOUND=api.stripe.com:443,*.example.com,10.0.0.0/8:5432,[2001:db8::1]:443
SHIELD_ALLOW_TMP=/tmp/cache/**
SHIELD_CREATE_CHILD_PROCESS=alert
SHIELD_ALLOW_CHILD_PROCESS=/bin/ls,unshielded:/opt/static
"""


def decision(action: str, policy: str, mode: str, reason: str, entry: str = "", allow: str = "") -> Decision:
    assert action in ("deny", "alert", "allow")
    return Decision(action, policy, mode, reason, entry, allow)


OUTBOUND = "outbound_connectivity"
CHILD = "create_child_process"


EVENTS = "use connect, udp, resolve, tmp, tmp-at-start, exec, exec-static or memory"


@pytest.mark.parametrize(
    ("event", "target", "expected"),
    [
        ("connect", "API.stripe.com.:443", decision("allow", OUTBOUND, "block", "listed", "api.stripe.com:443")),
        ("connect", "api.stripe.com:80", decision("deny", OUTBOUND, "block", "not_listed", allow="api.stripe.com:80")),
        ("udp", "x.example.com:0", decision("allow", OUTBOUND, "block", "listed", "*.example.com")),
        ("udp", "api.stripe.com:0", decision("allow", OUTBOUND, "block", "listed", "api.stripe.com:443")),
        ("connect", "api.stripe.com:0", decision("deny", OUTBOUND, "block", "not_listed", allow="api.stripe.com")),
        ("connect", "10.1.2.3:5432", decision("allow", OUTBOUND, "block", "listed", "10.0.0.0/8:5432")),
        ("connect", "203.0.113.7:80", decision("deny", OUTBOUND, "block", "not_listed", allow="203.0.113.7:80")),
        ("connect", "[2001:db8::1]:443", decision("allow", OUTBOUND, "block", "listed", "[2001:db8::1]:443")),
        ("connect", "[2001:db8::2]:443", decision("deny", OUTBOUND, "block", "not_listed", allow="[2001:db8::2]:443")),
        (
            "connect",
            "[::ffff:169.254.169.254]:80",
            decision("deny", OUTBOUND, "block", "internal", allow="169.254.169.254:80"),
        ),
        ("connect", "127.0.0.1:9001", decision("allow", OUTBOUND, "block", "always")),
        ("connect", "localhost:9001", decision("allow", OUTBOUND, "block", "always")),
        ("connect", "dynamodb.eu-west-1.amazonaws.com:443", decision("allow", OUTBOUND, "block", "aws")),
        ("resolve", "api.stripe.com", decision("allow", OUTBOUND, "block", "listed", "api.stripe.com:443")),
        ("resolve", "Evil.example", decision("deny", OUTBOUND, "block", "not_listed", allow="evil.example")),
        ("tmp", "/tmp/cache/a", decision("allow", "read_write_tmp", "block", "listed", "/tmp/cache/**")),
        ("tmp", '/tmp/a,"b"', decision("deny", "read_write_tmp", "block", "not_listed", allow='/tmp/a?"b"')),
        ("tmp", "/tmp", decision("deny", "read_write_tmp", "block", "not_listed", allow="/tmp")),
        ("tmp", "/tmp/.aws-xray", decision("deny", "read_write_tmp", "block", "not_listed", allow="/tmp/.aws-xray")),
        ("tmp-at-start", "java21:/tmp/hsperfdata_u/1", decision("allow", "read_write_tmp", "block", "always")),
        ("tmp-at-start", "ruby3.4:/tmp/x", decision("deny", "read_write_tmp", "block", "not_listed", allow="/tmp/x")),
        ("exec", "/bin/ls", decision("allow", CHILD, "alert", "listed", "/bin/ls")),
        ("exec", "/bin/sh", decision("alert", CHILD, "alert", "not_listed", allow="/bin/sh")),
        ("exec", "/bin/a,b", decision("alert", CHILD, "alert", "not_listed")),
        ("exec-static", "/bin/ls", decision("deny", CHILD, "alert", "static", allow="unshielded:/bin/ls")),
        ("exec-static", "/opt/static", decision("allow", CHILD, "alert", "listed", "unshielded:/opt/static")),
    ],
)
def test_decide(event: str, target: str, expected: Decision) -> None:
    decided = core.parse(LINES).decide(event, target)
    assert decided == expected
    assert decided.allowed == (expected.action == "allow")


def test_what_a_decision_proposes_permits_it() -> None:
    settings = {
        OUTBOUND: "SHIELD_ALLOW_OUTBOUND",
        "read_write_tmp": "SHIELD_ALLOW_TMP",
        CHILD: "SHIELD_ALLOW_CHILD_PROCESS",
    }
    for event, target in [
        ("connect", "evil.example:443"),
        ("udp", "[2001:db8::9]:53"),
        ("connect", "169.254.169.254:80"),
        ("resolve", "evil.example"),
        ("tmp", "/tmp/x,y"),
        ("exec", "/bin/sh"),
        ("exec-static", "/bin/busybox"),
    ]:
        strict = core.parse("SHIELD_READ_HANDLER=block").decide(event, target)
        assert strict.action == "deny"
        assert core.parse(f"{settings[strict.policy]}={strict.allow}").decide(event, target).allowed, target


@pytest.mark.parametrize(
    ("event", "target", "error"),
    [
        (
            "open",
            "/tmp/a",
            '"open" is not an event; use connect, udp, resolve, tmp, tmp-at-start, exec, exec-static or memory',
        ),
        ("", "", '"" is not an event; use connect, udp, resolve, tmp, tmp-at-start, exec, exec-static or memory'),
        (
            "connect",
            "a.example",
            '"a.example" cannot be judged for connect; write host:port, address:port or [v6]:port',
        ),
        (
            "connect",
            "a.example:x",
            '"a.example:x" cannot be judged for connect; write host:port, address:port or [v6]:port',
        ),
        ("connect", "a.example:65536", "write host:port, address:port or [v6]:port"),
        ("connect", "[::1]", "write [v6]:port"),
        ("connect", "[::1", "write [v6]:port"),
        ("connect", "[a.example]:1", "that is neither a host name nor an address"),
        ("connect", "2001:db8::1:443", "write host:port, address:port or [v6]:port"),
        ("connect", "*.a.example:1", "that is neither a host name nor an address"),
        ("udp", "10.0.0.0/8:1", "that is neither a host name nor an address"),
        ("resolve", "1.2.3.4", "that is not a host name"),
        ("resolve", "", "that is not a host name"),
        ("tmp", "/var/tmp", 'write a path under /tmp without ".", ".." and double slashes'),
        ("tmp", "/tmpx", 'write a path under /tmp without ".", ".." and double slashes'),
        ("tmp", "/tmp/../etc", 'write a path under /tmp without ".", ".." and double slashes'),
        ("tmp", "/tmp/a/", 'write a path under /tmp without ".", ".." and double slashes'),
        ("exec", "sh", 'write an absolute path without ".", ".." and double slashes'),
        ("exec", "/", 'write an absolute path without ".", ".." and double slashes'),
        ("tmp-at-start", "/tmp/a", "write a runtime and a path: java21:/tmp/hsperfdata_user"),
        ("tmp-at-start", "java21:/etc", 'write a path under /tmp without ".", ".." and double slashes'),
        ("exec-static", "/bin//sh", 'write an absolute path without ".", ".." and double slashes'),
        ("exec", "/bin/\ud800", "target: '/bin/\\ud800' is not valid Unicode text; it holds a lone surrogate"),
    ],
)
def test_what_cannot_be_decided(event: str, target: str, error: str) -> None:
    with pytest.raises(core.TargetError) as caught:
        core.parse(LINES).decide(event, target)
    assert str(caught.value).endswith(error)


@given(
    event=st.sampled_from(["connect", "udp", "resolve", "tmp", "tmp-at-start", "exec", "exec-static"]),
    target=st.text(max_size=300),
)
def test_any_target_is_decided_or_refused(event: str, target: str) -> None:
    try:
        decided = core.parse(LINES).decide(event, target)
    except core.TargetError:
        return
    assert decided.action in ("deny", "alert", "allow")


@pytest.mark.parametrize("character", ["a", '"', "\\", "\x01", "é", "\U0001f512"])
def test_long_targets_have_room(character: str) -> None:
    target = "/tmp/cache/" + character * 4000
    assert core.parse(LINES).decide("tmp", target).entry == "/tmp/cache/**"
    assert core.parse("SHIELD_READ_WRITE_TMP=block").decide("tmp", target).allow == target
    assert core.parse("SHIELD_READ_WRITE_TMP=block").decide("exec-static", target).allow == f"unshielded:{target}"


def test_lines_are_canonical() -> None:
    policy = core.parse("SHIELD_ALLOW_OUTBOUND = B.example , a.example:0443\n# note\n\nSHIELD_READ_HANDLER=alert")
    assert policy.lines() == "SHIELD_ALLOW_OUTBOUND=b.example,a.example:443\nSHIELD_READ_HANDLER=alert\n"
    assert core.parse(policy.lines()).lines() == policy.lines()


def test_lines_and_explanations_of_any_length() -> None:
    paths = [f"/tmp/{number}{chr(34) * 200}" for number in range(128)]
    policy = core.parse(f"SHIELD_ALLOW_TMP={','.join(paths)}")
    assert policy.lines() == f"SHIELD_ALLOW_TMP={','.join(paths)}\n"
    assert [entry["entry"] for entry in policy.explain()["allow_tmp"]["entries"]] == paths


def test_explain() -> None:
    explained = core.parse(LINES).explain()
    assert explained["outbound_connectivity"] == {
        "setting": "SHIELD_OUTBOUND_CONNECTIVITY",
        "given": True,
        "value": "block",
        "meaning": "only listed hosts and AWS may be resolved and reached; all else is refused and reported",
    }
    assert explained["allow_outbound"]["entries"] == [
        {"entry": "api.stripe.com:443", "meaning": "the host api.stripe.com, port 443"},
        {"entry": "*.example.com", "meaning": "every host below example.com, any port"},
        {"entry": "10.0.0.0/8:5432", "meaning": "the network 10.0.0.0/8, port 5432"},
        {"entry": "[2001:db8::1]:443", "meaning": "the address 2001:db8::1, port 443"},
    ]
    assert explained["read_handler"]["value"] == "allow"
    assert explained["read_handler"]["given"] is False
    assert explained["executable_memory"]["value"] == "by_runtime"
    assert explained["aws_region"]["value"] == "eu-west-1"
    assert all(setting["meaning"] for setting in explained.values())


@pytest.mark.parametrize(
    "line",
    [
        *(
            f"SHIELD_{name}={mode}"
            for name in ("READ_HANDLER", "EXECUTABLE_MEMORY")
            for mode in ("block", "alert", "allow")
        ),
        *("SHIELD_ALLOW_AWS=all", "SHIELD_ALLOW_AWS=none", "SHIELD_ALLOW_AWS=s3,sqs"),
        *("SHIELD_ON_FAILURE=refuse", "SHIELD_ON_FAILURE=run_unshielded"),
        *("SHIELD_LOG_ARGUMENTS=on", "SHIELD_LOG_ARGUMENTS=off"),
        *("SHIELD_CLEAR_TMP=on", "SHIELD_CLEAR_TMP=off"),
        *("SHIELD_BLOCK_FOREIGN_FUNCTIONS=on", "SHIELD_BLOCK_FOREIGN_FUNCTIONS=off"),
        *('SHIELD_NEXT_WRAPPER=/opt/a"b', "SHIELD_POLICY_FILE=/x\\y"),
        *("SHIELD_ALLOW_TMP=/tmp/a", "SHIELD_ALLOW_CHILD_PROCESS=/a,unshielded:/b", "SHIELD_ALLOW_OUTBOUND=::/1"),
        "SHIELD_ALLOW_EXECUTABLE_MEMORY=libffi,libllvmlite",
    ],
)
def test_every_value_is_explained_in_words(line: str) -> None:
    explained = core.parse(line).explain()
    setting, _, value = line.partition("=")
    (own,) = [row for row in explained.values() if row["setting"] == setting]
    assert own["value"] == value
    assert own["given"] is True
    assert own["meaning"]
    assert all(entry["meaning"] for row in explained.values() for entry in row.get("entries", []))


def test_a_bad_policy_is_an_error() -> None:
    with pytest.raises(core.PolicyError, match=r'^line 1: SHIELD_READ_HANDLER: "BLOCK" is not a mode; use block, '):
        core.parse("SHIELD_READ_HANDLER=BLOCK")
    with pytest.raises(core.PolicyError, match="lone surrogate"):
        core.parse("SHIELD_READ_HANDLER=\udcff")
    with pytest.raises(core.PolicyError, match="there is no policy"):
        core.parse("")


def test_policies_live_on_their_own() -> None:
    policies = [core.parse(f"SHIELD_ALLOW_OUTBOUND=h{number}.example") for number in range(50)]
    for number, policy in enumerate(policies):
        assert policy.lines() == f"SHIELD_ALLOW_OUTBOUND=h{number}.example\n"


# Alert lines


def test_an_alert_line() -> None:
    line = core.alert_line(
        policy="create_child_process",
        mode="alert",
        function="checkout",
        region="eu-west-1",
        path="/bin/sh",
        syscall="execve",
        arguments=["sh", "-c", "", "a\nb"],
        object="libpython3.13.so",
        code="run",
        file="/var/task/tool/shell.py",
        line=12,
        packages=["tool", "app"],
        pid=17,
        trace="1-5759e988-bd862e3fe1be46a994272793",
        count=4,
        allow="/bin/sh",
        seconds=1795527420,
        micros=5,
    )
    assert "\n" not in line
    assert json.loads(line) == {
        "function_shield": True,
        "v": 1,
        "function": "checkout",
        "region": "eu-west-1",
        "timestamp": "2026-11-24T13:37:00.000005Z",
        "level": "WARN",
        "policy": "create_child_process",
        "mode": "alert",
        "severity": "warning",
        "count": 4,
        "details": {"path": "/bin/sh", "syscall": "execve", "arguments": ["sh", "-c", "", "a\nb"]},
        "caller": {
            "object": "libpython3.13.so",
            "function": "run",
            "file": "/var/task/tool/shell.py",
            "line": 12,
            "package": "tool",
            "through": ["tool", "app"],
        },
        "pid": 17,
        "trace": "1-5759e988-bd862e3fe1be46a994272793",
        "allow": "/bin/sh",
    }


@given(
    host=st.text(max_size=80).filter(lambda t: "\0" not in t) | st.binary(max_size=80).filter(lambda b: 0 not in b),
    arguments=st.lists(st.binary(max_size=2000).filter(lambda b: 0 not in b), max_size=20),
)
def test_any_fact_gives_a_line(host: str | bytes, arguments: list[bytes]) -> None:
    line = core.alert_line(policy="read_write_tmp", mode="block", host=host, path=host, arguments=arguments)
    assert len(line.encode()) < 4096
    assert json.loads(line)["policy"] == "read_write_tmp"


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"policy": "everything"}, "policy: 'everything' is not valid in an alert"),
        ({"mode": "BLOCK"}, "mode: 'BLOCK' is not valid in an alert"),
        ({"ip": "1.2.3"}, "ip: '1.2.3' is not valid in an alert"),
        ({"port": 65536}, "port: '65536' is not valid in an alert"),
        ({"pid": -1}, "pid: '-1' is not valid in an alert"),
        ({"path": "/a\0b"}, "path: '/a\\x00b' holds a NUL, which no path, name or argument can"),
    ],
)
def test_bad_facts_are_errors(facts: dict[str, str], error: str) -> None:
    with pytest.raises(ValueError, match="^" + error.replace("\\", "\\\\").replace(".", r"\.") + "$"):
        core.alert_line(**{"policy": "read_write_tmp", "mode": "block", **facts})  # pyright: ignore[reportArgumentType]


# The library


@pytest.mark.parametrize(
    ("system", "machine", "path"),
    [
        ("linux", "x86_64", "core/linux-x86_64/libshieldcore.so"),
        ("linux", "aarch64", "core/linux-aarch64/libshieldcore.so"),
        ("darwin", "arm64", "core/macos-aarch64/libshieldcore.dylib"),
        ("darwin", "x86_64", "core/macos-x86_64/libshieldcore.dylib"),
        ("win32", "AMD64", "core/windows-x86_64/shieldcore.dll"),
        ("win32", "ARM64", "core/windows-aarch64/shieldcore.dll"),
    ],
)
def test_where_the_library_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, machine: str, path: str
) -> None:
    monkeypatch.setattr(core, "_BINARIES", tmp_path)
    with pytest.raises(core.CoreError, match=f"the shield core for {system} on {machine} is missing .*: reinstall "):
        core.library_path(system, machine)
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).touch()
    assert core.library_path(system, machine) == tmp_path / path


@pytest.mark.parametrize(("system", "machine"), [("freebsd14", "amd64"), ("linux", "riscv64"), ("win32", "x86")])
def test_a_platform_without_a_core(system: str, machine: str) -> None:
    with pytest.raises(core.CoreError, match=f"no shield core for {system} on {machine}: use Linux, macOS or Windows"):
        core.library_path(system, machine)


def test_endpoints_are_listed() -> None:
    """What is open stays open; without a region there are none."""

    def endpoints(*settings: str) -> list[str]:
        return core.parse("".join(f"{each}\n" for each in settings)).aws_endpoints()

    known = endpoints("SHIELD_ALLOW_AWS=dynamodb", "AWS_REGION=eu-west-1", "SHIELD_ACCOUNT_ID=111122223333")
    assert {"dynamodb.eu-west-1.amazonaws.com", "111122223333.ddb.eu-west-1.amazonaws.com"} < set(known)
    assert "A.ddb.eu-west-1.amazonaws.com" in endpoints("SHIELD_ALLOW_AWS=dynamodb", "AWS_REGION=eu-west-1")
    assert "B.s3.eu-west-1.amazonaws.com" in endpoints("SHIELD_ALLOW_BUCKETS=mine", "AWS_REGION=eu-west-1")
    assert "s3.eu-west-1.amazonaws.com" not in endpoints("SHIELD_ALLOW_BUCKETS=mine", "AWS_REGION=eu-west-1")
    assert "s3.amazonaws.com" in endpoints("SHIELD_ALLOW_AWS=s3", "AWS_REGION=us-east-1")
    assert "s3.amazonaws.com" not in endpoints("SHIELD_ALLOW_AWS=s3", "AWS_REGION=eu-west-1")
    assert endpoints("SHIELD_ALLOW_AWS=none", "AWS_REGION=eu-west-1") == endpoints("SHIELD_ALLOW_AWS=all") == []


def test_a_library_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "API_VERSION", core.API_VERSION + 1)
    core._core.cache_clear()
    try:
        with pytest.raises(
            core.CoreError, match=f"has interface {core.API_VERSION - 1}, not {core.API_VERSION}: reinstall"
        ):
            core.parse(LINES)
    finally:
        core._core.cache_clear()


def test_a_library_that_cannot_be_loaded_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(core, "library_path", lambda: broken)
    core._core.cache_clear()
    try:
        with pytest.raises(core.CoreError, match="cannot be loaded"):
            core.parse(LINES)
        if sys.platform == "linux":  # a library, but not ours
            monkeypatch.setattr(core, "_ffi", SimpleNamespace(dlopen=lambda _path: SimpleNamespace()))
            with pytest.raises(core.CoreError, match="cannot be loaded"):
                core._core()
    finally:
        core._core.cache_clear()
