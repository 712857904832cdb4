"""deny_outbound: ordinary ways to a denied host, in every mode.

test_queries.py and test_server_names.py have the odd ones.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from dnslib import CNAME, QTYPE, RR, A, DNSRecord

from harness.running import PYTHON, SHIELD, alerts, last_line, policy, run_inside
from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_emulator.web import Receiver, WebServer

pytestmark = pytest.mark.promise("deny.every-mode")

DENIED, OTHER, SSH = "203.0.113.66", "198.51.100.9", "198.51.100.23"
LISTS = {
    "SHIELD_DENY_OUTBOUND": "denied.example,*.bins.example,xn--bcher-kva.example,203.0.113.64/28,ssh.example:22",
    "SHIELD_ALLOW_OUTBOUND": f"other.example,ssh.example,alias.example,0.0.0.0/1,{OTHER}",
    "SHIELD_ALLOW_AWS": "none",
}
ENDS = {
    **dict.fromkeys(
        ("a name", "in capitals, with a dot", "below a wildcard", "an international name"), socket.EAI_NONAME
    ),
    # The question is replaced on its way; nothing is told before an answer is read.
    **dict.fromkeys(("a query by hand", "with other bytes in it")),
}


@pytest.fixture(scope="module", autouse=True)
def servers(box: Sandbox) -> Iterator[None]:
    tls = CertificateAuthority().server_context(["other.example"])
    places = {(OTHER, 443): tls, (SSH, 22): None, (SSH, 443): None, (DENIED, 443): tls}
    with ExitStack() as stack:
        for place, context in places.items():
            stack.enter_context(WebServer(box, place, Receiver("hello"), context))
        yield


@pytest.fixture
def names(box: Sandbox) -> Iterator[DnsServer]:
    with DnsServer(box, {"ssh.example": [SSH], "*": [OTHER]}) as server:
        yield server


def run(box: Sandbox, settings: dict[str, str], *words: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    done = run_inside(box, "denied_acts", *words, settings=settings | LISTS)
    return last_line(done), alerts(done)


@pytest.mark.parametrize("mode", ["block", "alert", "allow"])
def test_what_is_denied_in_every_mode(box: Sandbox, names: DnsServer, mode: str) -> None:
    results, lines = run(box, policy(outbound_connectivity=mode), "acts")
    assert {way: end for way, end in results.items() if end != ENDS.get(way, errno.EACCES)} == {}
    denied = [line for line in lines if line.get("reason") == "deny_outbound"]
    assert {(line["mode"], line["severity"], line["level"]) for line in denied} == {("block", "critical", "ERROR")}
    assert not any("allow" in line for line in denied)
    blocked = [line["count"] for line in lines if line["mode"] == "block"]  # with repetitions, which have no reason
    assert sum(blocked) >= len(results)
    asked = [q.name for q in names.questions]
    assert [name for name in asked if "denied" in name or "bins" in name or "xn--" in name] == []


@pytest.mark.parametrize("mode", ["block", "alert", "allow"])
def test_what_is_not_denied_is_as_the_mode_says(box: Sandbox, names: DnsServer, mode: str) -> None:
    results, lines = run(box, policy(outbound_connectivity=mode), "pass")
    assert set(results.values()) == {None}, results
    assert [line for line in lines if "reason" in line] == []
    assert mode == "alert" or lines == []


class Aliasing(DnsServer):
    """Answers with the alias `denied.example`, and its address."""

    def answer(self, message: bytes, transport: str) -> bytes | None:
        if not message:  # the end
            return None
        query = DNSRecord.parse(message)
        reply = query.reply()
        if query.q.qtype == QTYPE.A:
            reply.add_answer(RR(query.q.qname, QTYPE.CNAME, rdata=CNAME("denied.example"), ttl=60))
            reply.add_answer(RR("denied.example", QTYPE.A, rdata=A(OTHER), ttl=60))
        return bytes(reply.pack())


@pytest.mark.parametrize("mode", ["alert", "allow"])
def test_a_denied_host_without_its_name(box: Sandbox, mode: str) -> None:
    """Limits (docs/security/limits.md): an alias, and a server whose address the code knows."""
    with Aliasing(box, {}), WebServer(box, (OTHER, 80), Receiver("hello")):
        results, lines = run(box, policy(outbound_connectivity=mode), "nameless")
    assert set(results.values()) == {None}, results
    assert [line for line in lines if "reason" in line] == []


def test_the_engine_protects_itself_where_a_list_denies(box: Sandbox) -> None:
    """Else two lines of Python could write over the list, in a mode that only reports."""
    write = "import os; os.open('/proc/self/mem', os.O_RDWR)"
    for lists, expected in (({"SHIELD_DENY_OUTBOUND": "denied.example"}, True), ({}, False)):
        settings = policy(outbound_connectivity="alert") | lists
        done = box.run_command([SHIELD, PYTHON, "-c", write], environment=settings)
        assert ("PermissionError" in done.stderr) == expected, done.stderr
