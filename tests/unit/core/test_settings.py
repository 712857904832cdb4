"""policy.h: the SHIELD_* settings as text. What is taken, in which canonical form, and what each error says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shielded_function import ShieldPolicy
from shielded_function.policy.fields import effective_on_failure
from unit.core.native import Native

MODES = [
    "SHIELD_OUTBOUND_CONNECTIVITY",
    "SHIELD_READ_WRITE_TMP",
    "SHIELD_CREATE_CHILD_PROCESS",
    "SHIELD_READ_HANDLER",
    "SHIELD_EXECUTABLE_MEMORY",
]
SETTINGS = {
    *MODES,
    "SHIELD_ALLOW_OUTBOUND",
    "SHIELD_ALLOW_AWS",
    "SHIELD_ALLOW_BUCKETS",
    "SHIELD_CHECK_TLS_NAME",
    "SHIELD_ALLOW_TMP",
    "SHIELD_CLEAR_TMP",
    "SHIELD_ALLOW_CHILD_PROCESS",
    "SHIELD_ALLOW_EXECUTABLE_MEMORY",
    "SHIELD_ON_FAILURE",
    "SHIELD_LOG_ARGUMENTS",
    "SHIELD_NODE_CALLERS",
    "SHIELD_NEXT_WRAPPER",
    "SHIELD_POLICY_FILE",
    "SHIELD_ACCOUNT_ID",
    "AWS_REGION",
}
OBJECT_FIX = "is not the name of a library; write it as the alert does, such as libffi"
MODE_FIX = "use block, alert or allow"
SUFFIX_FIX = "one is taken only as the whole first label, as in *.example.com"
V4_FIX = "is not an IPv4 address; write four numbers from 0 to 255 without leading zeros"
V6_FIX = "is not an IPv6 address; write it as in 2001:db8::1, without a scope"
PORT_FIX = "has no valid port; write a number from 1 to 65535 after the colon, or no colon for any port"
BUCKET_FIX = (
    "is not the name of a bucket; write 3 to 63 of a-z, 0-9, hyphens and dots, with a letter or digit "
    "first, last and beside every dot"
)
RESERVED = "cannot be the name of a bucket; S3 does not give out such names"
HOST_FIX = (
    "is not a host name, an IP address or a network; use host[:port], *.domain[:port], address[:port], "
    "network/prefix[:port] or [v6]:port"
)


def test_the_table_has_every_setting(native: Native) -> None:
    names = {native.string(native.lib.setting_name(row)) for row in range(native.lib.setting_count())}
    assert names == SETTINGS


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
    assert policy.account.len == policy.buckets.len == 0
    assert policy.outbound_count == policy.tmp_count == policy.child_count == policy.aws_count == 0


def test_a_struct_that_was_never_filled_denies(native: Native) -> None:
    policy = native.ffi.new("struct policy *")
    for policy_id in range(native.lib.POLICY_COUNT):
        verdict = native.lib.verdict_unlisted(policy, policy_id, native.lib.REASON_NOT_LISTED)
        assert verdict.action == native.lib.ACTION_DENY


@pytest.mark.parametrize("setting", MODES)
@pytest.mark.parametrize("mode", ["block", "alert", "allow"])
def test_modes(native: Native, setting: str, mode: str) -> None:
    assert native.lines_of(native.policy(f"{setting}={mode}")) == f"{setting}={mode}\n"


@pytest.mark.parametrize("setting", MODES)
@pytest.mark.parametrize("mode", ["BLOCK", "deny", "Allow", "", "by_runtime", "block,", "blocked", "allow\0", "1"])
def test_what_is_not_a_mode(native: Native, setting: str, mode: str) -> None:
    """A misspelt mode is never silently an allow."""
    _, error = native.parse(f"{setting}={mode}")
    shown = mode.replace("\0", "\\u0000")
    assert error == f'line 1: {setting}: "{shown}" is not a mode; {MODE_FIX}'


@pytest.mark.parametrize(
    ("setting", "given_value", "canonical"),
    [
        ("SHIELD_READ_HANDLER", " block\t", "block"),
        ("SHIELD_ON_FAILURE", "refuse", "refuse"),
        ("SHIELD_ON_FAILURE", "run_unshielded", "run_unshielded"),
        ("SHIELD_LOG_ARGUMENTS", "on", "on"),
        ("SHIELD_LOG_ARGUMENTS", "off", "off"),
        ("SHIELD_NEXT_WRAPPER", "/opt/otel-instrument", "/opt/otel-instrument"),
        ("SHIELD_POLICY_FILE", "/var/task/shield.policy", "/var/task/shield.policy"),
        ("SHIELD_ALLOW_AWS", "all", "all"),
        ("SHIELD_ALLOW_AWS", "none", "none"),
        ("SHIELD_ALLOW_AWS", "s3, dynamodb,s3", "s3,dynamodb"),
        ("SHIELD_ALLOW_BUCKETS", "uploads, my.site,uploads", "uploads,my.site"),
        ("SHIELD_ALLOW_BUCKETS", f"abc,{'b' * 63}", f"abc,{'b' * 63}"),
        ("SHIELD_ALLOW_BUCKETS", "b--use1-az4--x-s3,point-x-s3alias", "b--use1-az4--x-s3,point-x-s3alias"),
        ("SHIELD_CHECK_TLS_NAME", "on", "on"),
        ("SHIELD_CHECK_TLS_NAME", "off", "off"),
        ("SHIELD_CLEAR_TMP", "on", "on"),
        ("SHIELD_CLEAR_TMP", "off", "off"),
        ("SHIELD_NODE_CALLERS", "on", "on"),
        ("SHIELD_NODE_CALLERS", "off", "off"),
        ("SHIELD_ACCOUNT_ID", "012345678901", "012345678901"),
        ("SHIELD_ALLOW_TMP", "", ""),
        ("SHIELD_ALLOW_TMP", "/tmp", "/tmp"),
        ("SHIELD_ALLOW_TMP", "/tmp/a b/*.log , /tmp/**,/tmp/**", "/tmp/a b/*.log,/tmp/**"),
        ("SHIELD_ALLOW_TMP", "/tmp/é\u2028", "/tmp/é\u2028"),
        ("SHIELD_ALLOW_CHILD_PROCESS", "/bin/sh, /opt/x y", "/bin/sh,/opt/x y"),
        ("SHIELD_ALLOW_CHILD_PROCESS", "unshielded:/opt/busybox", "unshielded:/opt/busybox"),
        ("SHIELD_ALLOW_CHILD_PROCESS", "/a,unshielded:/a,/a", "unshielded:/a"),
        ("SHIELD_ALLOW_OUTBOUND", "", ""),
        ("SHIELD_ALLOW_OUTBOUND", "API.Stripe.com:443", "api.stripe.com:443"),
        ("SHIELD_ALLOW_OUTBOUND", "example.com.", "example.com"),
        ("SHIELD_ALLOW_OUTBOUND", "example.com.:00443", "example.com:443"),
        ("SHIELD_ALLOW_OUTBOUND", "*.Example.com", "*.example.com"),
        ("SHIELD_ALLOW_OUTBOUND", "*.example.co.uk:65535", "*.example.co.uk:65535"),
        ("SHIELD_ALLOW_OUTBOUND", "*.amazonaws.com", "*.amazonaws.com"),
        ("SHIELD_ALLOW_OUTBOUND", "db,localhost:1", "db,localhost:1"),
        ("SHIELD_ALLOW_OUTBOUND", "a_b.example,a_b.EXAMPLE", "a_b.example"),
        ("SHIELD_ALLOW_OUTBOUND", "203.0.113.7", "203.0.113.7"),
        ("SHIELD_ALLOW_OUTBOUND", "203.0.113.7/32:25", "203.0.113.7:25"),
        ("SHIELD_ALLOW_OUTBOUND", "10.0.0.0/8", "10.0.0.0/8"),
        ("SHIELD_ALLOW_OUTBOUND", "10.0.0.0/8:5432", "10.0.0.0/8:5432"),
        ("SHIELD_ALLOW_OUTBOUND", "0.0.0.0/1,::/1", "0.0.0.0/1,::/1"),
        ("SHIELD_ALLOW_OUTBOUND", "2001:DB8:0:0::1", "2001:db8::1"),
        ("SHIELD_ALLOW_OUTBOUND", "[2001:db8::1]", "2001:db8::1"),
        ("SHIELD_ALLOW_OUTBOUND", "[2001:db8::1]:443", "[2001:db8::1]:443"),
        ("SHIELD_ALLOW_OUTBOUND", "2001:db8::/32", "2001:db8::/32"),
        ("SHIELD_ALLOW_OUTBOUND", "[2001:db8::/32]:443", "[2001:db8::/32]:443"),
        ("SHIELD_ALLOW_OUTBOUND", "[2001:db8::1/128]:443", "[2001:db8::1]:443"),
        ("SHIELD_ALLOW_OUTBOUND", "[2001:db8::1:443]", "[2001:db8::1:443]"),
        ("SHIELD_ALLOW_OUTBOUND", "2001:db8::1:443/128", "[2001:db8::1:443]"),
        ("SHIELD_ALLOW_OUTBOUND", "2001:db8::1:0/112", "2001:db8::1:0/112"),
        ("SHIELD_ALLOW_OUTBOUND", "2001:db8::1:0", "2001:db8::1:0"),  # no port
        ("SHIELD_ALLOW_OUTBOUND", "2001:db8::1:00ff", "2001:db8::1:ff"),
        ("SHIELD_ALLOW_OUTBOUND", "1:2:3:4:5:6:7:443", "1:2:3:4:5:6:7:443"),  # without the end it is no address
        ("SHIELD_ALLOW_OUTBOUND", "2001:db8::443", "2001:db8::443"),
        ("SHIELD_ALLOW_OUTBOUND", "[::ffff:10.0.0.1]:80", "10.0.0.1:80"),
        ("SHIELD_ALLOW_OUTBOUND", "::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("SHIELD_ALLOW_OUTBOUND", "TCP://API.Stripe.com:443", "tcp://api.stripe.com:443"),
        ("SHIELD_ALLOW_OUTBOUND", "udp://*.Example.com.", "udp://*.example.com"),
        ("SHIELD_ALLOW_OUTBOUND", "udp://203.0.113.7/32:53", "udp://203.0.113.7:53"),
        ("SHIELD_ALLOW_OUTBOUND", "tcp://10.0.0.0/8", "tcp://10.0.0.0/8"),
        ("SHIELD_ALLOW_OUTBOUND", "udp://[2001:DB8::1]:443", "udp://[2001:db8::1]:443"),
        ("SHIELD_ALLOW_OUTBOUND", "udp://[2001:db8::1]", "udp://2001:db8::1"),
        ("SHIELD_ALLOW_OUTBOUND", "tcp://[2001:db8::/32]:443", "tcp://[2001:db8::/32]:443"),
        ("SHIELD_ALLOW_OUTBOUND", "tcp://::ffff:10.0.0.1", "tcp://10.0.0.1"),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "tcp://a.example,a.example,udp://a.example,tcp://A.example",
            "tcp://a.example,a.example,udp://a.example",
        ),
        ("SHIELD_ALLOW_OUTBOUND", "tcp,udp:443", "tcp,udp:443"),
        ("AWS_REGION", "eu-central-1", "eu-central-1"),
        ("AWS_REGION", "", ""),
    ],
)
def test_values(native: Native, setting: str, given_value: str, canonical: str) -> None:
    policy = native.policy(
        f"{setting}={given_value}", *(["SHIELD_READ_WRITE_TMP=block"] if setting in "AWS_REGION" else [])
    )
    lines = native.lines_of(policy)
    assert f"{setting}={canonical}\n" in lines
    assert native.lines_of(native.policy(lines)) == lines


@pytest.mark.parametrize(
    ("setting", "value", "error"),
    [
        ("SHIELD_ON_FAILURE", "open", '"open" is not a value; use refuse or run_unshielded'),
        ("SHIELD_LOG_ARGUMENTS", "true", '"true" is not a value; use on or off'),
        ("SHIELD_CLEAR_TMP", "alert", '"alert" is not a value; use on or off'),
        ("SHIELD_CHECK_TLS_NAME", "block", '"block" is not a value; use on or off'),
        *(
            ("SHIELD_ACCOUNT_ID", value, f'"{value}" is not an account; write its twelve digits')
            for value in ("", "12345678901", "1234567890123", "1234-5678-9012", "arn:aws:iam")
        ),
        ("SHIELD_ALLOW_BUCKETS", "", "the value is empty; name buckets, or leave the setting out"),
        ("SHIELD_ALLOW_BUCKETS", "abc,", "an empty entry between commas; take out the extra comma"),
        *(
            ("SHIELD_ALLOW_BUCKETS", value, f'"{value}" {BUCKET_FIX}')
            for value in (
                "ab",
                "b" * 64,
                "Uploads",
                "a_b",
                "-abc",
                "abc-",
                "a..b",
                "a.-b",
                "a-.b",
                ".abc",
                "abc.",
                "a*c",
            )
        ),
        *(
            ("SHIELD_ALLOW_BUCKETS", value, f'"{value}" {RESERVED}')
            for value in ("192.168.5.4", "xn--abc", "sthree-abc", "amzn-s3-demo-bucket", "abc.mrap", "abc--table-s3")
        ),
        ("SHIELD_ALLOW_BUCKETS", "s3://uploads/x", '"s3://uploads/x" is a URL; use "uploads"'),
        ("SHIELD_ALLOW_BUCKETS", "arn:aws:s3:::uploads", '"arn:aws:s3:::uploads" is an ARN; use "uploads"'),
        *(
            ("SHIELD_ALLOW_BUCKETS", value, f'"{value}" is a host name; write the bucket\'s name alone')
            for value in ("uploads.s3.eu-west-1.amazonaws.com", "uploads.s3.cn-north-1.amazonaws.com.cn")
        ),
        ("SHIELD_NEXT_WRAPPER", "opt/x", '"opt/x" is not an absolute path; begin it with a slash'),
        ("SHIELD_NEXT_WRAPPER", "", '"" is not an absolute path; begin it with a slash'),
        ("SHIELD_NEXT_WRAPPER", "/opt/../x", '"/opt/../x" has a "." or ".." component; write the path without it'),
        ("SHIELD_POLICY_FILE", "/x/", '"/x/" ends in a slash; leave it out'),
        ("SHIELD_POLICY_FILE", "/", '"/" ends in a slash; leave it out'),
        ("AWS_REGION", "US-EAST-1", '"US-EAST-1" is not a region; use a name such as us-east-1'),
        ("AWS_REGION", "a" * 33, f'"{"a" * 33}" is not a region; use a name such as us-east-1'),
        ("SHIELD_ALLOW_AWS", "", "the value is empty; use all, none, or services such as s3,dynamodb"),
        ("SHIELD_ALLOW_AWS", "all,s3", '"all" stands alone; use all, none, or a list of services'),
        ("SHIELD_ALLOW_AWS", "s3,none", '"none" stands alone; use all, none, or a list of services'),
        (
            "SHIELD_ALLOW_AWS",
            "dynamobd",
            '"dynamobd" is not an AWS service; use "dynamodb", or another name from botocore, such as s3 or dynamodb',
        ),
        (
            "SHIELD_ALLOW_AWS",
            "s3,my-own",
            '"my-own" is not an AWS service; use all, none, or a name from botocore, such as s3 or dynamodb',
        ),
        ("SHIELD_ALLOW_TMP", "/tmp/a,,/tmp/b", "an empty entry between commas; take out the extra comma"),
        ("SHIELD_ALLOW_TMP", "/tmp/a,", "an empty entry between commas; take out the extra comma"),
        ("SHIELD_ALLOW_TMP", ",", "an empty entry between commas; take out the extra comma"),
        ("SHIELD_ALLOW_TMP", "/var/tmp/a", '"/var/tmp/a" is not under /tmp; begin it with /tmp/'),
        ("SHIELD_ALLOW_TMP", "/tmpfile", '"/tmpfile" is not under /tmp; begin it with /tmp/'),
        ("SHIELD_ALLOW_TMP", "/tmp*", '"/tmp*" is not under /tmp; begin it with /tmp/'),
        ("SHIELD_ALLOW_TMP", "tmp/a", '"tmp/a" is not under /tmp; begin it with /tmp/'),
        ("SHIELD_ALLOW_TMP", "/tmp/a/", '"/tmp/a/" ends in a slash; use "/tmp/a/**" for all that lies below it'),
        ("SHIELD_ALLOW_TMP", "/tmp/", '"/tmp/" ends in a slash; leave it out'),
        ("SHIELD_ALLOW_TMP", "/tmp//a", '"/tmp//a" has an empty component; write single slashes'),
        ("SHIELD_ALLOW_TMP", "/tmp/./a", '"/tmp/./a" has a "." or ".." component; write the path without it'),
        ("SHIELD_ALLOW_TMP", "/tmp/../etc", '"/tmp/../etc" has a "." or ".." component; write the path without it'),
        ("SHIELD_ALLOW_TMP", "/tmp/..", '"/tmp/.." has a "." or ".." component; write the path without it'),
        (
            "SHIELD_ALLOW_TMP",
            "/tmp/***",
            '"/tmp/***" has three stars in a row; use * within a component, ** across components',
        ),
        ("SHIELD_ALLOW_TMP", "/tmp/a\x1b", '"/tmp/a\\u001b" has a control character in it; take it out'),
        ("SHIELD_ALLOW_TMP", "/tmp/" + "a" * 4091, f'"/tmp/{"a" * 123}..." is longer than the 4095 bytes of any path'),
        ("SHIELD_ALLOW_CHILD_PROCESS", "sh", '"sh" is not an absolute path; begin it with a slash'),
        (
            "SHIELD_ALLOW_CHILD_PROCESS",
            "unshielded:sh",
            '"unshielded:sh" is not an absolute path; begin it with a slash',
        ),
        ("SHIELD_ALLOW_CHILD_PROCESS", "/bin/*", '"/bin/*" has a wildcard; list each program by its whole path'),
        ("SHIELD_ALLOW_EXECUTABLE_MEMORY", "libffi.so.8", '"libffi.so.8" is the name of a file; use "libffi"'),
        (
            "SHIELD_ALLOW_EXECUTABLE_MEMORY",
            "/opt/python/cffi.libs/libffi-8a8b1c2d.so.8",
            '"/opt/python/cffi.libs/libffi-8a8b1c2d.so.8" is the name of a file; use "libffi"',
        ),
        ("SHIELD_ALLOW_EXECUTABLE_MEMORY", "lib*", f'"lib*" {OBJECT_FIX}'),
        ("SHIELD_ALLOW_EXECUTABLE_MEMORY", "a" * 65, f'"{"a" * 65}" {OBJECT_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "a.example,,", "an empty entry between commas; take out the extra comma"),
        ("SHIELD_ALLOW_OUTBOUND", "https://a.example/v1?x", '"https://a.example/v1?x" is a URL; use "a.example:443"'),
        ("SHIELD_ALLOW_OUTBOUND", "http://a.example", '"http://a.example" is a URL; use "a.example:80"'),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "https://a.example:8443/",
            '"https://a.example:8443/" is a URL; use "a.example:8443"',
        ),
        ("SHIELD_ALLOW_OUTBOUND", "redis://a.example", '"redis://a.example" is a URL; use "a.example"'),
        ("SHIELD_ALLOW_OUTBOUND", "tcp://", '"tcp://" has no host; write host[:port]'),
        ("SHIELD_ALLOW_OUTBOUND", "udp://:53", '"udp://:53" has no host; write host[:port]'),
        ("SHIELD_ALLOW_OUTBOUND", "tcp://https://a.example", '"tcp://https://a.example" is a URL; use "a.example:443"'),
        ("SHIELD_ALLOW_OUTBOUND", "sctp://a.example:1", '"sctp://a.example:1" is a URL; use "a.example:1"'),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "tcp://a.example/x",
            '"tcp://a.example/x" has a path; write the host, and the port if you like, alone',
        ),
        ("SHIELD_ALLOW_OUTBOUND", "udp://a.example:x", f'"udp://a.example:x" {PORT_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "udp://*a.example", f'"udp://*a.example" has a wildcard inside; {SUFFIX_FIX}'),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "udp://*.com",
            '"udp://*.com" would admit a whole top-level domain, where anyone may register a name; write two '
            "labels after the star, as in *.example.com",
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "tcp://10.0.0.1/8:443",
            '"tcp://10.0.0.1/8:443" has bits set beyond its prefix; use tcp://10.0.0.0/8:443, or the address alone',
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "a.example/x",
            '"a.example/x" has a path; write the host, and the port if you like, alone',
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "*",
            '"*" would admit every host; name the hosts, or set SHIELD_OUTBOUND_CONNECTIVITY to allow',
        ),
        *(
            (
                "SHIELD_ALLOW_OUTBOUND",
                entry,
                f'"{entry}" would admit every address; name the hosts or networks, or set '
                "SHIELD_OUTBOUND_CONNECTIVITY to allow",
            )
            for entry in ("0.0.0.0/0", "tcp://0.0.0.0/0:443", "::/0", "[::/0]:443", "::ffff:0:0/96")
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "*:443",
            '"*:443" would admit every host; name the hosts, or set SHIELD_OUTBOUND_CONNECTIVITY to allow',
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "*.com.",
            '"*.com." would admit a whole top-level domain, where anyone may register a name; write two '
            "labels after the star, as in *.example.com",
        ),
        ("SHIELD_ALLOW_OUTBOUND", "a.*.example", f'"a.*.example" has a wildcard inside; {SUFFIX_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "*a.example", f'"*a.example" has a wildcard inside; {SUFFIX_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "*.*.example", f'"*.*.example" has a wildcard inside; {SUFFIX_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "bücher.example", '"bücher.example" is not ASCII; write the name in its xn-- form'),
        ("SHIELD_ALLOW_OUTBOUND", "a b.example", f'"a b.example" {HOST_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "a..example", f'"a..example" {HOST_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "*.", f'"*." {HOST_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "a" * 64 + ".example", f'"{"a" * 64}.example" {HOST_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "0x7f.1", f'"0x7f.1" {HOST_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", ":443", '":443" has no host; write host[:port]'),
        ("SHIELD_ALLOW_OUTBOUND", "a.example:", f'"a.example:" {PORT_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "a.example:0", f'"a.example:0" {PORT_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "a.example:65536", f'"a.example:65536" {PORT_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "a.example:https", f'"a.example:https" {PORT_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "[::1]:0", f'"[::1]:0" {PORT_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "1.2.3", f'"1.2.3" {V4_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "1.2.3.256", f'"1.2.3.256" {V4_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "010.0.0.1", f'"010.0.0.1" {V4_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "2130706433", f'"2130706433" {V4_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "fe80::1%eth0", f'"fe80::1%eth0" {V6_FIX}'),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "2001:DB8::1:443",
            '"2001:DB8::1:443" may be an address with a port; write [2001:DB8::1]:443 or [2001:DB8::1:443]',
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "udp://2001:db8::1:65535",
            '"udp://2001:db8::1:65535" may be an address with a port; write [2001:db8::1]:65535',
        ),
        ("SHIELD_ALLOW_OUTBOUND", "2001:db8::1::2", f'"2001:db8::1::2" {V6_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "a.example:80:81", f'"a.example:80:81" {V6_FIX}'),
        ("SHIELD_ALLOW_OUTBOUND", "[2001:db8::1", '"[2001:db8::1" has no closing bracket; write [v6]:port'),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "[2001:db8::]/32",
            '"[2001:db8::]/32" goes on after the bracket; write [v6]:port or [v6/prefix]:port',
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "[10.0.0.1]:80",
            '"[10.0.0.1]:80" has brackets around something else than an IPv6 address; leave the brackets out',
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "10.0.0.1/8:443",
            '"10.0.0.1/8:443" has bits set beyond its prefix; use 10.0.0.0/8:443, or the address alone',
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "[2001:db8::1/32]:443",
            '"[2001:db8::1/32]:443" has bits set beyond its prefix; use [2001:db8::/32]:443, or the address alone',
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "10.0.0.0/33",
            '"10.0.0.0/33" has no valid prefix length; write a number from 0 to 32 after the slash',
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "10.0.0.0/",
            '"10.0.0.0/" has no valid prefix length; write a number from 0 to 32 after the slash',
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "2001:db8::/129",
            '"2001:db8::/129" has no valid prefix length; write a number from 0 to 128 after the slash',
        ),
        (
            "SHIELD_ALLOW_OUTBOUND",
            "::ffff:0.0.0.0/90",
            '"::ffff:0.0.0.0/90" has no valid prefix length; write a number from 96 to 128 after the slash',
        ),
    ],
)
def test_errors_name_the_setting_the_entry_and_the_fix(native: Native, setting: str, value: str, error: str) -> None:
    assert native.parse(f"{setting}={value}")[1] == f"line 1: {setting}: {error}"


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("SHIELD_READ_WRITE_TEMP", "did you mean SHIELD_READ_WRITE_TMP?"),
        ("SHIELD_ALOW_OUTBOUND", "did you mean SHIELD_ALLOW_OUTBOUND?"),
        ("SHIELD_READ_HANDLERS", "did you mean SHIELD_READ_HANDLER?"),
        ("SHEILD_READ_HANDLER", "did you mean SHIELD_READ_HANDLER?"),
        ("shield_read_handler", "take it out, or see the policy table for the names"),
        ("SHIELD_TOTALLY_DIFFERENT_THING", "take it out, or see the policy table for the names"),
        ("SHIELD_" + "X" * 200, "take it out, or see the policy table for the names"),
        ("PATH", "take it out, or see the policy table for the names"),
        ("", "take it out, or see the policy table for the names"),
    ],
)
def test_an_unknown_name_in_a_file_is_an_error(native: Native, name: str, fix: str) -> None:
    _, error = native.parse(f"{name}=block")
    shown = name if len(name) <= 128 else name[:128] + "..."
    assert error == f"line 1: {shown}: there is no such setting; {fix}"


def set_one(native: Native, name: str, value: str) -> tuple[bool, str]:
    policy, error = native.ffi.new("struct policy *"), native.writer(1024)
    native.lib.policy_begin(policy)
    good = native.lib.policy_set(policy, native.text(name), native.text(value), error)
    return bool(good), native.written(error).decode()


@pytest.mark.parametrize("name", ["PATH", "SHIELD", "_SHIELD_X", "SHIELD_STATE", "AWS_LAMBDA_FUNCTION_NAME", ""])
def test_the_environment_may_hold_what_is_not_ours(native: Native, name: str) -> None:
    assert set_one(native, name, "anything") == (True, "")


def test_an_unknown_name_of_ours_in_the_environment_is_an_error(native: Native) -> None:
    good, error = set_one(native, "SHIELD_READ_HANDLE", "block")
    assert not good
    assert error == "SHIELD_READ_HANDLE: there is no such setting; did you mean SHIELD_READ_HANDLER?"


@pytest.mark.parametrize("value", ["allow", "on", ""])
@pytest.mark.parametrize(
    ("setting", "fix"),
    [
        ("SHIELD_UNUSUAL_NAMES", "take it out, and list hosts in place of *.domain, so that no name carries data"),
        ("SHIELD_CHECK_SERVER_NAME", "it is called SHIELD_CHECK_TLS_NAME"),
    ],
)
def test_a_setting_that_is_gone_says_so(native: Native, setting: str, fix: str, value: str) -> None:
    assert set_one(native, setting, value) == (False, f"{setting}: there is no such setting any more; {fix}")


@pytest.mark.parametrize("setting", sorted(SETTINGS))
def test_a_setting_given_twice_is_an_error(native: Native, setting: str) -> None:
    value = {
        **dict.fromkeys(MODES, "block"),
        **dict.fromkeys(["SHIELD_NEXT_WRAPPER", "SHIELD_POLICY_FILE"], "/x"),
        **dict.fromkeys(
            ["SHIELD_LOG_ARGUMENTS", "SHIELD_CHECK_TLS_NAME", "SHIELD_CLEAR_TMP", "SHIELD_NODE_CALLERS"], "on"
        ),
        "SHIELD_ALLOW_AWS": "all",
        "SHIELD_ALLOW_BUCKETS": "uploads",
        "SHIELD_ACCOUNT_ID": "123456789012",
        "SHIELD_ON_FAILURE": "refuse",
    }.get(setting, "")
    _, error = native.parse(f"{setting}={value}\n\n{setting}={value}")
    assert error == f"line 3: {setting}: given twice; leave one of them out"


ALERT = dict.fromkeys(MODES[:4], "alert")


@pytest.mark.parametrize(
    ("settings", "on_failure"),
    [
        (ALERT, "run_unshielded"),
        (dict.fromkeys(ALERT, "allow"), "run_unshielded"),
        (ALERT | {"SHIELD_ON_FAILURE": "refuse"}, "refuse"),
        (ALERT | {"SHIELD_CLEAR_TMP": "on"}, "refuse"),
        *((ALERT | {mode: "block"}, "refuse") for mode in MODES),
        ({"SHIELD_READ_HANDLER": "alert"}, "refuse"),  # the others block by default
    ],
)
def test_on_failure_where_nothing_is_blocked(native: Native, settings: dict[str, str], on_failure: str) -> None:
    policy = native.policy(*(f"{name}={value}" for name, value in settings.items()))
    assert policy.on_failure == getattr(native.lib, f"ON_FAILURE_{on_failure.upper()}")
    assert effective_on_failure(vars(ShieldPolicy.from_env(settings))) == on_failure


@pytest.mark.parametrize("lines", ["", "\n", "# only a comment\n\n", "AWS_REGION=us-east-1\n", "  \t\r\n"])
def test_no_setting_at_all_is_no_policy(native: Native, lines: str) -> None:
    assert native.parse(lines)[1].startswith("there is no policy: not one SHIELD_ setting was given; set ")


def test_lines(native: Native) -> None:
    policy = native.policy("# why", "", "  SHIELD_READ_HANDLER = alert \r", "\t# more", "SHIELD_ALLOW_TMP=/tmp/a=b\r")
    assert native.lines_of(policy) == "SHIELD_ALLOW_TMP=/tmp/a=b\nSHIELD_READ_HANDLER=alert\n"
    assert policy.settings_seen == 2


def test_a_line_without_a_value_is_an_error(native: Native) -> None:
    _, error = native.parse("SHIELD_READ_HANDLER=block\nallow everything")
    assert error == 'line 2: "allow everything" is not a setting; write NAME=value'


@pytest.mark.parametrize(
    ("setting", "entry", "most", "error"),
    [
        ("SHIELD_ALLOW_OUTBOUND", "h{}.example", 512, "more than 512 entries; use *.domain or networks"),
        ("SHIELD_ALLOW_TMP", "/tmp/{}", 128, "more than 128 entries; use globs"),
        (
            "SHIELD_ALLOW_CHILD_PROCESS",
            "/bin/{}",
            128,
            "more than 128 entries; set SHIELD_CREATE_CHILD_PROCESS to alert or allow",
        ),
        (
            "SHIELD_ALLOW_EXECUTABLE_MEMORY",
            "lib{}",
            32,
            "more than 32 entries; set SHIELD_EXECUTABLE_MEMORY to allow",
        ),
    ],
)
def test_limits(native: Native, setting: str, entry: str, most: int, error: str) -> None:
    entries = [entry.format(number) for number in range(most)]
    native.policy(f"{setting}={','.join(entries)}")
    native.policy(f"{setting}={','.join(entries + entries)}")  # what is there already takes no place
    assert native.parse(f"{setting}={','.join([*entries, entry.format(most)])}")[1] == f"line 1: {setting}: {error}"


def test_the_number_of_aws_services_is_bounded(native: Native) -> None:
    names: list[str] = []
    while name := native.string(native.lib.aws_service_name(len(names))):
        names.append(name)
    native.policy(f"SHIELD_ALLOW_AWS={','.join(names[:64])}")
    error = native.parse(f"SHIELD_ALLOW_AWS={','.join(names[:65])}")[1]
    assert error == "line 1: SHIELD_ALLOW_AWS: more than 64 services; use all"


def test_the_text_of_all_lists_together_is_bounded(native: Native) -> None:
    entries = [f"/tmp/{number:03}{'x' * 400}" for number in range(100)]
    error = native.parse(f"SHIELD_ALLOW_TMP={','.join(entries)}")[1]
    assert error.startswith("line 1: SHIELD_ALLOW_TMP: the lists together are longer than 32768 bytes; ")


def test_an_error_that_does_not_fit_is_cut(native: Native) -> None:
    policy, error = native.ffi.new("struct policy *"), native.writer(20)
    native.lib.policy_begin(policy)
    assert not native.lib.policy_set_lines(policy, native.text("SHIELD_READ_HANDLER=x"), error)
    assert native.written(error) == b"line 1: SHIELD_READ_"


def test_a_small_room_for_errors_does_not_make_them(native: Native) -> None:
    """Each entry writes its name in case it is wrong, and takes it back."""
    policy, error = native.ffi.new("struct policy *"), native.writer(3)
    native.lib.policy_begin(policy)
    lines = native.text("SHIELD_ALLOW_TMP=/tmp/a,/tmp/b\nSHIELD_ALLOW_OUTBOUND=a.example,b.example")
    assert native.lib.policy_set_lines(policy, lines, error)
    assert error.used == 0


@given(lines=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_policy_or_one_line_of_error(native: Native, lines: bytes) -> None:
    policy, error = native.parse(lines)
    assert "\n" not in error
    assert error or native.parse(native.lines_of(policy))[1] == ""


@given(
    setting=st.sampled_from(sorted(SETTINGS)),
    value=st.text("*./:[]0123456789abcdfx-_,/ tmp", max_size=60) | st.binary(max_size=60),
)
def test_any_value_is_canonical_or_an_error(native: Native, setting: str, value: str | bytes) -> None:
    raw = value.encode() if isinstance(value, str) else value
    policy, error = native.parse(setting.encode() + b"=" + raw)
    if not error:
        again, error = native.parse(lines := native.lines_of(policy))
        assert not error
        assert native.lines_of(again) == lines
