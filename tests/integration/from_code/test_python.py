"""`configure` from Python: each policy is enforced, what is wrong is refused, and a later call only tightens."""

from __future__ import annotations

import json
import platform
from typing import Any

import pytest

import shielded_function_runtime
from harness import running
from harness.running import PYTHON, SHIELD, alerts, prepare_tmp
from integration.from_code.conftest import Probe, events, only, policy
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_runtime import ConfigurationError

ATTEMPTS = {
    "outbound_connectivity": ["connect", "datagram", "old_socket"],
    "read_write_tmp": ["tmp", "child_tmp"],
    "create_child_process": ["program"],
    "read_handler": ["ready", "handler"],
    "executable_memory": ["memory"],
}
HARMLESS = {"ready"}
ALL = [attempt for attempts in ATTEMPTS.values() for attempt in attempts]
BLOCKED = dict.fromkeys(ATTEMPTS, "block")


def refused(attempts: list[str]) -> list[str]:
    return ["ok" if attempt in HARMLESS else "EACCES" for attempt in attempts]


@pytest.mark.parametrize("name", ATTEMPTS)
def test_each_policy_in_each_mode(probe: Probe, name: str) -> None:
    """From allow to alert to block in one process, with a look back after each step."""
    attempts = ATTEMPTS[name]
    steps: list[Any] = [policy(), *attempts]
    steps += [only(**{name: "alert"}), *attempts, only(**{name: "allow"})]
    steps += [only(**{name: "block"}), *attempts, only(**{name: "alert"}), only(**{name: "block"}), *attempts]
    done, run = probe(*steps)
    looser = '{}: "{}" is looser than {}, which is in force; a later call may only tighten'
    ok = ["ok"] * len(attempts)
    assert done == [
        *("ok", *ok),
        *("ok", *ok, looser.format(name, "allow", "alert")),
        *("ok", *refused(attempts), looser.format(name, "alert", "block"), "ok", *refused(attempts)),
    ]
    judged = [attempt for attempt in attempts if attempt not in HARMLESS]
    seen = [(line["policy"], line["mode"]) for line in alerts(run)]
    tightening = ("self_protection", "block")
    expected = [(name, "alert")] * len(judged) + [tightening] + [(name, "block")] * len(judged) + [tightening]
    assert seen == expected + [(name, "block")] * len(judged)
    # Of a file of the handler a line is written once a minute: the last one's is the count at the end.
    left_out = ["folded"] if name == "read_handler" else []
    assert events(run) == ["armed", "tightened", "tightened", *left_out]


@pytest.mark.promise("deny.every-mode")
def test_a_list_of_what_is_denied_in_every_mode(probe: Probe) -> None:
    attempts = ATTEMPTS["outbound_connectivity"]
    listed = policy(deny_outbound="203.0.113.0/24")
    done, run = probe(
        listed, *attempts, only(deny_outbound="evil.example"), only(outbound_connectivity="alert"), *attempts
    )
    differs = "deny_outbound: differs from the policy in force; a later call only makes modes stricter, so leave it out"
    assert done == ["ok", *refused(attempts), differs, "ok", *refused(attempts)]
    lines = [line for line in alerts(run) if line["policy"] == "outbound_connectivity"]
    assert {(line["mode"], line.get("reason")) for line in lines} == {("block", "deny_outbound")}


def test_all_at_once_by_functionshields_own_dictionary(probe: Probe) -> None:
    """Also where hundreds of libraries were loaded."""
    first = {"policy": dict.fromkeys([*ATTEMPTS][:4], "block"), "token": "0123456789abcdef", "disable_analytics": True}
    done, run = probe("many_mappings", first, *ALL)
    # The default of executable_memory: Python has no JIT.
    assert done == ["ok", "ok", *refused(ALL)]
    assert events(run) == ["armed"]
    armed = run.shield_lines[0]
    assert armed["modes"] == BLOCKED
    assert armed["handler_files"] > 0


def test_what_was_there_before_stays(probe: Probe) -> None:
    """A limit (docs/security/limits.md): a socket that was connected before leads on."""
    done, run = probe(policy(outbound_connectivity="block"), "datagram", "old_peer")
    assert done == ["ok", "EACCES", "ok"]
    assert [line["policy"] for line in alerts(run)] == ["outbound_connectivity"]


LISTS = only(
    allow_outbound=["203.0.113.77:9"], allow_tmp="/tmp/probe, /tmp/other", allow_child_process=("/bin/true",),
    allow_aws=["s3"], check_tls_name=False, executable_memory=None, log_arguments=False,
)  # fmt: skip
WATCHED = only(**dict.fromkeys([*ATTEMPTS][:4], "alert"))


@pytest.mark.parametrize(
    ("steps", "outcomes"),
    [
        ([only(read_write_tmp="allow"), "tmp", "program", "connect"], "ok ok EACCES EACCES"),
        ([LISTS, "connect", "datagram", "tmp", "program"], "ok ok ok ok ok"),
        ([WATCHED, "memory", only(read_handler="block"), "memory"], "ok ok ok EACCES"),
        ([policy(), "ready", "handler", only(read_handler="block"), "handler"], "ok ok ok ok EACCES"),
    ],
    ids=["what is left out is blocked", "lists", "memory follows the strictest", "ready before"],
)
def test_what_follows_from_a_policy(probe: Probe, steps: list[Any], outcomes: str) -> None:
    assert probe(*steps)[0] == outcomes.split()


NOTHING_BLOCKED = "; it runs without the shield, as nothing is blocked and SHIELD_ON_FAILURE is not set"
LATER = "differs from the policy in force; a later call only makes modes stricter, so leave it out"


def test_nothing_is_half_applied(probe: Probe) -> None:
    done, run = probe(
        policy(read_write_tmp="alert"),
        only(read_write_tmp="block", create_child_process="block", allow_tmp=["/tmp/probe"]),
        *("tmp", "program"),
    )
    assert done == ["ok", f"allow_tmp: {LATER}", "ok", "ok"]
    assert [line["mode"] for line in alerts(run)] == ["block", "alert"]  # the refusal, and what is only reported
    assert alerts(run)[0]["details"] == {"syscall": "configure", "arguments": [done[1]]}


def test_a_bad_dictionary_arms_nothing_and_a_good_one_may_follow(probe: Probe) -> None:
    policies = {
        'read_write_tmp: "blok" is not a mode; use block, alert or allow': only(read_write_tmp="blok"),
        "policy_file: is not a field of a policy; take it out": only(policy_file="/tmp/probe"),
        "there is no policy": only(),
        "ok": only(read_write_tmp="block"),
    }
    done, run = probe(*(step for each in policies.values() for step in (each, "tmp")))
    assert done[1::2] == ["ok"] * 3 + ["EACCES"]
    assert [said for said, start in zip(done[::2], policies, strict=True) if not said.startswith(start)] == []
    assert events(run) == ["armed"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (None, "the options are missing, not a dictionary with policy in it"),
        ([], "the options are list, not a dictionary with policy in it"),
        ({"polcy": {}}, "polcy: there is no such option; use policy, token, disable_analytics"),
        ({}, "policy: it is missing, not a dictionary of fields such as read_write_tmp"),
        ({"policy": "block"}, "policy: it is str, not a dictionary of fields such as read_write_tmp"),
        ({"policy": {"read_write_tmp": 1}}, "read_write_tmp: it is int, not text, a list of text, or a boolean"),
        ({"policy": {"allow_tmp": ["/tmp/a", None]}}, "allow_tmp: an entry is missing, not text"),
        (
            {"policy": {"allow_tmp": ["/a,/b"]}},
            "allow_tmp: '/a,/b' is not one entry; write one for each, without commas",
        ),
        ({"policy": {"allow_tmp": [" "]}}, "allow_tmp: ' ' is not one entry; write one for each, without commas"),
        ({"policy": {"allow_tmp": "a\nX=b"}}, r"allow_tmp: 'a\nX=b' has a control character or half a character; take"),
        ({"policy": {"allow_tmp": "/tmp/\udc80"}}, "allow_tmp: '/tmp/\\udc80' has a control character"),
        ({"policy": {"A=b\nX": "c"}}, "A=b\nX: a field's name is lower-case letters and underscores"),
        ({"policy": {7: "c"}}, "7: a field's name is lower-case letters and underscores"),
    ],
)
def test_what_is_no_dictionary_of_a_policy(options: Any, reason: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        shielded_function_runtime.configure(options)
    assert str(error.value).startswith(reason)


def test_under_the_wrapper_code_may_only_tighten(probe: Probe) -> None:
    settings = {"SHIELD_READ_WRITE_TMP": "alert", "SHIELD_ALLOW_OUTBOUND": "203.0.113.77:9,api.example.com"}
    settings |= {"SHIELD_CREATE_CHILD_PROCESS": "alert", "SHIELD_EXECUTABLE_MEMORY": "allow"}
    done, run = probe(
        *("tmp", "connect", only(read_write_tmp="allow"), only(on_failure="run_unshielded")),
        *(only(read_write_tmp="block"), "tmp", "connect", "child_tmp"),
        shielded=settings,
    )
    assert done[:2] == ["ok", "ok"]
    assert "looser than alert" in done[2]
    assert done[3] == f"on_failure: {LATER}"
    assert done[4:] == ["ok", "EACCES", "ok", "EACCES"]
    assert events(run) == ["armed", "tightened"]


@pytest.mark.promise("code.guarded-later")
def test_from_nothing_guarded_to_everything_under_the_wrapper(probe: Probe) -> None:
    settings = {f"SHIELD_{name.upper()}": "allow" for name in ATTEMPTS}
    done, run = probe(*ALL, only(**BLOCKED), *ALL, shielded=settings)
    assert done == ["ok"] * len(ALL) + ["ok", *refused(ALL)]
    assert events(run) == ["armed", "tightened"]


STRICT, UNGUARDED = only(read_write_tmp="block"), "a system call cannot be guarded in /"
RAN_FREE = "a library was loaded that makes system calls which cannot be guarded"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86_64's code; on aarch64 a jump always has room")
@pytest.mark.parametrize(
    ("steps", "configured", "told"),
    [
        # What was loaded when nothing was blocked is not shielded by a later call, and that is not passed over.
        ([policy(), "free_library", STRICT, "tmp"], RAN_FREE, None),
        ([policy(), "relocated_library", STRICT, "tmp"], RAN_FREE, None),
        # What runs is compared with the file: code that was changed cannot be patched.
        (["changed_libc", STRICT, "tmp"], UNGUARDED, "refused"),
        (["free_library", STRICT, "tmp"], f"{UNGUARDED}var/task/libhard.so", "refused"),
        (["free_library", only(read_write_tmp="block", on_failure="run_unshielded"), "tmp"], "ok", "unshielded"),
        (["free_library", only(**dict.fromkeys([*ATTEMPTS][:3], "alert")), "tmp"], "ok", "unshielded"),
    ],
)
def test_a_process_that_cannot_be_shielded(probe: Probe, steps: list[Any], configured: str, told: str | None) -> None:
    """Found out before anything is changed: it raises, or goes on as it was asked to, and the alarm hears of it."""
    (*before, said, after), run = probe(*steps)
    assert {*before, after} == {"ok"}
    assert said.startswith(configured)
    if told:
        assert events(run) == [told]
        chosen = told == "unshielded" and "on_failure" not in steps[-2]["policy"]
        assert run.shield_lines[0]["reason"].endswith(NOTHING_BLOCKED) == chosen


def test_settings_of_the_environment_come_first(probe: Probe) -> None:
    """They are the owner's: without the wrapper too, code can only tighten what they say."""
    owners = {"SHIELD_READ_WRITE_TMP": "block", "SHIELD_CREATE_CHILD_PROCESS": "allow"}
    done, _ = probe(only(read_write_tmp="allow"), "tmp", "program", environment=owners)
    assert "looser than block" in done[0]
    assert done[1:] == ["EACCES", "ok"]


FOREIGN = """
import importlib, json, subprocess, sys
import shielded_function_runtime
name, fields = sys.argv[1:]
importlib.import_module(name)
shielded_function_runtime.configure({"policy": json.loads(fields)})
del sys.modules[name]
importlib.import_module(name)
child = subprocess.run([sys.executable, "-S", "-c", f"import {name}"], capture_output=True, env={})
print(b"ImportError" in child.stderr)
"""


@pytest.mark.promise("memory.foreign")
@pytest.mark.parametrize("name", ["_ctypes", "_testcapi"])
def test_a_bridge_that_was_loaded_before_stays(box: Sandbox, name: str) -> None:
    """Child processes load none. `configure` itself loads ctypes."""
    fields = json.dumps(policy(block_foreign_functions=True)["policy"])
    done = box.run_command([PYTHON, "-S", "-c", FOREIGN, name, fields], environment={})
    assert done.stdout == "True\n", done.stderr
    (line,) = alerts(done)
    assert (line["policy"], line["mode"], line["allow"]) == ("executable_memory", "block", name)


@pytest.mark.promise("memory.foreign")
def test_configure_where_ctypes_is_refused(box: Sandbox) -> None:
    code = "import shielded_function_runtime as shield; shield.configure({'policy': {'read_write_tmp': 'alert'}})"
    settings = {**running.policy(), "SHIELD_BLOCK_FOREIGN_FUNCTIONS": "on"}
    done = box.run_command([SHIELD, PYTHON, "-S", "-c", code], environment=settings)
    assert "ConfigurationError: configure needs ctypes, which cannot be imported; where block_foreign" in done.stderr
    settings |= {"SHIELD_ALLOW_EXECUTABLE_MEMORY": "_ctypes"}
    done = box.run_command([SHIELD, PYTHON, "-S", "-c", code], environment=settings)
    assert (done.returncode, alerts(done)) == (0, []), done.stderr


BY_PYTHON = ("odd_arguments", "eight_threads", "in_forked_copies", "after_closing")
TRIALS = {
    **{trial: [PYTHON, "-S", "/var/task/attack.py", trial] for trial in BY_PYTHON},
    "in_a_vfork_child": ["/var/task/in_a_vfork_child", "/opt/shielded-function/libshield.so"],
}


@pytest.mark.promise("code.stricter-only", "code.guarded-later")
@pytest.mark.parametrize("trial", TRIALS)
def test_nothing_gets_looser(box: Sandbox, trial: str) -> None:
    """The engine's entry point against code that holds a pointer to it: nothing crashes either."""
    prepare_tmp(box)
    done = box.run_command(TRIALS[trial])
    assert (done.returncode, done.stdout) == (0, "ok\n"), f"{done.returncode} {done.stdout} {done.stderr[-3000:]}"
    assert "armed" in events(done)


def test_a_preloaded_library_without_a_policy_stops_a_program(box: Sandbox) -> None:
    """Only who loads it later, having no setting of ours, may say what it wants afterwards."""
    done = box.run_command(["/bin/true"], environment={"LD_PRELOAD": "/opt/shielded-function/libshield.so"})
    assert done.returncode == 78, done.stderr
    assert events(done) == ["refused"]
    assert "there is no policy" in done.shield_lines[0]["reason"]
