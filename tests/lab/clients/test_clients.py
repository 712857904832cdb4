"""Real clients under the default policy: what is listed works without a word; what is not fails as an error should."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.thinning import long_but
from lab.clients.catalogue import CLIENTS, Client, Failure
from lab.clients.network import Network, Run
from lab.clients.running import every_client, needs, run
from lab.clients.servers import PLACES
from shielded_function import ShieldPolicy
from shielded_function_emulator.dns_server import DnsServer

# For a client that fails at once, on any machine; a time-out of any client takes longer.
AT_ONCE_SECONDS = 4.0


def reported(alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the alerts say, less by which call and from which library: that is the client's business."""
    told = {"policy", "mode", "allow"}
    return [
        {name: alert[name] for name in told} | {k: v for k, v in alert["details"].items() if k != "syscall"}
        for alert in alerts
    ]


def alert(allow: str, **details: str | int) -> dict[str, Any]:
    return {"policy": "outbound_connectivity", "mode": "block", "allow": allow, **details}


def assert_failed(seen: Run, failure: Failure) -> None:
    print(f"failed after {seen.said['seconds'] * 1000:.1f} ms")
    assert failure.error in seen.said.get("error", ()), seen.said
    assert failure.text in seen.said["text"]
    assert seen.said["seconds"] < AT_ONCE_SECONDS


def assert_nothing_left(seen: Run, tcp_queries: int = 0) -> None:
    assert (seen.connections, seen.datagrams, seen.calls) == (tcp_queries, 0, 0)


@pytest.mark.parametrize("client", long_but(CLIENTS[::3], CLIENTS), ids=lambda client: client.name)
def test_allowed(network: Network, client: Client) -> None:
    needs(client, network)
    seen = run(network, client, ShieldPolicy(allow_outbound=() if client.aws else [client.target]))
    assert seen.said.get("answer") == client.answer, seen
    assert seen.alerts == []
    assert [event["event"] for event in seen.events] == ["armed"]
    assert {question.name for question in seen.questions} == {client.host}
    if client.connects:
        assert seen.connections + seen.datagrams > 0


@every_client
def test_denied_by_name(network: Network, client: Client) -> None:
    needs(client, network)
    seen = run(network, client, ShieldPolicy(allow_aws="none", allow_outbound=["other.example"]))
    assert_failed(seen, client.unresolved)
    assert_nothing_left(seen, client.tcp_queries)
    assert seen.questions == []
    assert reported(seen.alerts) == [alert(client.host, host=client.host, protocol="dns")]


# All are denied by name; what is allowed, by port and by address is a sample, and all in `make test-long`.
BY_PORT = [client for client in CLIENTS if client.refused]
BY_ADDRESS = [client for client in BY_PORT if client.to_address]


@pytest.mark.parametrize("client", long_but(BY_PORT[::3], BY_PORT), ids=lambda client: client.name)
def test_denied_by_port(network: Network, client: Client) -> None:
    needs(client, network)
    assert client.refused
    seen = run(network, client, ShieldPolicy(allow_aws="none", allow_outbound=[f"{client.host}:1"]))
    assert_failed(seen, client.refused)
    assert_nothing_left(seen)
    ip = network.dns.addresses(client.host)[0]
    assert reported(seen.alerts) == [
        alert(client.target, host=client.host, ip=ip, port=client.port, protocol=protocol)
        for protocol in client.protocols
    ]


@pytest.mark.parametrize("client", long_but(BY_ADDRESS[::3], BY_ADDRESS), ids=lambda client: client.name)
def test_denied_by_address(network: Network, client: Client) -> None:
    needs(client, network)
    assert client.refused
    ip = PLACES[client.server][1]
    target = f"{ip}:{client.port}"
    seen = run(network, client, ShieldPolicy(allow_outbound=[client.host]), target)
    assert_failed(seen, client.refused)
    assert_nothing_left(seen)
    assert reported(seen.alerts) == [
        alert(target, ip=ip, port=client.port, protocol=protocol) for protocol in client.to_address
    ]


@pytest.mark.parametrize(
    ("use", "policy", "host"),
    [
        ("dynamodb", ShieldPolicy(allow_aws=["s3"]), "dynamodb.us-east-1.amazonaws.com"),
        ("dynamodb@eu-west-1", ShieldPolicy(), "dynamodb.eu-west-1.amazonaws.com"),
        ("s3@eu-west-1", ShieldPolicy(), "my-bucket.s3.eu-west-1.amazonaws.com"),
    ],
    ids=["service-not-listed", "other-region", "bucket-of-other-region"],
)
def test_aws_that_is_not_allowed(network: Network, use: str, policy: ShieldPolicy, host: str) -> None:
    seen = network.run(["boto3_client.py", f"{host}:443", use], policy)
    assert_failed(seen, Failure("EndpointConnectionError", host))
    assert_nothing_left(seen)
    assert seen.questions == []
    assert reported(seen.alerts) == [alert(host, host=host, protocol="dns")]


def test_a_name_server_of_ones_own(network: Network) -> None:
    """An allowed name, asked of somebody else: whoever answers could say anything, and whoever listens learns."""
    elsewhere = "203.0.113.53"
    with DnsServer(network.sandbox, {"web.example": ["203.0.113.9"]}, elsewhere) as server:
        program = ["dnspython_client.py", "web.example:53", "A", f"at={elsewhere}"]
        seen = network.run(program, ShieldPolicy(allow_outbound=["web.example"]))
        assert server.questions == []
        assert_failed(seen, Failure("NoNameservers", "Permission denied"))
        assert reported(seen.alerts) == [alert(f"{elsewhere}:53", ip=elsewhere, port=53, protocol="udp")]
        allowed = network.run(program, ShieldPolicy(allow_outbound=["web.example", elsewhere]))
        assert allowed.said["answer"] == ["203.0.113.9"]
        assert [question.name for question in server.questions] == ["web.example"]


@pytest.mark.parametrize("way", ["getaddrinfo", "dnspython", "dnspython-tcp", "pycares"])
def test_a_denied_lookup_does_not_wait(network: Network, way: str) -> None:
    seen = network.run(["lookups.py", way, "denied.example"], ShieldPolicy())
    print(f"{way}: a denied lookup takes {json.dumps(seen.said)} ms")
    assert seen.said["median"] < 1000
    assert seen.questions == []
    assert len({found["details"]["host"] for found in seen.alerts}) == len(seen.alerts) == seen.said["names"]
