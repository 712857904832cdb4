"""Look-ups by which programs learn who they are pass without a line; the name server learns nothing else by them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.running import alerts, last_line, policy, run_inside
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import Sandbox

pytestmark = pytest.mark.promise("outbound.self-lookups")

BLOCKED = policy(outbound_connectivity="block") | {
    "SHIELD_ALLOW_OUTBOUND": "allowed.example,11.22.33.0/24",
    "SHIELD_ALLOW_AWS": "none",
}
HOST, LEARNT = "emulated-lambda", "9.9.9.9"
OF_ITSELF = [HOST, "localhost", "1.0.0.127.in-addr.arpa", "1.113.0.203.in-addr.arpa", "7.33.22.11.in-addr.arpa",
             "allowed.example", "9.9.9.9.in-addr.arpa"]  # fmt: skip
OF_OTHERS = ["9.9.9.9.in-addr.arpa", "7.34.22.11.in-addr.arpa", "1.0.0.224.in-addr.arpa", f"{HOST}.evil.example",
             "secret.in-addr.arpa", "other-host"]  # fmt: skip


@pytest.fixture
def names(box: Sandbox) -> Iterator[DnsServer]:
    with DnsServer(box, {"*": [LEARNT]}) as server:
        yield server


def run(box: Sandbox, asked: list[str]) -> tuple[dict[str, bool], list[str]]:
    done = run_inside(box, "self_lookups", *asked, settings=BLOCKED)
    return last_line(done), [line["details"]["host"] for line in alerts(done)]


def test_self_lookups_pass_without_a_line(box: Sandbox, names: DnsServer) -> None:
    assert run(box, OF_ITSELF) == (dict.fromkeys(OF_ITSELF, True), [])
    assert [q.name for q in names.questions] == OF_ITSELF


def test_other_lookups_do_not_leave(box: Sandbox, names: DnsServer) -> None:
    """Nor that of an address before a name was answered with it."""
    assert run(box, OF_OTHERS) == (dict.fromkeys(OF_OTHERS, False), OF_OTHERS)
    assert [q for q in names.questions if not q.name.endswith(".invalid")] == []


def test_a_self_lookup_teaches_no_address(box: Sandbox, names: DnsServer) -> None:
    """The name server could say for the machine's name where somebody else listens."""
    reverse = "9.9.9.9.in-addr.arpa"
    assert run(box, [HOST, reverse]) == ({HOST: True, reverse: False}, [reverse])
