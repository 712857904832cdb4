"""The name server answers from its table and remembers every question."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dnslib import RCODE, DNSRecord

from shielded_function_emulator.dns_server import DnsServer, Question
from shielded_function_emulator.sandbox import Sandbox

NAMES = {"api.example": ["198.51.100.1", "2001:db8::1"], "*.evil.example": ["203.0.113.9"]}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, DnsServer]]:
    """A sandbox with the server running."""
    with Sandbox() as sandbox:
        if not sandbox.isolation.whole:
            pytest.skip(sandbox.isolation.note)
        with DnsServer(sandbox, NAMES) as server:
            yield sandbox, server


def ask(server: DnsServer, name: str, kind: str = "A") -> DNSRecord:
    """One question, without the network."""
    reply = server.answer(bytes(DNSRecord.question(name, kind).pack()), "udp")
    assert reply is not None
    return DNSRecord.parse(reply)


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("api.example", "A", ["198.51.100.1"]),
        ("API.Example.", "AAAA", ["2001:db8::1"]),
        ("secret.evil.example", "A", ["203.0.113.9"]),
        ("secret.evil.example", "AAAA", []),
        ("api.example", "TXT", []),
    ],
)
def test_answers(served: tuple[Sandbox, DnsServer], name: str, kind: str, found: list[str]) -> None:
    reply = ask(served[1], name, kind)
    assert [str(record.rdata) for record in reply.rr] == found
    assert reply.header.rcode == RCODE.NOERROR


def test_unknown_names_do_not_exist(served: tuple[Sandbox, DnsServer]) -> None:
    assert ask(served[1], "nowhere.example").header.rcode == RCODE.NXDOMAIN
    assert ask(served[1], "evil.example").header.rcode == RCODE.NXDOMAIN


@pytest.mark.parametrize("junk", [b"", b"\0", b"\xff" * 40], ids=["nothing", "short", "long"])
def test_what_is_no_query_gets_no_answer(served: tuple[Sandbox, DnsServer], junk: bytes) -> None:
    assert served[1].answer(junk, "udp") is None


def test_glibc_gets_its_answers_and_is_remembered(served: tuple[Sandbox, DnsServer]) -> None:
    sandbox, server = served
    server.questions.clear()
    done = sandbox.run_command(["getent", "ahosts", "api.example"])
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"198.51.100.1", "2001:db8::1"}
    assert set(server.asked("api.example")) == {
        Question("api.example", "A", "udp"),
        Question("api.example", "AAAA", "udp"),
    }
    assert sandbox.run_command(["getent", "hosts", "nowhere.example"]).returncode == 2


def test_tcp(served: tuple[Sandbox, DnsServer]) -> None:
    sandbox, server = served
    server.questions.clear()
    done = sandbox.run_command(["getent", "hosts", "x.evil.example"], environment={"RES_OPTIONS": "use-vc"})
    assert done.stdout.split()[0] == "203.0.113.9", done.stderr
    assert Question("x.evil.example", "A", "tcp") in server.questions
