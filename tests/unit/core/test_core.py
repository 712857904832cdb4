"""shielded_function_runtime.core: the C core from Python, through its public interface."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.policy_texts import CANONICAL, Text
from shielded_function.policy import Explanation, ShieldPolicy
from shielded_function.policy.fields import KINDS
from shielded_function_runtime import core
from shielded_function_runtime.core import Decision

pytestmark = pytest.mark.promise("policy.verdict")

LINES = """\
AWS_REGION=eu-west-1
SHIELD_OUTBOUND_CONNECTIVITY=block
SHIELD_ALLOW_OUTBOUND=api.stripe.com:443,*.example.com,10.0.0.0/8:5432,[2001:db8::1]:443
SHIELD_DENY_OUTBOUND=uploads.example.com
SHIELD_ALLOW_TMP=/tmp/cache/**
SHIELD_CREATE_CHILD_PROCESS=alert
SHIELD_ALLOW_CHILD_PROCESS=/bin/ls,unshielded:/opt/static
"""


OUTBOUND, TMP, CHILD = "outbound_connectivity", "read_write_tmp", "create_child_process"


@pytest.mark.promise("policy.verdict", "deny.every-mode")
@pytest.mark.parametrize(
    ("event", "target", "policy", "action", "reason", "entry", "allow"),
    [
        ("connect", "API.stripe.com.:443", OUTBOUND, "allow", "listed", "api.stripe.com:443", ""),
        ("connect", "api.stripe.com:80", OUTBOUND, "deny", "not_listed", "", "api.stripe.com:80"),
        ("connect", "api.stripe.com:0", OUTBOUND, "deny", "not_listed", "", "api.stripe.com"),
        ("udp", "api.stripe.com:0", OUTBOUND, "allow", "listed", "api.stripe.com:443", ""),
        ("connect", "10.1.2.3:5432", OUTBOUND, "allow", "listed", "10.0.0.0/8:5432", ""),
        ("connect", "[2001:db8::1]:443", OUTBOUND, "allow", "listed", "[2001:db8::1]:443", ""),
        ("connect", "[2001:db8::2]:443", OUTBOUND, "deny", "not_listed", "", "[2001:db8::2]:443"),
        ("connect", "[::ffff:169.254.169.254]:80", OUTBOUND, "deny", "internal", "", "169.254.169.254:80"),
        ("connect", "127.0.0.1:9001", OUTBOUND, "allow", "always", "", ""),
        ("connect", "localhost:9001", OUTBOUND, "allow", "always", "", ""),
        ("connect", "dynamodb.eu-west-1.amazonaws.com:443", OUTBOUND, "allow", "aws", "", ""),
        ("resolve", "x.example.com", OUTBOUND, "allow", "listed", "*.example.com", ""),
        ("resolve", "Evil.example", OUTBOUND, "deny", "not_listed", "", "evil.example"),
        ("connect", "uploads.example.com:443", OUTBOUND, "deny", "deny_outbound", "uploads.example.com", ""),
        ("resolve", "UPLOADS.example.com.", OUTBOUND, "deny", "deny_outbound", "uploads.example.com", ""),
        ("tmp", "/tmp/cache/a", TMP, "allow", "listed", "/tmp/cache/**", ""),
        ("tmp", '/tmp/a,"b"', TMP, "deny", "not_listed", "", '/tmp/a?"b"'),
        ("tmp", "/tmp/.aws-xray", TMP, "deny", "not_listed", "", "/tmp/.aws-xray"),
        ("tmp-at-start", "java21:/tmp/hsperfdata_u/1", TMP, "allow", "always", "", ""),
        ("tmp-at-start", "ruby3.4:/tmp/x", TMP, "deny", "not_listed", "", "/tmp/x"),
        ("exec", "/bin/ls", CHILD, "allow", "listed", "/bin/ls", ""),
        ("exec", "/bin/sh", CHILD, "alert", "not_listed", "", "/bin/sh"),
        ("exec", "/bin/a,b", CHILD, "alert", "not_listed", "", ""),
        ("exec-static", "/bin/ls", CHILD, "deny", "static", "", "unshielded:/bin/ls"),
        ("exec-static", "/opt/static", CHILD, "allow", "listed", "unshielded:/opt/static", ""),
    ],
)
def test_decide(event: str, target: str, policy: str, action: Any, reason: str, entry: str, allow: str) -> None:
    decided = core.parse(LINES).decide(event, target)
    assert decided == Decision(action, policy, "alert" if policy == CHILD else "block", reason, entry, allow)
    assert decided.allowed == (action == "allow")


NO_EVENT = "is not an event; use connect, udp, resolve, tmp, tmp-at-start, exec, exec-static or memory"
NO_TARGET = "cannot be judged for connect; write host:port, address:port or [v6]:port; resolve takes a name alone"
NEITHER = "that is neither a host name nor an address"
NO_TMP = 'write a path under /tmp without ".", ".." and double slashes'
NO_PROGRAM = 'write an absolute path without ".", ".." and double slashes'


@pytest.mark.parametrize(
    ("event", "targets", "error"),
    [
        ("open", ["/tmp/a"], f'"open" {NO_EVENT}'),
        ("", [""], f'"" {NO_EVENT}'),
        ("connect", ["a.example", "a.example:x", "a.example:65536", "2001:db8::1:443"], NO_TARGET),
        ("connect", ["[::1]", "[::1"], "cannot be judged for connect; write [v6]:port"),
        ("connect", ["[a.example]:1", "*.a.example:1"], NEITHER),
        ("udp", ["10.0.0.0/8:1"], NEITHER),
        ("resolve", ["1.2.3.4", ""], "that is not a host name"),
        ("tmp", ["/var/tmp", "/tmpx", "/tmp/../etc", "/tmp/a/"], NO_TMP),
        ("exec", ["sh", "/"], NO_PROGRAM),
        ("exec-static", ["/bin//sh"], NO_PROGRAM),
        ("tmp-at-start", ["/tmp/a"], "write a runtime and a path: java21:/tmp/hsperfdata_user"),
        ("tmp-at-start", ["java21:/etc"], NO_TMP),
        ("exec", ["/bin/\ud800"], "target: '/bin/\\ud800' is not valid Unicode text; it holds a lone surrogate"),
    ],
)
def test_what_cannot_be_decided(event: str, targets: list[str], error: str) -> None:
    for target in targets:
        with pytest.raises(core.TargetError) as caught:
            core.parse(LINES).decide(event, target)
        assert str(caught.value).endswith(error), target


@pytest.mark.parametrize("character", ["a", '"', "\\", "\x01", "é", "\U0001f512"])
def test_long_targets_have_room(character: str) -> None:
    target = "/tmp/cache/" + character * 4000
    assert core.parse(LINES).decide("tmp", target).entry == "/tmp/cache/**"
    assert core.parse("SHIELD_READ_WRITE_TMP=block").decide("tmp", target).allow == target
    assert core.parse("SHIELD_READ_WRITE_TMP=block").decide("exec-static", target).allow == f"unshielded:{target}"


def test_lines_of_any_length() -> None:
    paths = [f"/tmp/{number}{chr(34) * 200}" for number in range(128)]
    policy, _ = core.parse(f"SHIELD_ALLOW_TMP={','.join(paths)}"), core.parse("SHIELD_ALLOW_TMP=/tmp/other")
    assert policy.lines() == f"SHIELD_ALLOW_TMP={','.join(paths)}\n"
    assert [each.entry for each in ShieldPolicy(allow_tmp=paths).explain() if each.entry] == paths


def test_explain() -> None:
    explained = ShieldPolicy.from_lines(LINES).explain()
    meaning = "only listed hosts and AWS may be resolved and reached; all else is refused and reported"
    assert explained[0] == Explanation("outbound_connectivity", "", meaning, "block", False)
    told = {each.entry: each.meaning for each in explained if each.field == "allow_outbound" and each.entry}
    assert told == {
        "api.stripe.com:443": "the host api.stripe.com, port 443",
        "*.example.com": "every host below example.com, any port",
        "10.0.0.0/8:5432": "the network 10.0.0.0/8, port 5432",
        "[2001:db8::1]:443": "the address 2001:db8::1, port 443",
    }
    values = {each.field: (each.value, each.given) for each in explained if not each.entry}
    assert values["read_handler"] == ("allow", False)
    assert values["executable_memory"] == ("by_runtime", False)


@pytest.mark.parametrize(
    ("entry", "meaning"),
    [
        ("tcp://10.0.0.0/8", "the network 10.0.0.0/8, any TCP port"),
        ("udp://[2001:db8::/32]:53", "the network 2001:db8::/32, UDP port 53"),
        ("192.0.2.1", "the address 192.0.2.1, any port"),
        ("a1.b2.c3:80", "the host a1.b2.c3, port 80"),
        ("a.b by x or y>z", "the host a.b, any port; reported where the call did not come through x or y>z"),
    ],
)
def test_an_entry_says_what_it_admits(entry: str, meaning: str) -> None:
    assert meaning in [each.meaning for each in ShieldPolicy(allow_outbound=[entry]).explain()]


@pytest.mark.parametrize("text", [text for text in CANONICAL if text.field in KINDS], ids=str)
def test_every_value_is_explained_in_words(text: Text) -> None:
    explained = ShieldPolicy.from_lines(f"{text.setting}={text.given}").explain()
    (own,) = [row for row in explained if row.field == text.field and not row.entry]
    assert own.value == text.becomes
    assert all(row.meaning for row in explained)


def test_a_bad_policy_is_an_error() -> None:
    for lines, told in (
        ("\nX=1", "^line 2: X: there is no such setting; "),
        ("X=\udcff", "lone surrogate"),
        ("", "there is no "),
    ):
        with pytest.raises(core.PolicyError, match=told):
            core.parse(lines)


def test_an_alert_line() -> None:
    judged = {"policy": CHILD, "mode": "alert", "function": "checkout", "region": "eu-west-1", "count": 4}
    facts: dict[str, Any] = {"pid": 17, "trace": "1-5759e988-bd862e3fe1be46a994272793", "allow": "/bin/sh"}
    details = {"path": "/bin/sh", "syscall": "execve", "arguments": ["sh", "-c", "", "a\nb"]}
    caller = {"object": "libpython3.13.so", "file": "/var/task/tool/shell.py", "line": 12}
    more: dict[str, Any] = {"code": "run", "packages": ["tool", "app"], "seconds": 1795527420, "micros": 5}
    line = core.alert_line(**judged, **facts, **details, **caller, **more)
    assert "\n" not in line
    assert json.loads(line) == {
        "function_shield": True,
        "v": 1,
        "timestamp": "2026-11-24T13:37:00.000005Z",
        "level": "WARN",
        "severity": "warning",
        "details": details,
        **judged,
        **facts,
        "caller": {**caller, "function": "run", "package": "tool", "through": ["tool", "app"]},
    }


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


@pytest.mark.parametrize(
    ("system", "machine", "path"),
    [
        ("linux", "x86_64", "core/linux-x86_64/libshieldcore.so"),
        ("darwin", "arm64", "core/macos-aarch64/libshieldcore.dylib"),
        ("win32", "AMD64", "core/windows-x86_64/shieldcore.dll"),
        ("win32", "ARM64", "core/windows-aarch64/shieldcore.dll"),
        *(
            (system, machine, "")
            for system, machine in (("freebsd14", "amd64"), ("linux", "riscv64"), ("win32", "x86"))
        ),
    ],
)
def test_where_the_library_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, machine: str, path: str
) -> None:
    """Empty: there is none for the platform."""
    monkeypatch.setattr(core, "_BINARIES", tmp_path)
    told = (
        "the shield core for {} on {} is missing .*: reinstall " if path else "no shield core for {} on {}: use Linux, "
    )
    with pytest.raises(core.CoreError, match=told.format(system, machine)):
        core.library_path(system, machine)
    if not path:
        return
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).touch()
    assert core.library_path(system, machine) == tmp_path / path


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


def test_a_library_that_is_not_ours_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(told: str) -> None:
        core._core.cache_clear()
        with pytest.raises(core.CoreError, match=told):
            core.parse(LINES)

    with monkeypatch.context() as patched:
        patched.setattr(core, "API_VERSION", core.API_VERSION + 1)
        refused(f"has interface {core.API_VERSION - 1}, not {core.API_VERSION}: reinstall")
        broken = tmp_path / "broken.so"
        broken.write_bytes(b"no library")
        patched.setattr(core, "library_path", lambda: broken)
        refused("cannot be loaded")
        patched.setattr(core, "_ffi", SimpleNamespace(dlopen=lambda _path: SimpleNamespace()))
        refused("cannot be loaded")
    core._core.cache_clear()
