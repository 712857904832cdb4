"""Policies for tests: made without the types, and every one that can be made (hypothesis)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import strategies as st

from shielded_function.policy import ShieldPolicy, ShieldPolicyError

TOKEN = "${Token[TOKEN.12]}"
MODES = ["block", "alert", "allow"]
SWITCHES = ["check_tls_name", "clear_tmp", "block_foreign_functions", "kernel_limits", "log_arguments"]
MODE_FIELDS = ["outbound_connectivity", "read_write_tmp", "create_child_process", "read_handler"]


def make(**values: Any) -> ShieldPolicy:
    """Without the types, for values that are wrong on purpose."""
    return ShieldPolicy(**values)


def refused(**values: Any) -> ShieldPolicyError:
    """The error of a policy that cannot be made; it names one of these fields."""
    with pytest.raises(ShieldPolicyError) as caught:
        make(**values)
    assert caught.value.field in values
    assert str(caught.value).startswith(f"ShieldPolicy.{caught.value.field}: ")
    return caught.value


ASCII_LABELS = st.from_regex(r"[a-z]([a-z0-9_-]{0,20}[a-z0-9])?", fullmatch=True)
# Letters that are in Unicode 3.2, as the standard library's IDNA is; right-to-left ones do not mix.
SCRIPTS = ["äöüéèñçøåłž", "абвгдежз", "אבגד", "ابتث", "あいう漢字", "한글"]
INTERNATIONAL = st.one_of([st.text(script, min_size=1, max_size=8) for script in SCRIPTS])
NAMES = st.lists(ASCII_LABELS | INTERNATIONAL, min_size=2, max_size=4).map(".".join)
PORTS = st.just("") | st.integers(1, 65535).map(":{}".format)
V4, V6 = st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)


def _networks(ips: st.SearchStrategy[str], bits: int) -> st.SearchStrategy[str]:
    def mask(ip: str, prefix: int) -> str:
        return str(ipaddress.ip_network(f"{ip}/{prefix}", strict=False))

    return st.builds(mask, ips, st.integers(1, bits))


def _has_no_port(text: str) -> bool:
    """Not an address whose end may be a port, as 2001:db8::1:443."""
    head, _, end = text.rpartition(":")
    try:
        ipaddress.IPv6Address(head)
    except ValueError:
        return True
    return not end.isdigit() or int(end) == 0


# A network that holds mapped addresses and others is no IPv4 network and no pure IPv6 one.
_NETWORKS6 = _networks(V6, 128).filter(lambda text: not text.startswith("::ffff:"))
_WITH_PORTS = (
    NAMES,
    NAMES.map("*.{}".format),
    V4,
    _networks(V4, 32),
    V6.map("[{}]".format),
    _NETWORKS6.map("[{}]".format),
)
OUTBOUND = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "tcp://", "udp://"]),
    st.builds("{}{}".format, st.one_of(_WITH_PORTS), PORTS) | V6.filter(_has_no_port) | _NETWORKS6,
    st.sampled_from(["", "", " by stripe", " by requests > app or @a/b.c"]),
)
BUCKETS = st.from_regex(r"[a-z0-9]([a-z0-9-]{1,20}|[a-z0-9][.][a-z0-9])[a-z0-9]", fullmatch=True)
_IN_PATHS = st.characters(exclude_characters="/,*?\x7f", exclude_categories=["Cs"], min_codepoint=0x20)
# Blanks around an entry are not its own.
COMPONENTS = st.text(_IN_PATHS, min_size=1, max_size=12).filter(
    lambda c: c not in (".", "..") and c == c.strip(" \t") and "{Token[" not in c
)
GLOBS = st.lists(COMPONENTS | st.sampled_from(["*", "**", "?x", "a*b", "*.log"]), max_size=4).map(
    lambda parts: "/".join(["/tmp", *parts])
)
CHILDREN = st.builds(
    "{}/{}".format, st.sampled_from(["", "unshielded:"]), st.lists(COMPONENTS, min_size=1, max_size=4).map("/".join)
).filter(lambda entry: " -" not in entry)  # a program with an argument
SERVICES = ["s3", "dynamodb", "sqs", "sts", "lambda", "kms", "secretsmanager"]


def lists(entries: st.SearchStrategy[str]) -> st.SearchStrategy[Sequence[str]]:
    return st.lists(entries, max_size=5) | st.lists(entries, max_size=3).map(tuple)


POLICIES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(MODE_FIELDS, st.sampled_from(MODES)),
        "executable_memory": st.sampled_from([*MODES, None]),
        "allow_outbound": lists(OUTBOUND),
        "allow_aws": st.sampled_from(["all", "none"]) | lists(st.sampled_from(SERVICES)),
        "deny_outbound": lists(st.sampled_from(["denied.test", "*.denied.test:25"])),
        "allow_buckets": lists(BUCKETS),
        "allow_tmp": lists(GLOBS),
        "allow_child_process": lists(CHILDREN),
        "allow_executable_memory": lists(st.from_regex(r"[A-Za-z0-9_+]{1,20}", fullmatch=True)),
        **dict.fromkeys(SWITCHES, st.booleans()),
        "on_failure": st.sampled_from(["refuse", "run_unshielded"]),
    },
)
