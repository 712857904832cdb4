"""A log is enough to write an allow list: what alert mode reports, listed, is all that block mode needs.

All clients are tried with one list for all; each by itself in `make test-long`, a sample in `make test`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from harness.thinning import long_but
from lab.clients.catalogue import CLIENTS, Client
from lab.clients.network import Network
from lab.clients.running import needs, run
from shielded_function import ShieldPolicy

pytestmark = pytest.mark.promise("outbound.log-is-enough")

NOTHING_LISTED = replace(ShieldPolicy.report_only(), allow_aws="none")
Learn = Callable[[Client], list[str]]


@pytest.fixture(scope="module")
def learn(network: Network) -> Learn:
    """The `allow` entries of a client's run in alert mode, in which everything works."""

    @cache
    def learned(client: str) -> list[str]:
        (wanted,) = (c for c in CLIENTS if c.name == client)
        seen = run(network, wanted, NOTHING_LISTED)
        assert seen.said.get("answer") == wanted.answer, seen
        assert {(line["policy"], line["mode"]) for line in seen.alerts} == {("outbound_connectivity", "alert")}
        return sorted({line["allow"] for line in seen.alerts})

    return lambda client: learned(client.name)


def assert_works_without_a_word(network: Network, client: Client, entries: list[str]) -> None:
    seen = run(network, client, ShieldPolicy(allow_aws="none", allow_outbound=entries))
    assert seen.said.get("answer") == client.answer, (entries, seen)
    assert seen.alerts == []


@pytest.mark.parametrize("client", long_but(CLIENTS[::5], CLIENTS), ids=lambda client: client.name)
def test_what_was_reported_is_what_is_needed(network: Network, client: Client, learn: Learn) -> None:
    needs(client, network)
    entries = learn(client)
    assert_works_without_a_word(network, client, entries)
    if client.connects:
        assert client.target in entries
    if client.aws:  # of the others, test_allowed shows it: a host with its port is enough for the lookup too
        assert_works_without_a_word(network, client, [client.target])


@pytest.mark.long
def test_one_list_for_all(network: Network, learn: Learn) -> None:
    """A function that uses every client: their entries do not get into each other's way."""
    clients = [client for client in CLIENTS if client.server not in network.servers.missing]
    entries = sorted({entry for client in clients for entry in learn(client)})
    for client in clients:
        assert_works_without_a_word(network, client, entries)


def test_with_the_policy_as_it_is_given(network: Network) -> None:
    """`ShieldPolicy.report_only()` admits AWS: only what is not AWS is reported."""
    for client in CLIENTS:
        if client.aws:
            assert run(network, client, ShieldPolicy.report_only()).alerts == []
    web = next(client for client in CLIENTS if client.name == "requests")
    seen = run(network, web, ShieldPolicy.report_only())
    assert {line["allow"] for line in seen.alerts} == {web.host, web.target}
