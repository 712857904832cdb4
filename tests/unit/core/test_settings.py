"""policy.h: the SHIELD_* settings as text. What is taken, in which canonical form, and what each error says."""

from __future__ import annotations

import pytest

from harness.policy_texts import CANONICAL, ERRORS, Text
from shielded_function import ShieldPolicy
from shielded_function.policy.fields import effective_on_failure
from unit.core.native import Native
from unit.core.policies import MODE_FIELDS

MODES = [f"SHIELD_{name.upper()}" for name in (*MODE_FIELDS, "executable_memory")]
VALUES = {text.setting: text.given for text in CANONICAL}
"""Of each setting, a good value."""
LISTS_ARE_LONG = "the lists together are longer than 32768 bytes; "
NO_SUCH = "take it out, or see the policy table for the names"


def test_the_table_has_every_setting(native: Native) -> None:
    names = {native.string(native.lib.setting_name(row)) for row in range(native.lib.setting_count())}
    assert names == set(VALUES)


def test_an_empty_policy_is_strict(native: Native) -> None:
    policy = native.ffi.new("struct policy *")
    native.lib.policy_begin(policy)
    modes = [native.string(native.lib.mode_name(mode)) for mode in policy.modes]
    assert modes == ["block", "block", "block", "allow", "by_runtime", "block"]
    assert policy.on_failure == native.lib.ON_FAILURE_REFUSE
    assert policy.aws == native.lib.AWS_ALL
    assert policy.hide_arguments
    assert not policy.skip_server_name
    assert policy.keeps_tmp
    assert policy.loads_bridges
    assert not policy.skips_limits
    assert policy.account.len == policy.buckets.len == 0
    assert policy.outbound_count == policy.tmp_count == policy.child_count == policy.aws_count == 0


def test_a_struct_that_was_never_filled_denies(native: Native) -> None:
    policy = native.ffi.new("struct policy *")
    for policy_id in range(native.lib.POLICY_COUNT):
        verdict = native.lib.verdict_unlisted(policy, policy_id, native.lib.REASON_NOT_LISTED)
        assert verdict.action == native.lib.ACTION_DENY


@pytest.mark.parametrize("setting", MODES)
@pytest.mark.parametrize("mode", ["BLOCK", "deny", "Allow", "", "by_runtime", "block,", "blocked", "allow\0", "1"])
def test_what_is_not_a_mode(native: Native, setting: str, mode: str) -> None:
    """A misspelt mode is never silently an allow."""
    _, error = native.parse(f"{setting}={mode}")
    shown = mode.replace("\0", "\\u0000")
    assert error == f'line 1: {setting}: "{shown}" is not a mode; use block, alert or allow'


@pytest.mark.parametrize("text", CANONICAL, ids=str)
def test_values(native: Native, text: Text) -> None:
    more = ["SHIELD_READ_WRITE_TMP=block"] if text.setting == "AWS_REGION" else []  # which is no policy by itself
    lines = native.lines_of(native.policy(f"{text.setting}={text.given}", *more))
    assert f"{text.setting}={text.becomes}\n" in lines
    assert native.lines_of(native.policy(lines)) == lines


@pytest.mark.parametrize("text", ERRORS, ids=str)
def test_errors_name_the_setting_the_entry_and_the_fix(native: Native, text: Text) -> None:
    assert native.parse(f"{text.setting}={text.given}")[1] == f"line 1: {text.setting}: {text.becomes}"


def test_an_entry_is_shown_as_far_as_it_helps(native: Native) -> None:
    error = f'"/tmp/{"a" * 123}..." is longer than the 4095 bytes of any path'
    assert native.parse(f"SHIELD_ALLOW_TMP=/tmp/{'a' * 4091}")[1] == f"line 1: SHIELD_ALLOW_TMP: {error}"


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("SHIELD_READ_WRITE_TEMP", "did you mean SHIELD_READ_WRITE_TMP?"),
        ("SHIELD_ALOW_OUTBOUND", "did you mean SHIELD_ALLOW_OUTBOUND?"),
        ("SHEILD_READ_HANDLER", "did you mean SHIELD_READ_HANDLER?"),
        ("shield_read_handler", NO_SUCH),
        ("SHIELD_TOTALLY_DIFFERENT_THING", NO_SUCH),
        ("SHIELD_" + "X" * 200, NO_SUCH),
        ("PATH", NO_SUCH),
        ("", NO_SUCH),
    ],
)
def test_an_unknown_name_in_a_file_is_an_error(native: Native, name: str, fix: str) -> None:
    _, error = native.parse(f"{name}=block")
    shown = name if len(name) <= 128 else name[:128] + "..."
    assert error == f"line 1: {shown}: there is no such setting; {fix}"


@pytest.mark.parametrize("setting", sorted(VALUES))
def test_a_setting_given_twice_is_an_error(native: Native, setting: str) -> None:
    _, error = native.parse(f"{setting}={VALUES[setting]}\n\n{setting}={VALUES[setting]}")
    assert error == f"line 3: {setting}: given twice; leave one of them out"


ALERT = dict.fromkeys(MODES[:4], "alert")


@pytest.mark.parametrize(
    ("settings", "on_failure"),
    [
        (ALERT, "run_unshielded"),
        (dict.fromkeys(ALERT, "allow"), "run_unshielded"),
        (ALERT | {"SHIELD_ON_FAILURE": "refuse"}, "refuse"),
        (ALERT | {"SHIELD_CLEAR_TMP": "on"}, "refuse"),
        (ALERT | {"SHIELD_BLOCK_FOREIGN_FUNCTIONS": "on"}, "refuse"),
        (ALERT | {"SHIELD_BLOCK_FOREIGN_FUNCTIONS": "off"}, "run_unshielded"),
        (ALERT | {"SHIELD_DENY_OUTBOUND": "webhook.site"}, "refuse"),
        (ALERT | {"SHIELD_DENY_OUTBOUND": ""}, "run_unshielded"),
        *((ALERT | {mode: "block"}, "refuse") for mode in MODES),
        ({"SHIELD_READ_HANDLER": "alert"}, "refuse"),  # the others block by default
    ],
)
def test_on_failure_where_nothing_is_blocked(native: Native, settings: dict[str, str], on_failure: str) -> None:
    policy = native.policy(*(f"{name}={value}" for name, value in settings.items()))
    assert policy.on_failure == getattr(native.lib, f"ON_FAILURE_{on_failure.upper()}")
    assert effective_on_failure(vars(ShieldPolicy.from_env(settings))) == on_failure


@pytest.mark.promise("deny.every-mode")
@pytest.mark.parametrize(
    ("allowed", "denied", "is_whole"),
    [
        ("uploads.example.com:443", "uploads.example.com", True),
        ("uploads.example.com", "*.example.com", True),
        ("*.a.example.com", "*.example.com", True),
        ("*.example.com:443", "*.example.com:443", True),
        ("tcp://x.example:1", "tcp://x.example", True),
        ("203.0.113.7", "203.0.113.0/24", True),
        ("203.0.113.128/25:1", "203.0.113.0/24:1", True),
        ("*.example.com", "uploads.example.com", False),
        ("uploads.example.com", "uploads.example.com:443", False),
        ("x.example", "tcp://x.example", False),
        ("example.com", "*.example.com", False),
        ("203.0.113.0/24", "203.0.113.7", False),
        ("203.0.113.7", "198.51.100.0/24", False),
        ("*.a.example", "*.b.example", False),
    ],
)
def test_an_entry_that_is_denied_whole_is_an_error(native: Native, allowed: str, denied: str, is_whole: bool) -> None:
    error = f'SHIELD_ALLOW_OUTBOUND: "{allowed}" is refused in every mode by "{denied}" of SHIELD_DENY_OUTBOUND; '
    lines = f"SHIELD_DENY_OUTBOUND=other.example,{denied}\nSHIELD_ALLOW_OUTBOUND=fine.example,{allowed}"
    assert native.parse(lines)[1] == (error + "take one of the two out" if is_whole else "")


@pytest.mark.parametrize("lines", ["", "\n", "# only a comment\n\n", "AWS_REGION=us-east-1\n", "  \t\r\n"])
def test_no_setting_at_all_is_no_policy(native: Native, lines: str) -> None:
    assert native.parse(lines)[1].startswith("there is no policy: not one SHIELD_ setting was given; set ")


def test_lines(native: Native) -> None:
    policy = native.policy("# why", "", "  SHIELD_READ_HANDLER = alert \r", "\t# more", "SHIELD_ALLOW_TMP=/tmp/a=b\r")
    assert native.lines_of(policy) == "SHIELD_ALLOW_TMP=/tmp/a=b\nSHIELD_READ_HANDLER=alert\n"
    assert policy.settings_seen == 2


# The environment and the file beside it: lists are joined, everything else is given by one of them.


def parse_both(native: Native, environment: str, file: str) -> tuple[object, str]:
    policy, error = native.ffi.new("struct policy *"), native.writer(1024)
    native.lib.policy_begin(policy)
    good = native.lib.policy_set_lines(policy, native.text(environment), error)
    native.lib.policy_next_source(policy)
    good = good and native.lib.policy_set_lines(policy, native.text(file), error)
    assert bool(good) != bool(error.used)
    return policy, native.written(error).decode()


@pytest.mark.parametrize(
    ("setting", "environment", "file", "both"),
    [
        ("SHIELD_ALLOW_OUTBOUND", "a.example,b.example:1", "c.example,A.example", "a.example,b.example:1,c.example"),
        ("SHIELD_ALLOW_OUTBOUND", "", "c.example", "c.example"),
        ("SHIELD_ALLOW_OUTBOUND", "c.example", "", "c.example"),
        ("SHIELD_DENY_OUTBOUND", "a.example", "b.example,a.example", "a.example,b.example"),
        ("SHIELD_ALLOW_CHILD_PROCESS", "/bin/a", "unshielded:/bin/a,/bin/b", "unshielded:/bin/a,/bin/b"),
        ("SHIELD_ALLOW_EXECUTABLE_MEMORY", "libffi,libjvm", "libjvm,_ctypes", "libffi,libjvm,_ctypes"),
        ("SHIELD_ALLOW_BUCKETS", "one,two", "two,three", "one,two,three"),
        ("SHIELD_ALLOW_AWS", "s3,sqs", "sqs,dynamodb", "s3,sqs,dynamodb"),
    ],
)
def test_what_two_sources_give_is_joined(native: Native, setting: str, environment: str, file: str, both: str) -> None:
    # Something else is kept in between.
    policy, error = parse_both(native, f"{setting}={environment}\nSHIELD_POLICY_FILE=/opt/p", f"{setting}={file}")
    assert error == ""
    assert f"{setting}={both}\n" in native.lines_of(policy)


ONE_SOURCE = """
    READ_HANDLER block alert, READ_HANDLER allow block, READ_HANDLER block block, EXECUTABLE_MEMORY allow alert,
    CHECK_TLS_NAME on off, LOG_ARGUMENTS off on, CLEAR_TMP on off, BLOCK_FOREIGN_FUNCTIONS off on,
    KERNEL_LIMITS on off, ON_FAILURE refuse run_unshielded, ACCOUNT_ID 123456789012 210987654321,
    NEXT_WRAPPER /opt/a /opt/b, POLICY_FILE /opt/a /opt/b, ALLOW_AWS all s3, ALLOW_AWS s3 all, ALLOW_AWS none s3,
    ALLOW_AWS s3 none, ALLOW_AWS all none, ALLOW_AWS all all"""


@pytest.mark.parametrize(
    "row", ["AWS_REGION eu-west-1 eu-west-2", *(f"SHIELD_{x.strip()}" for x in ONE_SOURCE.split(","))]
)
def test_what_is_no_list_is_given_by_one_source(native: Native, row: str) -> None:
    setting, environment, file = row.split()
    _, error = parse_both(native, f"{setting}={environment}", f"\n{setting}={file}")
    assert error == f"line 2: {setting}: given twice; leave one of them out"


@pytest.mark.parametrize("line", ["SHIELD_ALLOW_TMP=/tmp/a", "SHIELD_READ_HANDLER=block"])
def test_twice_in_the_file_stays_an_error(native: Native, line: str) -> None:
    _, error = parse_both(native, "SHIELD_ALLOW_AWS=s3", f"{line}\n{line}")
    assert error == f"line 2: {line.partition('=')[0]}: given twice; leave one of them out"


@pytest.mark.parametrize(
    ("setting", "entry", "most", "error"),
    [
        ("ALLOW_OUTBOUND", "h{}.example", 512, "more than 512 entries; use *.domain or networks"),
        ("DENY_OUTBOUND", "h{}.example", 256, "more than 256 entries; use *.domain or networks"),
        ("ALLOW_TMP", "/tmp/{}", 128, "more than 128 entries; use globs"),
        ("ALLOW_CHILD_PROCESS", "/bin/{}", 128, f"more than 128 entries; set {MODES[2]} to alert or allow"),
        ("ALLOW_EXECUTABLE_MEMORY", "lib{}", 32, f"more than 32 entries; set {MODES[4]} to allow"),
        ("ALLOW_AWS", "", 64, "more than 64 services; use all"),
        ("ALLOW_TMP", "/tmp/{}" + "x" * 400, 80, LISTS_ARE_LONG),
    ],
)
def test_limits(native: Native, setting: str, entry: str, most: int, error: str) -> None:
    """Of one source, and of the sum of two."""
    services = [native.string(native.lib.aws_service_name(number)) for number in range(65)]
    entries = [entry.format(number) for number in range(most + 1)] if entry else services
    part, rest, whole = (f"SHIELD_{setting}={','.join(each)}" for each in (entries[:30], entries[30:], entries))
    twice = f"SHIELD_{setting}={','.join(entries[:-1] + entries[:-1])}"
    assert native.parse(twice)[1] == parse_both(native, part, rest.rpartition(",")[0])[1] == ""
    for told in (native.parse(whole)[1], parse_both(native, part, rest)[1]):
        assert told.startswith(f"line 1: SHIELD_{setting}: {error}")


def test_buckets_of_two_sources_are_bounded(native: Native) -> None:
    buckets = [f"{number:03}{'x' * 60}" for number in range(300)]
    environment, file = (f"SHIELD_ALLOW_BUCKETS={','.join(part)}" for part in (buckets, [b[::-1] for b in buckets]))
    assert LISTS_ARE_LONG in parse_both(native, environment, file)[1]
