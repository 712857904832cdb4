"""What was looked at is one socket, and what the kernel uses is another: no datagram and no answer gets past so.

Every attempt goes on for some seconds. What arrived is what the servers saw.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.compiling import EFFORT
from harness.recorder import Recorder
from harness.running import alerts, last_line, policy, run_inside
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import RESOLVER, Completed, Sandbox

pytestmark = pytest.mark.promise("outbound.replaced-sockets")

SERVER, UNLISTED = "203.0.113.9", "198.51.100.9"
LITTLE_EFFORT, FOR_ALL_TIMES = 1, 60  # seconds
BY_NAME, EVIL, ASKED = "allowed.example", b"evil.example", (RESOLVER, 53)
# What `allow_outbound` lists, where a foreign name is to arrive, and for how many seconds it is tried.
ATTEMPTS = {
    "an_answer_of_our_own": (BY_NAME, (UNLISTED, 80), EFFORT),
    # With the name server's address on the list, as one that lies in a VPC may be.
    "a_datagram_by_a_local_socket": (RESOLVER, ASKED, 2 * EFFORT - 1),
}
TIMES = 200


@pytest.fixture
def names(box: Sandbox) -> Iterator[DnsServer]:
    with DnsServer(box, {BY_NAME: [SERVER]}) as server:
        yield server


@pytest.fixture
def servers(box: Sandbox) -> Iterator[dict[tuple[str, int], Recorder]]:
    recorders = {place: Recorder(box, *place) for place in ((SERVER, 443), (SERVER, 80), (UNLISTED, 80))}
    yield recorders
    for recorder in recorders.values():
        recorder.close()


def run(box: Sandbox, way: str, seconds: int, settings: dict[str, str]) -> tuple[int, Completed]:
    """The number that the program printed last."""
    done = run_inside(box, "replaced_sockets", way, str(seconds), settings=settings)
    return last_line(done), done


def checked(allowed: str) -> dict[str, str]:
    return policy(outbound_connectivity="block") | {"SHIELD_ALLOW_OUTBOUND": allowed, "SHIELD_ALLOW_AWS": "none"}


@pytest.mark.promise("outbound.tcp-answers", "outbound.replaced-sockets")
@pytest.mark.race
@pytest.mark.parametrize("name", ATTEMPTS)
def test_what_was_looked_at_is_what_is_used(
    box: Sandbox, names: DnsServer, servers: dict[tuple[str, int], Recorder], name: str
) -> None:
    allowed, aim, effort = ATTEMPTS[name]

    def arrives(seconds: int, settings: dict[str, str]) -> bool:
        names.questions.clear()
        for server in servers.values():
            del server.received[:]
        tried, done = run(box, name, seconds, settings)
        assert tried > 0, done.stderr[-2000:]
        return bool(names.asked("evil")) if aim == ASKED else EVIL in servers[aim].received

    assert not arrives(effort, checked(allowed))
    assert any(arrives(LITTLE_EFFORT, policy()) for _ in range(5)), "it is not real"


@pytest.mark.usefixtures("names", "servers")
def test_honest_threads_are_not_hindered(box: Sandbox) -> None:
    went_well, done = run(box, "honest_threads", FOR_ALL_TIMES, checked(BY_NAME))
    assert (went_well, alerts(done)) == (TIMES, []), done.stderr[-2000:]
