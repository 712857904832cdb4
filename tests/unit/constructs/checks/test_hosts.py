"""The data: which names belong to nobody."""

from __future__ import annotations

import doctest
import importlib.resources
import json

import pytest

from shielded_function import ShieldPolicy, globs
from shielded_function.checks import hosts
from shielded_function.checks.rules import lists


@pytest.mark.parametrize("module", [globs, hosts, lists])
def test_examples(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # pyright: ignore[reportArgumentType]


DATA = json.loads((importlib.resources.files("shielded_function.checks") / "shared_hosts.json").read_text("utf-8"))


def test_the_data_is_clean() -> None:
    for kind in ("hosts", "suffixes"):
        patterns = [pattern for each in DATA[kind] for pattern in each["patterns"]]
        assert sorted(set(patterns)) == sorted(patterns)
        assert all(pattern == pattern.lower().strip() and "/" not in pattern for pattern in patterns)
        assert all(each["why"] and each["class"] for each in DATA[kind])


def test_every_shared_host_is_found_as_it_would_be_listed() -> None:
    """Whatever admits it: the host itself, or a wildcard over it."""
    for each in DATA["hosts"]:
        for pattern in each["patterns"]:
            host = pattern.replace("*", "any")
            canonical = ShieldPolicy(allow_outbound=[host]).allow_outbound[0]
            assert isinstance(canonical, str)
            assert list(hosts.shared_hosts(lists.take_apart(canonical).host, False)), pattern


@pytest.mark.parametrize(
    ("text", "host", "wildcard", "network"),
    [
        ("a.example:443", "a.example", False, None),
        ("udp://*.a.example", "a.example", True, None),
        ("*.a.example:443 by x or y", "a.example", True, None),
        ("192.0.2.7:53", "", False, "192.0.2.7/32"),
        ("10.0.0.0/8", "", False, "10.0.0.0/8"),
        ("[2001:db8::/32]:443", "", False, "2001:db8::/32"),
        ("tcp://[2001:db8::1]:443", "", False, "2001:db8::1/128"),
        ("2001:db8::1", "", False, "2001:db8::1/128"),
    ],
)
def test_entries_as_the_policy_writes_them(text: str, host: str, wildcard: bool, network: str | None) -> None:
    (canonical,) = ShieldPolicy(allow_outbound=[text]).allow_outbound
    assert isinstance(canonical, str)
    entry = lists.take_apart(canonical)
    assert (entry.host, entry.wildcard, entry.network and str(entry.network)) == (host, wildcard, network)


@pytest.mark.parametrize(
    ("host", "is_anybodys"),
    [
        ("nip.io", True),
        ("cache.amazonaws.com", True),
        ("use1.cache.amazonaws.com", True),
        ("serverless.use1.cache.amazonaws.com", True),
        ("orders.ab1cde.use1.cache.amazonaws.com", False),
        ("memorydb.us-east-1.amazonaws.com", True),
        ("orders.ab1cde.memorydb.us-east-1.amazonaws.com", False),
        ("us-east-1.redshift.amazonaws.com", True),
        ("us-east-1.docdb.amazonaws.com", True),
        ("kafka.us-east-1.amazonaws.com", True),
        ("shop.ab1cde.c2.kafka.us-east-1.amazonaws.com", False),
        ("execute-api.us-east-1.amazonaws.com", True),
        ("ab1cde.execute-api.us-east-1.amazonaws.com", False),
        ("postgres.database.azure.com", True),
        ("mongodb.net", True),
        ("shop.ab1cd.mongodb.net", False),
    ],
)
def test_under_which_names_anybody_can_have_one(host: str, is_anybodys: bool) -> None:
    """A wildcard over one customer's own hosts is none of those."""
    assert bool(hosts.shared_suffix(host)) == is_anybodys
