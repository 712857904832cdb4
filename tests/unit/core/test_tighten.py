"""tighten.h: a policy in force gets stricter or stays as it is, and what code gives is a policy's fields alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.core.native import ERROR_ROOM, Native

IN_FORCE = (
    "AWS_REGION=eu-west-1",
    "SHIELD_OUTBOUND_CONNECTIVITY=alert",
    "SHIELD_ALLOW_OUTBOUND=api.example.com:443,*.example.org,198.51.100.0/24",
    "SHIELD_ALLOW_AWS=s3,dynamodb",
    "SHIELD_CHECK_SERVER_NAME=off",
    "SHIELD_UNUSUAL_NAMES=alert",
    "SHIELD_READ_WRITE_TMP=alert",
    "SHIELD_ALLOW_TMP=/tmp/a/**,/tmp/b",
    "SHIELD_CREATE_CHILD_PROCESS=alert",
    "SHIELD_ALLOW_CHILD_PROCESS=/bin/echo,unshielded:/opt/tool",
    "SHIELD_READ_HANDLER=allow",
    "SHIELD_EXECUTABLE_MEMORY=alert",
)


def from_code(native: Native, *lines: str) -> tuple[Any, str]:
    """The policy that code gives, and the error."""
    policy = native.ffi.new("struct policy *")
    error = native.writer(ERROR_ROOM)
    good = native.lib.policy_from_code(policy, native.text("\n".join(lines)), error)
    said = native.written(error).decode()
    assert bool(said) != bool(good)
    return policy, said


def tighten(native: Native, in_force: tuple[str, ...], *wanted: str) -> tuple[Any, str]:
    """What is in force afterwards, and the error."""
    policy = native.policy(*in_force)
    asked, said = from_code(native, *wanted)
    assert not said, said
    error = native.writer(ERROR_ROOM)
    good = native.lib.policy_tighten(policy, asked, error)
    said = native.written(error).decode()
    assert bool(said) != bool(good)
    return policy, said


def lines_of(native: Native, policy: Any) -> dict[str, str]:
    writer = native.writer(65536)
    native.lib.policy_write_lines(policy, writer)
    return dict(line.split("=", 1) for line in native.written(writer).decode().splitlines())


TIGHTER = [
    ("SHIELD_OUTBOUND_CONNECTIVITY=block", "SHIELD_OUTBOUND_CONNECTIVITY=block"),
    ("SHIELD_READ_HANDLER=alert", "SHIELD_READ_HANDLER=alert"),
    ("SHIELD_UNUSUAL_NAMES=block", "SHIELD_UNUSUAL_NAMES=block"),
    ("SHIELD_CHECK_SERVER_NAME=on", "SHIELD_CHECK_SERVER_NAME=on"),
    ("SHIELD_ALLOW_OUTBOUND=API.example.com:443", "SHIELD_ALLOW_OUTBOUND=api.example.com:443"),
    (
        "SHIELD_ALLOW_OUTBOUND=198.51.100.0/24,*.example.org",
        "SHIELD_ALLOW_OUTBOUND=*.example.org,198.51.100.0/24",
    ),
    ("SHIELD_ALLOW_OUTBOUND=", "SHIELD_ALLOW_OUTBOUND="),
    ("SHIELD_ALLOW_AWS=dynamodb", "SHIELD_ALLOW_AWS=dynamodb"),
    ("SHIELD_ALLOW_AWS=none", "SHIELD_ALLOW_AWS=none"),
    ("SHIELD_ALLOW_BUCKETS=uploads", "SHIELD_ALLOW_BUCKETS=uploads"),
    ("SHIELD_ALLOW_TMP=/tmp/b", "SHIELD_ALLOW_TMP=/tmp/b"),
    ("SHIELD_ALLOW_CHILD_PROCESS=/opt/tool", "SHIELD_ALLOW_CHILD_PROCESS=/opt/tool"),
    ("SHIELD_ALLOW_CHILD_PROCESS=unshielded:/opt/tool", "SHIELD_ALLOW_CHILD_PROCESS=unshielded:/opt/tool"),
]


@pytest.mark.parametrize(("wanted", "line"), TIGHTER)
def test_tighter(native: Native, wanted: str, line: str) -> None:
    policy, said = tighten(native, IN_FORCE, wanted)
    assert not said
    name, _, value = line.partition("=")
    before = lines_of(native, native.policy(*IN_FORCE))
    assert lines_of(native, policy) == before | {name: value}


@pytest.mark.parametrize("line", IN_FORCE[1:])
def test_the_same_again_changes_nothing(native: Native, line: str) -> None:
    policy, said = tighten(native, IN_FORCE, line)
    assert not said
    before = native.policy(*IN_FORCE)
    assert bytes(native.ffi.buffer(policy)) == bytes(native.ffi.buffer(before))


LATER = "a later call may only"
LOOSER = [
    (
        "SHIELD_OUTBOUND_CONNECTIVITY=allow",
        f'outbound_connectivity: "allow" is looser than alert, which is in force; {LATER} tighten',
    ),
    (
        "SHIELD_EXECUTABLE_MEMORY=allow",
        f'executable_memory: "allow" is looser than alert, which is in force; {LATER} tighten',
    ),
    ("SHIELD_UNUSUAL_NAMES=allow", f'unusual_names: "allow" is looser than alert, which is in force; {LATER} tighten'),
    (
        "SHIELD_ALLOW_OUTBOUND=evil.example",
        f'allow_outbound: "evil.example" is not in the list in force; {LATER} take entries out',
    ),
    # Within what is listed, and all the same another entry: nobody has to think about what covers what.
    (
        "SHIELD_ALLOW_OUTBOUND=www.example.org",
        f'allow_outbound: "www.example.org" is not in the list in force; {LATER} take entries out',
    ),
    ("SHIELD_ALLOW_AWS=all", f'allow_aws: "all" is looser than a list, which is in force; {LATER} tighten'),
    ("SHIELD_ALLOW_AWS=s3,sqs", f'allow_aws: "sqs" is not in the list in force; {LATER} take entries out'),
    ("SHIELD_ALLOW_TMP=/tmp/**", f'allow_tmp: "/tmp/**" is not in the list in force; {LATER} take entries out'),
    (
        "SHIELD_ALLOW_CHILD_PROCESS=/bin/sh",
        f'allow_child_process: "/bin/sh" is not in the list in force; {LATER} take entries out',
    ),
    (
        "SHIELD_ALLOW_CHILD_PROCESS=unshielded:/bin/echo",
        'allow_child_process: "/bin/echo" is not listed with unshielded: in the list in force; take that away',
    ),
    (
        "SHIELD_ON_FAILURE=run_unshielded",
        "on_failure: run_unshielded is not refuse, which is in force; this field cannot change",
    ),
    ("SHIELD_LOG_ARGUMENTS=off", "log_arguments: off is not on, which is in force; this field cannot change"),
]


@pytest.mark.parametrize(("wanted", "reason"), LOOSER)
def test_looser_is_refused_and_named(native: Native, wanted: str, reason: str) -> None:
    assert tighten(native, IN_FORCE, wanted)[1] == reason


def test_entries_that_went_do_not_come_back(native: Native) -> None:
    policy, _ = tighten(native, IN_FORCE, "SHIELD_ALLOW_OUTBOUND=*.example.org", "SHIELD_ALLOW_TMP=/tmp/b")
    for line in ("SHIELD_ALLOW_OUTBOUND=api.example.com:443", "SHIELD_ALLOW_TMP=/tmp/a/**"):
        asked, _ = from_code(native, line)
        assert not native.lib.policy_tighten(policy, asked, native.writer(ERROR_ROOM)), line


@pytest.mark.parametrize(
    ("in_force", "wanted", "reason"),
    [
        ("SHIELD_ALLOW_AWS=none", "SHIELD_ALLOW_BUCKETS=a-bucket", "allow_buckets: S3 is not admitted"),
        ("SHIELD_ALLOW_AWS=sqs", "SHIELD_ALLOW_BUCKETS=a-bucket", "allow_buckets: S3 is not admitted"),
        ("SHIELD_ALLOW_BUCKETS=a-bucket,b-bucket", "SHIELD_ALLOW_BUCKETS=a-bucket,c-bucket", '"c-bucket" is not in'),
        ("SHIELD_ALLOW_AWS=all", "SHIELD_ALLOW_BUCKETS=a-bucket", ""),
        ("SHIELD_ALLOW_BUCKETS=a-bucket,b-bucket,c-bucket", "SHIELD_ALLOW_BUCKETS=b-bucket", ""),
        ("SHIELD_CHECK_SERVER_NAME=on", "SHIELD_CHECK_SERVER_NAME=off", 'check_server_name: "off" is looser than on'),
    ],
)
def test_buckets_and_switches(native: Native, in_force: str, wanted: str, reason: str) -> None:
    policy, said = tighten(native, (in_force,), wanted)
    assert reason in said
    assert bool(reason) == bool(said)
    if not said:
        name, _, value = wanted.partition("=")
        assert lines_of(native, policy)[name] == value


def test_buckets_may_come_together_with_less_of_aws(native: Native) -> None:
    policy, said = tighten(native, ("SHIELD_ALLOW_AWS=all",), "SHIELD_ALLOW_AWS=none", "SHIELD_ALLOW_BUCKETS=a-bucket")
    assert not said
    assert lines_of(native, policy) == {"SHIELD_ALLOW_AWS": "none", "SHIELD_ALLOW_BUCKETS": "a-bucket"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("SHIELD_POLICY_FILE=/tmp/policy", "policy_file: is not a field of a policy; take it out"),
        ("SHIELD_NEXT_WRAPPER=/opt/other", "next_wrapper: is not a field of a policy; take it out"),
        ("SHIELD_ACCOUNT_ID=123456789012", "account_id: is not a field of a policy; take it out"),
        ("SHIELD_STATE=ready:3:/x", "state: is not a field of a policy; take it out"),
        (" SHIELD_STATE =ready:3:/x", "state: is not a field of a policy; take it out"),
        ("SHIELD_STATE_SITES=1", '"state_sites: there is no such setting'.removeprefix('"')),
        ("AWS_REGION=us-east-1", "AWS_REGION: is not a field of a policy; take it out"),
        ("PATH=/bin", "PATH: there is no such setting"),
        ("SHIELD_OUTBOUND_CONECTIVITY=block", "did you mean outbound_connectivity?"),
        ("SHIELD_READ_WRITE_TMP=Block", 'read_write_tmp: "Block" is not a mode; use block, alert or allow'),
        ("SHIELD_READ_WRITE_TMP", '"read_write_tmp" is not a setting; write NAME=value'),
        ("SHIELD_ALLOW_TMP=/tmp/a\0b", "the policy has a control character; take it out"),
        ("SHIELD_ALLOW_TMP=/tmp/a\rb", "the policy has a control character; take it out"),
        ("", "there is no policy"),
    ],
)
def test_what_code_may_not_give(native: Native, line: str, reason: str) -> None:
    assert reason in from_code(native, line)[1]


def test_a_field_given_twice(native: Native) -> None:
    said = from_code(native, "SHIELD_READ_HANDLER=block", "SHIELD_READ_HANDLER=allow")[1]
    assert said == "read_handler: given twice; leave one of them out"


# --- whatever is asked for, nothing gets looser ------------------------------------------------------------------

HOSTS = ["a.example", "*.b.example", "b.example:443", "198.51.100.0/24", "198.51.100.7", "tcp://a.example:443"]
PROBED = [
    *("a.example", "b.example", "x.b.example", "s3.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"),
    *("a-bucket.s3.eu-west-1.amazonaws.com", "b-bucket.s3.eu-west-1.amazonaws.com"),
]
MODE = st.sampled_from(["block", "alert", "allow"])
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "SHIELD_OUTBOUND_CONNECTIVITY": MODE,
        "SHIELD_READ_WRITE_TMP": MODE,
        "SHIELD_CREATE_CHILD_PROCESS": MODE,
        "SHIELD_READ_HANDLER": MODE,
        "SHIELD_ALLOW_OUTBOUND": st.lists(st.sampled_from(HOSTS)).map(",".join),
        "SHIELD_ALLOW_AWS": st.sampled_from(["all", "none", "s3", "sqs", "s3,sqs"]),
        "SHIELD_ALLOW_BUCKETS": st.sampled_from(["a-bucket", "b-bucket", "a-bucket,b-bucket"]),
        "SHIELD_ALLOW_TMP": st.lists(st.sampled_from(["/tmp/a", "/tmp/*", "/tmp/a/**"])).map(",".join),
        "SHIELD_ALLOW_CHILD_PROCESS": st.lists(st.sampled_from(["/bin/a", "/bin/b", "unshielded:/bin/a"])).map(
            ",".join
        ),
    },
)


def decisions(native: Native, policy: Any, learnt: Any) -> list[int]:
    """The action for each probe: 0 denies, 1 alerts, 2 allows."""
    lib, found = native.lib, []
    always = native.ffi.new("struct always *")
    for host in PROBED:
        found += [lib.verdict_name(policy, native.text(host)).action]
        found += [
            lib.verdict_host(policy, native.text(host), True, port, lib.PROTOCOL_TCP).action for port in (443, 80)
        ]
    for i in range(len(PROBED)):
        to = native.ffi.new("struct endpoint *", {"ip": native.address(f"203.0.113.{i + 1}")[0], "port": 443})
        found.append(lib.verdict_endpoint(policy, always, learnt, to, lib.PROTOCOL_TCP).action)
    to = native.ffi.new("struct endpoint *", {"ip": native.address("198.51.100.7")[0], "port": 443})
    found.append(lib.verdict_endpoint(policy, always, learnt, to, lib.PROTOCOL_UDP).action)
    found += [
        lib.verdict_tmp(policy, native.text(path), lib.LANGUAGE_OTHER, lib.TMP_AT_WORK).action
        for path in ("/tmp/a", "/tmp/b", "/tmp/a/x")
    ]
    for path in ("/bin/a", "/bin/b", ""):
        found += [
            lib.verdict_program(policy, native.text(path), listed, kind).action
            for listed in (-1, 0)
            for kind in (lib.PROGRAM_DYNAMIC, lib.PROGRAM_STATIC)
        ]
    return found


@given(first=SETTINGS, then=st.lists(SETTINGS, min_size=1, max_size=3))
def test_no_decision_gets_looser(native: Native, first: dict[str, str], then: list[dict[str, str]]) -> None:
    """Addresses that were learnt by rules that went are judged by what is left."""
    policy = native.policy("AWS_REGION=eu-west-1", "SHIELD_LOG_ARGUMENTS=on", *(f"{n}={v}" for n, v in first.items()))
    learnt = native.ffi.new("struct names *")
    for i, host in enumerate(PROBED):
        verdict = native.lib.verdict_name(policy, native.text(host))
        if verdict.action == native.lib.ACTION_ALLOW:
            native.lib.names_learn(learnt, native.address(f"203.0.113.{i + 1}"), verdict.rule, native.text(host))
    before = decisions(native, policy, learnt)
    for wanted in then:
        asked, _ = from_code(native, "SHIELD_LOG_ARGUMENTS=on", *(f"{n}={v}" for n, v in wanted.items()))
        copy = native.ffi.new("struct policy *", policy[0])
        if not native.lib.policy_tighten(copy, asked, native.writer(ERROR_ROOM)):
            continue
        after = decisions(native, copy, learnt)
        assert all(new <= old for old, new in zip(before, after, strict=True))
        # And it is no stricter than what was asked for, read anew.
        anew, said = native.parse(
            "AWS_REGION=eu-west-1\n"
            + "\n".join(f"{n}={v}" for n, v in lines_of(native, copy).items() if n != "AWS_REGION")
        )
        assert not said
        assert decisions(native, anew, learnt)[: 3 * len(PROBED)] == after[: 3 * len(PROBED)]
        policy, before = copy, after
