"""DNS by every transport: what is allowed is answered and teaches, what is not allowed is not even asked."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator

import pytest

from harness.running import PYTHON, alerts, alerts_by_way, last_line, policy, run_inside
from harness.ways import ways
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import Completed, Sandbox
from shielded_function_emulator.web import Receiver, WebServer

pytestmark = pytest.mark.promise("outbound.denied-names")

SERVER = "203.0.113.9"
REFUSED, NO_SUCH_NAME = errno.EACCES, socket.EAI_NONAME
BLOCKED = policy(outbound_connectivity="block") | {
    "SHIELD_ALLOW_OUTBOUND": "allowed.example,*.wild.example,many.example",
    "SHIELD_ALLOW_AWS": "none",
}
WAYS = ways("queries.py", "datagrams.py", "forged.py")
ALLOWED = WAYS["allowed"]
COUNTS = "import socket; print(len(socket.socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)) > 128)"
DENIED = dict.fromkeys(WAYS["denied"], REFUSED) | {"udp_denied_by_write": NO_SUCH_NAME}
# The same, refused in other ways, with the protocol that the alert names.
OTHERWISE = {
    "tcp_denied_on_a_duplicate_made_before": (REFUSED, "dns"),
    "tcp_denied_after_a_second_connect": (REFUSED, "dns"),
    "tcp_with_an_urgent_byte": (errno.EOPNOTSUPP, None),
    "udp_with_bytes_that_no_name_has": (NO_SUCH_NAME, "dns"),
    "udp_corked_by_another_level": (REFUSED, "option"),
    "udp_read_before_it_is_asked": (REFUSED, "tcp"),
    "forged_answer_in_the_gates_memory": (REFUSED, "tcp"),
    "forged_by_reads_at_an_offset": (REFUSED, "tcp"),
    "forged_by_splice": (REFUSED, "tcp"),
    "forged_by_a_copy": (REFUSED, "tcp"),
    "forged_by_a_program": (REFUSED, "tcp"),
    "tcp_connected_anew": (REFUSED, "reconnect"),
    "answers_of_our_own": (REFUSED, "dns"),
}


@pytest.fixture(scope="module")
def names(sandbox: Sandbox) -> Iterator[DnsServer]:
    many = [SERVER, *(f"198.51.100.{i % 250 + 1}" for i in range(300)), SERVER]
    crowd = {
        f"h{i}.wild.example": [f"{20 + i}.{i}.{31 * j + 1}.{(37 * i + 11 * j) % 250}" for j in range(8)]
        for i in range(100)
    }
    answers = crowd | {"allowed.example": [SERVER], "*.wild.example": [SERVER], "many.example": many, "*": [SERVER]}
    last = ["closing.wild.example"]
    with DnsServer(sandbox, answers, last=last) as server, WebServer(sandbox, (SERVER, 80), Receiver("hello")):
        yield server


def run(box: Sandbox, ways: Iterable[str], settings: dict[str, str]) -> tuple[dict[str, int | None], Completed]:
    done = run_inside(box, "queries", *ways, settings=settings)
    return last_line(done), done


def protocols(done: Completed) -> dict[str, list[str]]:
    return {way: [line["details"]["protocol"] for line in lines] for way, lines in alerts_by_way(done.stderr).items()}


def test_an_allowed_name_is_answered_and_may_be_used(sandbox: Sandbox, names: DnsServer) -> None:
    """Each in a process of its own: nothing was learned before."""
    counted = "True" in sandbox.run_command([PYTHON, "-c", COUNTS]).stdout  # qemu-user does not pass TCP_INFO on
    ways = [way for way in ALLOWED if counted or not way.startswith("tcp")]
    result, done = run(sandbox, ways, BLOCKED)
    assert (result, alerts(done)) == (dict.fromkeys(ways), []), done.stderr


def test_what_another_name_of_the_address_is_allowed_stays(sandbox: Sandbox, names: DnsServer) -> None:
    settings = BLOCKED | {"SHIELD_ALLOW_OUTBOUND": "*.wild.example:443,allowed.wild.example:80"}
    result, done = run(sandbox, ["two_names_of_two_rules"], settings)
    assert (result, alerts(done)) == ({"two_names_of_two_rules": None}, []), done.stderr


@pytest.mark.promise("outbound.own-entry")
def test_a_rule_is_not_had_by_a_name_that_looks_like_another(sandbox: Sandbox, names: DnsServer) -> None:
    way = "a_looser_rule_by_a_name_that_looks_like_it"
    settings = BLOCKED | {"SHIELD_ALLOW_OUTBOUND": "*.wild.example:443,allowed.example"}
    result, done = run(sandbox, [way], settings)
    assert result == {way: REFUSED}
    assert [a["details"]["port"] for a in alerts(done)] == [80]


def test_a_denied_name_is_not_asked(sandbox: Sandbox, names: DnsServer) -> None:
    names.questions.clear()
    result, done = run(sandbox, DENIED, BLOCKED)
    assert result == DENIED, done.stderr
    assert names.asked("denied") == []
    assert protocols(done) == {way: ["dns"] for way in DENIED}


@pytest.mark.promise("outbound.denied-names", "outbound.tcp-answers", "outbound.own-answers")
def test_nothing_leaves_in_odd_ways(sandbox: Sandbox, names: DnsServer) -> None:
    names.questions.clear()
    result, done = run(sandbox, OTHERWISE, BLOCKED)
    assert result == {way: error for way, (error, _) in OTHERWISE.items()}, done.stderr
    assert names.asked("denied") == []
    reported = protocols(done)
    assert [way for way, (_, protocol) in OTHERWISE.items() if protocol and protocol not in reported[way]] == []


LISTED = policy(deny_outbound="denied.example,*.denied.example,other-denied.example")


@pytest.mark.promise("deny.every-mode")
@pytest.mark.parametrize("mode", ["alert", "allow"])
def test_a_name_that_is_denied_in_every_mode_is_not_asked(sandbox: Sandbox, names: DnsServer, mode: str) -> None:
    names.questions.clear()
    result, done = run(sandbox, DENIED, LISTED | {"SHIELD_OUTBOUND_CONNECTIVITY": mode})
    assert result == DENIED, done.stderr
    assert names.asked("denied") == []
    reported = alerts_by_way(done.stderr)
    assert reported.keys() == DENIED.keys()
    for way, lines in reported.items():
        told = [(a["mode"], a.get("reason"), a["details"]["protocol"]) for a in lines]
        assert ("block", "deny_outbound", "dns") in told, way


def test_alert_mode_reports_and_asks(sandbox: Sandbox, names: DnsServer) -> None:
    names.questions.clear()
    result, done = run(sandbox, DENIED, BLOCKED | {"SHIELD_OUTBOUND_CONNECTIVITY": "alert"})
    assert result == dict.fromkeys(DENIED)
    reported = alerts_by_way(done.stderr)
    assert [way for way in DENIED if {a["mode"] for a in reported[way]} != {"alert"}] == []
    assert len(names.asked("denied")) >= len(DENIED) - len(("tcp_no_query", "tcp_more_than_was_announced"))


def test_alert_mode_is_not_taken_in(sandbox: Sandbox, names: DnsServer) -> None:
    """Names that a program chose so that their hashes are the same are two names."""
    ways = {"two_names_that_look_like_one": ["dns", "dns"], "an_answer_that_looks_like_anothers": ["dns", "tcp"]}
    result, done = run(sandbox, ways, BLOCKED | {"SHIELD_OUTBOUND_CONNECTIVITY": "alert"})
    assert (result, protocols(done)) == (dict.fromkeys(ways), ways)
