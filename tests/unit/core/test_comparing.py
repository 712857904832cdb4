"""Policies compared: where one admits what the other does not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shielded_function.policy import Loosening, ShieldPolicy
from unit.core.policies import MODE_FIELDS, TOKEN, make

pytestmark = pytest.mark.promise("policy.compose")


def test_a_loosening_says_what_it_is() -> None:
    new = ShieldPolicy(read_handler="alert", allow_outbound=["a.example"])
    assert new.diff(ShieldPolicy(read_handler="block")) == (
        Loosening("allow_outbound", "a.example", "", "a.example"),
        Loosening("read_handler", "", "block", "alert"),
    )


ALERTS = {f.name: getattr(ShieldPolicy.report_only(), f.name) for f in dataclasses.fields(ShieldPolicy)}
FREE = {"read_write_tmp": "allow"}
CLEARED, KEPT = {**FREE, "clear_tmp": True}, {"allow_tmp": ["/tmp/c/**"]}
DENIES = {"deny_outbound": ["*.example.com", "webhook.site:443"]}
DENIED = [f"deny_outbound: {entry} was refused in every mode" for entry in DENIES["deny_outbound"]]
S3, NO_AWS, ONE = {"allow_aws": ["s3"]}, {"allow_aws": "none"}, {"allow_buckets": ["one"]}
CTYPES = {"allow_executable_memory": ["_ctypes"]}
NO_BRIDGES = {"executable_memory": "allow", "block_foreign_functions": True}


@pytest.mark.promise("policy.compose", "deny.every-mode")
@pytest.mark.parametrize(
    ("new", "old", "looser"),
    [
        ({}, DENIES, DENIED),
        ({"deny_outbound": ["*.com", "webhook.site"]}, DENIES, []),
        ({"deny_outbound": ["*.example.com"]}, DENIES, ["deny_outbound: webhook.site:443 was refused in every mode"]),
        ({"deny_outbound": ["a.example.com", "tcp://webhook.site"]}, DENIES, DENIED),
        (DENIES, {}, []),
        (FREE, CLEARED, ["clear_tmp: off, was on"]),
        (CLEARED, FREE, []),
        (CLEARED | KEPT, CLEARED, ["allow_tmp: /tmp/c/** was not admitted"]),
        (CLEARED | KEPT, FREE, []),
        # Lists beside the mode allow mean nothing.
        ({"allow_tmp": ["/tmp/x"]}, FREE, []),
        ({**FREE, "allow_tmp": ["/tmp/x"]}, {}, ["read_write_tmp: allow, was block"]),
        # The bridges that are listed count whatever executable_memory is.
        (NO_BRIDGES | CTYPES, NO_BRIDGES, ["allow_executable_memory: _ctypes was not admitted"]),
        (NO_BRIDGES | CTYPES, {"executable_memory": "allow"}, []),
        # Where it is unset, on_failure follows the modes, which are compared by themselves.
        (ALERTS, {**ALERTS, "on_failure": "refuse"}, ["on_failure: run_unshielded, was refuse"]),
        ({**ALERTS, "on_failure": "refuse"}, ALERTS, []),
        (ALERTS, {}, [f"{field}: alert, was block" for field in MODE_FIELDS[:3]]),
        ({"log_arguments": True}, {}, ["log_arguments: on, was off"]),
        ({}, {"log_arguments": True}, ["log_arguments: off, was on"]),
        ({"check_tls_name": False}, {}, ["check_tls_name: off, was on"]),
        ({}, {"block_foreign_functions": True}, ["block_foreign_functions: off, was on"]),
        ({"block_foreign_functions": True}, {}, []),
        ({"kernel_limits": False}, {}, ["kernel_limits: off, was on"]),
        ({}, {"kernel_limits": False}, []),
        ({"on_failure": "run_unshielded"}, {"on_failure": "refuse"}, ["on_failure: run_unshielded, was refuse"]),
        ({"on_failure": "run_unshielded"}, {}, ["on_failure: run_unshielded, was refuse"]),
        ({}, {"on_failure": "run_unshielded"}, []),
        ({"read_handler": "alert"}, {"read_handler": "block"}, ["read_handler: alert, was block"]),
        ({"create_child_process": "allow"}, ALERTS, ["create_child_process: allow, was alert"]),
        ({"executable_memory": "allow"}, {}, ["executable_memory: allow, was left to the runtime"]),
        ({"executable_memory": "allow"}, {"executable_memory": "alert"}, ["executable_memory: allow, was alert"]),
        ({"executable_memory": "alert"}, {}, ["executable_memory: alert, was left to the runtime"]),
        ({}, {"executable_memory": "block"}, ["executable_memory: left to the runtime, was block"]),
        # AWS.
        (S3, {}, []),
        ({}, S3, ["allow_aws: all was not admitted"]),
        ({"allow_aws": ["s3", "sqs"]}, S3, ["allow_aws: sqs was not admitted"]),
        (NO_AWS, S3, []),
        (S3, NO_AWS, ["allow_aws: s3 was not admitted"]),
        ({"allow_aws": "granted"}, {"allow_aws": "granted"}, []),
        ({"allow_aws": "granted"}, S3, ["allow_aws: granted was not admitted"]),
        (ONE, {}, []),
        (ONE, S3, ["allow_aws: all was not admitted"]),
        (NO_AWS | ONE, S3, []),
        ({"allow_buckets": ["one", "two"]}, ONE, ["allow_buckets: two was not admitted"]),
        ({"allow_buckets": [TOKEN]}, {"allow_buckets": [TOKEN, "one"]}, []),
        ({}, {"allow_buckets": ["one", "two"]}, ["allow_buckets: any bucket, was one,two"]),
        ({"allow_aws": ["sqs"]}, ONE, []),
        (S3 | ONE, NO_AWS | ONE, []),
        (S3 | ONE, NO_AWS, ["allow_buckets: one was not admitted"]),
        ({"allow_aws": "all"}, {}, ["allow_aws: all was not admitted"]),
        ({"allow_outbound": ["a.example"]}, {}, ["allow_outbound: a.example was not admitted"]),
    ],
)
def test_fields_are_compared(new: dict[str, Any], old: dict[str, Any], looser: list[str]) -> None:
    assert [str(each) for each in make(**new).diff(make(**old))] == looser
    assert make(**new).is_at_least_as_strict_as(make(**old)) is not bool(looser)


@pytest.mark.parametrize(
    ("field", "entry", "covered_by", "not_by"),
    [
        ("allow_outbound", "a.example:443", ["a.example:443", "a.example"], ["b.example", "tcp://a.example:443"]),
        ("allow_outbound", "a.b.example", ["*.b.example"], ["a.b.example:443", "*.a.b.example", "tcp://a.b.example"]),
        ("allow_outbound", "tcp://a.b.example:1", ["a.b.example", "tcp://*.b.example"], ["udp://a.b.example"]),
        ("allow_outbound", "*.a.b.example", ["*.b.example", "*.a.b.example"], ["a.b.example", "*.c.example"]),
        ("allow_outbound", "10.1.0.0/16:1", ["10.0.0.0/8", "10.1.0.0/16:1"], ["10.1.0.0/17", "10.0.0.0/8:2", "::/1"]),
        ("allow_outbound", "10.1.2.3", ["10.1.2.3", "10.1.2.3/32", "10.1.0.0/16"], ["10.1.2.4", "a.example"]),
        ("allow_outbound", "[2001:db8::1]:443", ["2001:db8::/32", "2001:db8::1"], ["2001:db9::1"]),
        ("allow_outbound", "[2001:db8::1:443]", ["[2001:db8::1:443]", "2001:db8::/32"], ["[2001:db8::1]:443"]),
        ("allow_outbound", TOKEN, [TOKEN], ["a.example", f"{TOKEN}:1"]),
        ("allow_outbound", f"{TOKEN} by x", [TOKEN, f"{TOKEN} by y"], [f"{TOKEN}:1 by x"]),
        ("allow_outbound", "a.example:443 by x", ["a.example:443", "a.example by y>z"], ["b.example by x"]),
        ("allow_tmp", "/tmp/a/b", ["/tmp/a/b", "/tmp/a/*", "/tmp/**", "/tmp/?/b"], ["/tmp/a", "/tmp/b/**"]),
        ("allow_tmp", "/tmp/a/*.log", ["/tmp/a/*.log", "/tmp/a/**", "/tmp/**"], ["/tmp/a/x.log", "/tmp/a/*"]),
        ("allow_tmp", "/tmp/a/**", ["/tmp/a/**", "/tmp/**"], ["/tmp/a", "/tmp/a/b/**", "/tmp/*"]),
        ("allow_child_process", "/bin/ls", ["/bin/ls", "unshielded:/bin/ls"], ["/bin/l", "/bin/lsx"]),
        ("allow_child_process", "unshielded:/bin/ls", ["unshielded:/bin/ls"], ["/bin/ls"]),
    ],
)
def test_entries_are_compared(field: str, entry: str, covered_by: list[str], not_by: list[str]) -> None:
    new = make(**{field: [entry]})
    for listed in covered_by:
        assert new.diff(make(**{field: [listed]})) == (), listed
    for listed in [None, *not_by]:
        old = make(**{field: [listed] if listed else []})
        assert [(each.field, each.entry) for each in new.diff(old)] == [(field, getattr(new, field)[0])], listed


HOSTS = ["a.b.example", "b.example", "c.example", "10.0.0.1", "[2001:db8::1]"]
TARGETS = [
    *((event, f"{host}:{port}") for event in ("connect", "udp") for host in HOSTS for port in (1, 443)),
    *(("connect", f"{name}.us-east-1.amazonaws.com:443") for name in ("s3", "one.s3", "two.s3", "sqs")),
    *(("tmp", path) for path in ("/tmp", "/tmp/a", "/tmp/a/b", "/tmp/b.log")),
    *((event, path) for event in ("exec", "exec-static") for path in ("/bin/a", "/bin/b")),
]
HOST_ENTRIES = [
    f"{protocol}{host}{port}"
    for protocol in ("", "tcp://", "udp://")
    for host in ("a.b.example", "*.b.example", "10.0.0.1", "10.0.0.0/8", "[2001:db8::/32]", "[2001:db8::1]")
    for port in ("", ":443")
]


def some(entries: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(entries), max_size=2)


RELATED = st.fixed_dictionaries(
    {},
    optional={
        "outbound_connectivity": st.sampled_from(["block", "alert", "allow"]),
        "allow_outbound": some(HOST_ENTRIES),
        "deny_outbound": some(["udp://b.c.example", "10.0.0.7", "*.sqs.us-east-1.amazonaws.com"]),
        "allow_aws": st.sampled_from(["all", "none", ["s3"], ["sqs"], ["s3", "sqs"]]),
        "allow_buckets": some(["one", "two"]),
        "read_write_tmp": st.sampled_from(["block", "alert", "allow"]),
        "allow_tmp": some(["/tmp", "/tmp/a", "/tmp/*", "/tmp/**", "/tmp/a/**", "/tmp/*.log"]),
        "create_child_process": st.sampled_from(["block", "alert", "allow"]),
        "allow_child_process": some(["/bin/a", "unshielded:/bin/a", "/bin/b"]),
    },
)


@given(new=RELATED, old=RELATED)
def test_what_is_called_stricter_admits_nothing_more(new: dict[str, Any], old: dict[str, Any]) -> None:
    now, before = ShieldPolicy(**new), ShieldPolicy(**old)
    ranks = {"deny": 0, "alert": 1, "allow": 2}
    target: Any
    for target in TARGETS if now.is_at_least_as_strict_as(before) else ():
        assert ranks[now.decide(*target).action] <= ranks[before.decide(*target).action], target
    assert now.is_at_least_as_strict_as(now)
    assert now.with_mode("block").is_at_least_as_strict_as(now)
