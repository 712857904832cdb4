"""How the tests run the clients of the catalogue."""

from __future__ import annotations

import pytest

from lab.clients.catalogue import CLIENTS, Client
from lab.clients.network import Network, Run
from shielded_function import ShieldPolicy

every_client = pytest.mark.parametrize("client", [pytest.param(c, id=c.name) for c in CLIENTS])


def needs(client: Client, network: Network) -> None:
    """Skips where this machine has no such server."""
    if reason := network.servers.missing.get(client.server):
        pytest.skip(reason)


def run(network: Network, client: Client, policy: ShieldPolicy, target: str | None = None) -> Run:
    """Runs a client against its own target, or another one."""
    return network.run(client.command(target), policy, dict(client.environment))
