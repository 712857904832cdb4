"""tighten.h: a policy in force gets stricter or stays as it is, and what code gives is a policy's fields alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.core.native import ERROR_ROOM, Native
from unit.core.policies import MODE_FIELDS

pytestmark = pytest.mark.promise("code.stricter-only")

IN_FORCE = (
    "AWS_REGION=eu-west-1",
    "SHIELD_OUTBOUND_CONNECTIVITY=alert",
    "SHIELD_ALLOW_OUTBOUND=api.example.com:443,*.example.org,198.51.100.0/24",
    "SHIELD_ALLOW_AWS=s3,dynamodb",
    "SHIELD_CHECK_TLS_NAME=off",
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


def scratch(native: Native) -> Any:
    return native.ffi.new("char[]", native.lib.TIGHTEN_SCRATCH)


def tighten(native: Native, in_force: tuple[str, ...], *wanted: str) -> tuple[Any, str]:
    """What is in force afterwards, and the error."""
    policy = native.policy(*in_force)
    asked, said = from_code(native, *wanted)
    assert not said, said
    error = native.writer(ERROR_ROOM)
    good = native.lib.policy_tighten(policy, asked, scratch(native), error)
    said = native.written(error).decode()
    assert bool(said) != bool(good)
    return policy, said


def lines_of(native: Native, policy: Any) -> dict[str, str]:
    return dict(line.split("=", 1) for line in native.lines_of(policy).splitlines())


@pytest.mark.parametrize(
    "wanted", ["READ_HANDLER=alert", "EXECUTABLE_MEMORY=block", "CLEAR_TMP=on", "BLOCK_FOREIGN_FUNCTIONS=on"]
)
def test_tighter(native: Native, wanted: str) -> None:
    policy, said = tighten(native, IN_FORCE, f"SHIELD_{wanted}")
    assert not said
    name, _, value = wanted.partition("=")
    before = lines_of(native, native.policy(*IN_FORCE))
    assert lines_of(native, policy) == before | {f"SHIELD_{name}": value}


REORDERED = [
    "SHIELD_ALLOW_OUTBOUND=198.51.100.0/24,API.example.com:443,*.example.org",
    "SHIELD_ALLOW_AWS=dynamodb,s3",
    "SHIELD_ALLOW_TMP=/tmp/b,/tmp/a/**",
    "SHIELD_ALLOW_CHILD_PROCESS=unshielded:/opt/tool,/bin/echo",
]
DEFAULTS = ["SHIELD_LOG_ARGUMENTS=off", "SHIELD_ON_FAILURE=run_unshielded"]


@pytest.mark.parametrize("line", [*IN_FORCE[1:], *REORDERED, *DEFAULTS])
def test_the_same_again_changes_nothing(native: Native, line: str) -> None:
    policy, said = tighten(native, IN_FORCE, line)
    assert not said
    before = native.policy(*IN_FORCE)
    assert bytes(native.ffi.buffer(policy)) == bytes(native.ffi.buffer(before))


def test_on_failure_follows_the_modes(native: Native) -> None:
    _, said = tighten(native, IN_FORCE, "SHIELD_READ_WRITE_TMP=block", "SHIELD_ON_FAILURE=refuse")
    assert not said


LATER = "which is in force; a later call may only tighten"


@pytest.mark.promise("tmp.clear-refused", "memory.foreign")
@pytest.mark.parametrize("field", ["clear_tmp", "block_foreign_functions", "kernel_limits"])
def test_a_switch_may_be_turned_on_and_not_off(native: Native, field: str) -> None:
    setting = f"SHIELD_{field.upper()}"
    policy, said = tighten(native, (*IN_FORCE, f"{setting}=on"), f"{setting}=off")
    assert said == f'{field}: "off" is looser than on, {LATER}'
    assert lines_of(native, policy)[setting] == "on"
    is_default = field != "kernel_limits"
    assert (tighten(native, IN_FORCE, f"{setting}=off")[1] == "") == is_default


OTHER = """ALLOW_OUTBOUND= DENY_OUTBOUND=webhook.site ALLOW_AWS=all ALLOW_AWS=none ALLOW_AWS=s3 ALLOW_BUCKETS=uploads
    ALLOW_OUTBOUND=api.example.com:443,*.example.org CHECK_TLS_NAME=on ALLOW_TMP=/tmp/** ON_FAILURE=refuse
    ALLOW_OUTBOUND=api.example.com:443,*.example.org,198.51.100.0/24,evil.example ALLOW_CHILD_PROCESS=/bin/echo
    ALLOW_CHILD_PROCESS=/bin/echo,/opt/tool ALLOW_EXECUTABLE_MEMORY=libffi LOG_ARGUMENTS=on"""


@pytest.mark.parametrize("wanted", OTHER.split())
def test_what_is_no_mode_stays_and_is_named(native: Native, wanted: str) -> None:
    differs = "differs from the policy in force; a later call only makes modes stricter, so leave it out"
    assert tighten(native, IN_FORCE, f"SHIELD_{wanted}")[1] == f"{wanted.partition('=')[0].lower()}: {differs}"


def test_lists_of_every_length_are_compared(native: Native) -> None:
    """Up to what a policy holds: no longer one is cut before it is compared."""
    paths = [f"/tmp/{'x' * 240}{i:03}" for i in range(128)]
    whole = f"SHIELD_ALLOW_TMP={','.join(paths)}"
    assert not tighten(native, (whole,), whole)[1]
    assert tighten(native, (whole,), whole.removesuffix("7") + "8")[1].startswith("allow_tmp: differs")


NO_FIELD = "is not a field of a policy; take it out"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("SHIELD_POLICY_FILE=/tmp/policy", f"policy_file: {NO_FIELD}"),
        ("SHIELD_NEXT_WRAPPER=/opt/other", f"next_wrapper: {NO_FIELD}"),
        ("SHIELD_ACCOUNT_ID=123456789012", f"account_id: {NO_FIELD}"),
        ("SHIELD_STATE=ready:3:/x", f"state: {NO_FIELD}"),
        (" SHIELD_STATE =ready:3:/x", f"state: {NO_FIELD}"),
        ("SHIELD_STATE_SITES=1", "state_sites: there is no such setting"),
        ("AWS_REGION=us-east-1", f"AWS_REGION: {NO_FIELD}"),
        ("PATH=/bin", "PATH: there is no such setting"),
        ("SHIELD_OUTBOUND_CONECTIVITY=block", "did you mean outbound_connectivity?"),
        ("SHIELD_READ_WRITE_TMP=Block", 'read_write_tmp: "Block" is not a mode; use block, alert or allow'),
        ("SHIELD_READ_WRITE_TMP", '"read_write_tmp" is not a setting; write NAME=value'),
        ("SHIELD_READ_HANDLER=block\nSHIELD_READ_HANDLER=allow", "read_handler: given twice; leave one of them out"),
        ("SHIELD_ALLOW_TMP=/tmp/a\0b", "the policy has a control character; take it out"),
        ("SHIELD_ALLOW_TMP=/tmp/a\rb", "the policy has a control character; take it out"),
        ("", "there is no policy"),
    ],
)
def test_what_code_may_not_give(native: Native, lines: str, reason: str) -> None:
    assert reason in from_code(native, lines)[1]


# Whatever is asked for, nothing gets looser.

MODES = {f"SHIELD_{field.upper()}" for field in MODE_FIELDS}
STRICTNESS = ["allow", "alert", "block"]
SETTINGS = st.fixed_dictionaries(
    {},
    optional={name: st.sampled_from(STRICTNESS) for name in MODES}
    | {
        "SHIELD_ALLOW_OUTBOUND": st.lists(st.sampled_from(["a.example", "*.b.example", "b.example:443"])).map(",".join),
        "SHIELD_ALLOW_AWS": st.sampled_from(["all", "none", "s3", "s3,sqs"]),
    },
)


@given(first=SETTINGS, then=st.lists(SETTINGS, min_size=1, max_size=4))
def test_no_decision_gets_looser(native: Native, first: dict[str, str], then: list[dict[str, str]]) -> None:
    policy = native.policy("SHIELD_LOG_ARGUMENTS=on", *(f"{n}={v}" for n, v in first.items()))
    before = lines_of(native, policy)
    for wanted in then:
        asked, _ = from_code(native, "SHIELD_LOG_ARGUMENTS=on", *(f"{n}={v}" for n, v in wanted.items()))
        copy = native.ffi.new("struct policy *", policy[0])
        if not native.lib.policy_tighten(copy, asked, scratch(native), native.writer(ERROR_ROOM)):
            continue
        after = lines_of(native, copy)
        for name in MODES:
            unset = "allow" if name == "SHIELD_READ_HANDLER" else "block"
            was, now = before.get(name, unset), after.get(name, unset)
            assert STRICTNESS.index(now) >= STRICTNESS.index(was), name
            assert now == wanted.get(name, was)
        assert {n: v for n, v in after.items() if n not in MODES} == {n: v for n, v in before.items() if n not in MODES}
        policy, before = copy, after
