"""policy.h: the environment and the file beside it: lists are joined, everything else is given by one of them."""

from __future__ import annotations

import pytest

from unit.core.native import Native


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
    ON_FAILURE refuse run_unshielded, ACCOUNT_ID 123456789012 210987654321, NEXT_WRAPPER /opt/a /opt/b,
    POLICY_FILE /opt/a /opt/b, ALLOW_AWS all s3, ALLOW_AWS s3 all, ALLOW_AWS none s3, ALLOW_AWS s3 none,
    ALLOW_AWS all none, ALLOW_AWS all all"""


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


def test_the_limit_is_of_the_sum(native: Native) -> None:
    names = [f"h{number}.example" for number in range(513)]
    environment, file = (f"SHIELD_ALLOW_OUTBOUND={','.join(part)}" for part in (names[:200], names[200:]))
    assert parse_both(native, environment, file)[1] == (
        "line 1: SHIELD_ALLOW_OUTBOUND: more than 512 entries; use *.domain or networks"
    )
    assert parse_both(native, environment, file.rpartition(",")[0])[1] == ""
    services = [native.string(native.lib.aws_service_name(number)) for number in range(65)]
    environment, file = (f"SHIELD_ALLOW_AWS={','.join(part)}" for part in (services[:30], services[30:]))
    assert parse_both(native, environment, file)[1] == "line 1: SHIELD_ALLOW_AWS: more than 64 services; use all"
    buckets = [f"{number:03}{'x' * 60}" for number in range(300)]
    environment, file = (f"SHIELD_ALLOW_BUCKETS={','.join(part)}" for part in (buckets, [b[::-1] for b in buckets]))
    assert "the lists together are longer than 32768 bytes" in parse_both(native, environment, file)[1]
