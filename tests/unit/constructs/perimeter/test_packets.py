"""Packets of a ctypes program behind the wall that costs nothing: the template's routes and groups, in namespaces."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from harness.function_template import of_type
from shielded_function import ShieldPerimeter, ShieldPolicy
from shielded_function.perimeter.simulated import SimulatedPerimeter

from . import packets
from .conftest import LISTS, NETWORKS, Make, synthesize

pytestmark = pytest.mark.promise("perimeter.tier")

VPC = "10.0.0.0/16"
BUCKET, DATABASE = ("tcp", "52.218.1.1", 443), ("tcp", "10.0.3.4", 5432)
RESOLVER = [(protocol, packets.RESOLVER, 53) for protocol in ("udp", "tcp")]
ELSEWHERE = [
    ("tcp", "52.218.1.1", 80),  # the endpoint, on another port and by another protocol
    ("udp", "52.218.1.1", 443),
    ("tcp", "52.94.5.9", 443),  # the other endpoint, for which the function has no grant
    ("tcp", "10.0.3.4", 443),  # another port of the VPC, and its resolver's
    ("tcp", packets.RESOLVER, 443),
    ("tcp", "203.0.113.7", 443),  # hosts of the internet: by address, by another resolver, by SSH
    ("udp", "203.0.113.53", 53),
    ("tcp", "203.0.113.7", 22),
]


def send(**wall: Any) -> dict[str, set[packets.Target]]:
    """The targets that answer, and those at which packets arrive."""
    targets = [BUCKET, DATABASE, *RESOLVER, *ELSEWHERE, ("tcp", "2001:db8::7", 443)]
    command = ["unshare", "--map-root-user", "--net", sys.executable, packets.__file__]
    command.append(json.dumps({**wall, "targets": targets}))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return {name: {(*each,) for each in found} for name, found in json.loads(done.stdout).items()}


def routes_of(template: dict[str, Any], prefix: str) -> list[str]:
    """The networks that the route tables of the subnets lead to, named so."""
    tables = {name for name in of_type(template, "AWS::EC2::RouteTable") if name.startswith(prefix)}
    others = [each for each in of_type(template, "AWS::EC2::Route").values() if each["RouteTableId"]["Ref"] in tables]
    found = [VPC, *(each["DestinationCidrBlock"] for each in others)]
    for endpoint in of_type(template, "AWS::EC2::VPCEndpoint").values():
        if {each["Ref"] for each in endpoint["RouteTableIds"]} >= tables:
            service = "s3" if ".s3" in json.dumps(endpoint["ServiceName"]) else "dynamodb"
            found += NETWORKS[LISTS[service]]
    return list(dict.fromkeys(found))


def test_packets_reach_the_endpoint_and_the_resolver(
    app: cdk.App, shop: cdk.Stack, make: Make, isolated: dict[str, Any]
) -> None:
    probe = ["unshare", "--map-root-user", "--net", "ip", "link", "set", "lo", "up"]
    if not Path("/usr/bin/unshare").exists() or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("this machine gives no network namespaces, or lacks iproute2")
    listed = ShieldPolicy(allow_aws="granted", allow_outbound=[f"tcp://{VPC}:5432"])
    s3.Bucket(shop, "Orders").grant_read(make("Reads", listed, **isolated))
    ShieldPerimeter(shop, vpc=isolated["vpc"], tier="free", prefix_lists=LISTS)
    template = synthesize(app)
    walls = SimulatedPerimeter.from_template(template, prefix_lists=NETWORKS)
    [function] = [name for name in of_type(template, "AWS::Lambda::Function") if name.startswith("Reads")]
    egress = [(each["IpProtocol"], each["CidrIp"], each["FromPort"]) for each in walls.egress[function]]
    behind = send(routes=routes_of(template, "IsolatedIsolated"), egress=egress)
    assert behind["reached"] == behind["arrived"] == {BUCKET, DATABASE, *RESOLVER}
    assert {each for each in behind["arrived"] if each[1] != packets.RESOLVER} == {BUCKET, DATABASE}
    before = send(routes=None, egress=[])
    assert before["reached"] == before["arrived"] == {BUCKET, DATABASE, *RESOLVER, *ELSEWHERE}
    # Each layer alone: the group in a subnet with a way out, and the routes with a group that lets everything out.
    group = send(routes=routes_of(template, "IsolatedPublic"), egress=egress)
    assert group["arrived"] == behind["arrived"]
    halves = ("0.0.0.0/1", "128.0.0.0/1")  # for the kernel, a rule to 0.0.0.0/0 exists already
    everything = [(way, half, port) for way in ("tcp", "udp") for half in halves for port in packets.PORTS]
    routes = send(routes=routes_of(template, "IsolatedIsolated"), egress=everything)
    assert {each for each in routes["arrived"] if each[1].startswith("203.")} == set()
