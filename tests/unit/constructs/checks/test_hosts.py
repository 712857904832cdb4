"""The data: which names belong to nobody."""

from __future__ import annotations

import doctest
import importlib.resources
import json

import pytest

from shielded_function import ShieldPolicy, globs
from shielded_function.checks import shared_hosts as hosts
from shielded_function.checks.rules import lists
from shielded_function.policy.targets import read_entry


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
            assert list(hosts.shared_hosts(read_entry(canonical).name, False)), pattern


ANYBODYS = """
    nip.io cache.amazonaws.com use1.cache.amazonaws.com serverless.use1.cache.amazonaws.com
    memorydb.us-east-1.amazonaws.com us-east-1.redshift.amazonaws.com us-east-1.docdb.amazonaws.com
    kafka.us-east-1.amazonaws.com execute-api.us-east-1.amazonaws.com postgres.database.azure.com mongodb.net
"""
ONES = """
    orders.ab1cde.use1.cache.amazonaws.com orders.ab1cde.memorydb.us-east-1.amazonaws.com
    shop.ab1cde.c2.kafka.us-east-1.amazonaws.com ab1cde.execute-api.us-east-1.amazonaws.com shop.ab1cd.mongodb.net
"""


def test_under_which_names_anybody_can_have_one() -> None:
    """A wildcard over one customer's own hosts is none of those."""
    assert [host for host in ANYBODYS.split() if not hosts.shared_suffix(host)] == []
    assert [host for host in ONES.split() if hosts.shared_suffix(host)] == []
