"""verdict.h: what is decided of /tmp, of programs, and of what is judged by its mode alone."""

from __future__ import annotations

import pytest

from unit.core.native import Native
from unit.core.policies import MODE_FIELDS
from unit.core.verdicts import ALWAYS, NOT_LISTED, Engine, Verdict, listed, read

pytestmark = pytest.mark.promise("policy.verdict")


@pytest.mark.parametrize(("mode", "action"), [("block", "deny"), ("alert", "alert")])
def test_tmp(native: Native, mode: str, action: str) -> None:
    engine = Engine(native, f"SHIELD_READ_WRITE_TMP={mode}", "SHIELD_ALLOW_TMP=/tmp/a,/tmp/cache/**")
    assert engine.tmp("/tmp/a") == listed(0)
    assert engine.tmp("/tmp/cache/x/y") == listed(1)
    assert engine.tmp("/tmp/b") == engine.tmp("/tmp") == Verdict(action, "not_listed")


@pytest.mark.parametrize(
    ("language", "paths"),
    [
        ("java", ["/tmp/hsperfdata_sbx_user1051", "/tmp/hsperfdata_993/17", "/tmp/.libaws-lambda-jni.so"]),
        ("java21", ["/tmp/hsperfdata_u", "/tmp/hsperfdata_u/1"]),
        ("dotnet", ["/tmp/dotnet-diagnostic-8-4242-socket", "/tmp/clr-debug-pipe-8-4242-in"]),
        ("dotnet10", ["/tmp/clr-debug-pipe-8-4242-out"]),
        *(
            (language, ["/tmp/.aws-xray", "/tmp/.aws-xray/initialized"])
            for language in ("python3.13", "nodejs22.x", "")
        ),
    ],
)
@pytest.mark.parametrize(("mode", "action"), [("block", "deny"), ("alert", "alert")])
def test_what_a_runtime_needs_in_tmp(native: Native, language: str, paths: list[str], mode: str, action: str) -> None:
    engine = Engine(native, f"SHIELD_READ_WRITE_TMP={mode}")
    for path in paths:
        assert engine.tmp(path, language, "AT_START") == ALWAYS
        assert engine.tmp(path, language, "TAKEN_AWAY") == ALWAYS
        assert engine.tmp(path, language, "AT_WORK") == Verdict(action, "not_listed")
        for use, mark in {"FOLDER": "/tmp/.aws-xray", "EMPTY": "/tmp/.aws-xray/initialized"}.items():
            assert engine.tmp(path, language, use) == (ALWAYS if path == mark else Verdict(action, "not_listed"))


@pytest.mark.promise("runtime.quiet")
@pytest.mark.parametrize(
    ("language", "paths"),
    [
        ("java", "/tmp /tmp/hsperfdata /tmp/hsperfdata_u/ /tmp/hsperfdata_u/1x /tmp/hsperfdata_u/x.so"),
        ("java", "/tmp/hsperfdata_u/1/2 /tmp/x/hsperfdata_u /tmp/.libaws-lambda-jni.so.1 /tmp/.libaws-lambda-jni.so/x"),
        ("java", "/tmp/clr-debug-pipe-8-4242-in"),
        ("dotnet", "/tmp/hsperfdata_u /tmp/clr-debug-pipe-8-4242-in/x /tmp/clr-debug-pipe-8-in"),
        ("dotnet", "/tmp/clr-debug-pipe--4242-in /tmp/dotnet-diagnostic-8-4242-socket2"),
        ("python3.13", "/tmp/hsperfdata_u /tmp/.aws-xray/other /tmp/.aws-xray/initialized/x"),
        ("javascript", "/tmp/hsperfdata_u"),
        ("", "/tmp/.libaws-lambda-jni.so"),
    ],
)
def test_what_only_looks_like_it(native: Native, language: str, paths: str) -> None:
    engine = Engine(native, "SHIELD_READ_WRITE_TMP=block")
    for path in paths.split():
        for use in ("AT_START", "TAKEN_AWAY", "FOLDER", "EMPTY", "AT_WORK"):
            assert engine.tmp(path, language, use) == NOT_LISTED, (path, use)


def test_mode_allow(native: Native) -> None:
    assert Engine(native, "SHIELD_READ_WRITE_TMP=allow").tmp("/tmp/b") == Verdict("allow", "mode_allow")
    engine = Engine(native, "SHIELD_CREATE_CHILD_PROCESS=allow", "SHIELD_ALLOW_CHILD_PROCESS=/bin/ls")
    assert engine.program("/bin/ls") == listed(0)
    assert engine.program("/bin/sh") == Verdict("allow", "mode_allow")


@pytest.mark.parametrize(("mode", "action"), [("block", "deny"), ("alert", "alert")])
def test_programs(native: Native, mode: str, action: str) -> None:
    engine = Engine(
        native, f"SHIELD_CREATE_CHILD_PROCESS={mode}", "SHIELD_ALLOW_CHILD_PROCESS=/bin/ls,unshielded:/opt/static"
    )
    assert engine.program("/bin/ls") == listed(0)
    assert engine.program("/opt/static") == engine.program("/opt/static", static=True) == listed(1)
    assert engine.program("/bin/sh") == Verdict(action, "not_listed")
    # The engine found the program's object to be that of an entry, under another name.
    assert engine.program("/lib/x", at=0) == listed(0)
    assert engine.program("/lib/x", at=1, static=True) == listed(1)
    # It found another entry's object behind an entry's name: the object counts.
    assert engine.program("/opt/static", at=0, static=True) == Verdict("deny", "static")
    assert engine.program("/bin/ls", at=99) == Verdict(action, "not_listed")
    assert engine.program("/bin/ls", static=True) == Verdict("deny", "static")


@pytest.mark.promise("policy.verdict", "deny.every-mode")
@pytest.mark.parametrize(
    ("modes", "verdict"),  # of outbound_connectivity, read_write_tmp, create_child_process, read_handler
    [
        ("block allow allow allow", Verdict("deny", "static")),
        ("allow block allow allow", Verdict("deny", "static")),
        ("allow allow block allow", Verdict("deny", "static")),
        ("allow allow allow block", Verdict("deny", "static")),
        ("alert allow block allow", Verdict("deny", "static")),
        ("alert alert alert alert", Verdict("alert", "static")),
        ("allow alert allow allow", Verdict("alert", "static")),
        ("allow allow allow allow", Verdict("allow", "mode_allow")),
    ],
)
def test_a_static_program_is_held_by_the_strictest_policy(native: Native, modes: str, verdict: Verdict) -> None:
    """It would escape them all, and change the process that clears /tmp. What is denied in every mode does not count
    (docs/security/limits.md): a roll-out is to stop no program."""
    settings = [f"SHIELD_{field.upper()}={mode}" for field, mode in zip(MODE_FIELDS, modes.split(), strict=True)]
    settings += ["SHIELD_DENY_OUTBOUND=webhook.site"]
    engine = Engine(native, *settings, "SHIELD_ALLOW_CHILD_PROCESS=/bin/ls,unshielded:/opt/static")
    assert engine.program("/bin/sh", static=True) == verdict
    assert engine.program("/bin/ls", static=True) == verdict
    assert engine.program("/opt/static", static=True) == listed(1)
    clearing = Engine(native, *settings, "SHIELD_CLEAR_TMP=on")
    assert clearing.program("/bin/sh", static=True) == Verdict("deny", "static")
    assert clearing.program("/bin/sh").action == {"block": "deny"}.get(modes.split()[2], modes.split()[2])


def test_what_the_engine_judges_by_mode_alone(native: Native) -> None:
    policy = native.policy("SHIELD_READ_HANDLER=alert", "SHIELD_EXECUTABLE_MEMORY=allow")
    lib = native.lib

    def unlisted(policy_id: int, reason: int) -> Verdict:
        return read(native, lib.verdict_unlisted(policy, policy_id, reason))

    assert unlisted(lib.READ_HANDLER, lib.REASON_HANDLER) == Verdict("alert", "handler")
    assert unlisted(lib.EXECUTABLE_MEMORY, lib.REASON_EXECUTABLE_MEMORY) == Verdict("allow", "mode_allow")
    assert unlisted(lib.SELF_PROTECTION, lib.REASON_SELF_PROTECTION) == Verdict("deny", "self_protection")
    unsettled = native.policy("SHIELD_READ_HANDLER=alert")  # by_runtime, and which runtime is not known yet
    verdict = lib.verdict_unlisted(unsettled, lib.EXECUTABLE_MEMORY, lib.REASON_EXECUTABLE_MEMORY)
    assert read(native, verdict) == Verdict("deny", "executable_memory")


@pytest.mark.promise("memory.foreign")
@pytest.mark.parametrize("mode", ["block", "alert", "allow"])
def test_a_bridge_where_foreign_functions_are_blocked(native: Native, mode: str) -> None:
    """In every mode, unless it is listed."""
    lines = (f"SHIELD_EXECUTABLE_MEMORY={mode}", "SHIELD_ALLOW_EXECUTABLE_MEMORY=_ctypes")

    def bridge(name: str, *more: str) -> Verdict:
        return read(native, native.lib.verdict_bridge(native.policy(*lines, *more), native.text(name), False))

    on = "SHIELD_BLOCK_FOREIGN_FUNCTIONS=on"
    assert bridge("jna", on) == Verdict("deny", "executable_memory")
    assert bridge("_ctypes", on) == bridge("_ctypes") == listed(0)
    assert bridge("jna").action == {"block": "deny"}.get(mode, mode)


def test_every_reason_has_a_name(native: Native) -> None:
    names = [native.string(native.lib.reason_name(reason)) for reason in range(native.lib.REASON_COUNT + 1)]
    assert names[-1] == ""
    assert all(names[:-1])
    assert len(set(names)) == len(names)
