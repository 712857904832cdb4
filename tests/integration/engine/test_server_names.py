"""The server name in a TLS connection's first bytes: what an address that was allowed by name may be called.

A server at that address remembers every byte that reaches it. A claim holds when the foreign name is not among them.
"""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.recorder import Recorder
from harness.running import PYTHON, SHIELD, alerts, alerts_by_way, last_line, policy, run_inside, whole_sandbox
from harness.ways import ways
from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.machine import is_emulated
from shielded_function_emulator.sandbox import Completed, Sandbox
from shielded_function_emulator.web import Receiver, WebServer

pytestmark = pytest.mark.promise("outbound.tls-name")

SERVER, LISTED = "203.0.113.9", "198.51.100.9"
RESETS = 5432
REFUSED = errno.EACCES
CHECKED = policy(outbound_connectivity="block") | {
    "SHIELD_ALLOW_OUTBOUND": f"allowed.example,aaaa.example:443,{LISTED}",
    "SHIELD_ALLOW_AWS": "none",
}
IN_ALERT_MODE = CHECKED | {"SHIELD_OUTBOUND_CONNECTIVITY": "alert"}
CONNECTED_LATER = "inherited_before_it_is_connected"

# How a foreign name may be said, and how that ends.
WAYS = ways("server_names.py", "lost_peers.py", "passing_names.py")
FOREIGN = dict.fromkeys(WAYS["foreign"], REFUSED) | {
    **dict.fromkeys(("pwritev2", "sendfile", "splice"), errno.EINVAL),
    **dict.fromkeys(("after_urgent_data", "fast_open_by_option"), errno.EOPNOTSUPP),
    "zero_copy": errno.ENOBUFS,
    "asynchronous": errno.ENOSYS,
    "by_another_tcp": errno.EPROTONOSUPPORT,
    "said_to_have_been_seen": errno.ENOPROTOOPT,
}
# Reported by no line: programs go another way, which is judged.
SILENT = {way for way, error in FOREIGN.items() if error != REFUSED}
# In alert mode too.
NOT_THERE = SILENT - {"by_another_tcp"}
PASSING = WAYS["passing"]
# Where a name is not looked for: TLS that begins behind something else; a second hello's name, which some servers take
# (RFC 8446, 4.1.4); the inner name of a hello that looks like what browsers send with every name.
SECOND = ("behind_a_record_of_no_known_kind", "in_a_second_hello")
NOT_SEEN = ("other_protocol", *SECOND, "encrypted_behind_an_allowed_name")
# qemu-user passes neither SO_LOCK_FILTER nor SO_ZEROCOPY on to the kernel: these are refused there, come what may.
NOT_PASSED_ON = {"allowed_name", "a_copy_made_before", "zero_copy", *(w for w in PASSING if "handed" in w)}
UNKNOWN = NOT_PASSED_ON if is_emulated() else set[str]()


@pytest.fixture(scope="module")
def box(layer: Path, task: Path) -> Iterator[Sandbox]:
    authority = CertificateAuthority()
    (task / "authority.pem").write_bytes(authority.pem)
    with whole_sandbox(task, layer) as sandbox:
        names = {"allowed.example": [SERVER], "aaaa.example": [SERVER], "other.example": [SERVER]}
        tls = authority.server_context(["allowed.example"])
        with DnsServer(sandbox, names), WebServer(sandbox, (SERVER, 8443), Receiver("hello"), tls):
            yield sandbox


@pytest.fixture
def server(box: Sandbox) -> Iterator[Recorder]:
    recorders = [Recorder(box, SERVER), Recorder(box, LISTED), Recorder(box, SERVER, RESETS, resets=True)]
    yield recorders[0]
    for recorder in recorders:
        recorder.close()


def run(box: Sandbox, ways: Iterable[str], settings: dict[str, str]) -> tuple[Any, Completed]:
    """All ways in one process: with which errno each ended, by its name."""
    done = run_inside(box, "server_names", *ways, settings=settings)
    return last_line(done), done


def said(server: Recorder) -> set[str]:
    """The ways whose foreign name arrived."""
    server.settle()
    return {way.decode() for way in re.findall(rb"by\.(\w+)\.evil\.example", server.received)}


def reported(done: Completed) -> set[str]:
    return {way for way, lines in alerts_by_way(done.stderr).items() if lines}


CONNECTS = "import socket, sys; socket.create_connection((sys.argv[1], 443), 5); print('connected')"
STARTS = f"""
import socket, subprocess, sys
address = sys.argv[1] or socket.getaddrinfo("allowed.example", 443)[0][4][0]
claim = {{"SHIELD_STATE_LEARNT": f"0/{{address}}/allowed.example"}}
done = subprocess.run([sys.executable, "-c", {CONNECTS!r}, address], env=claim, capture_output=True, text=True)
print((done.stdout or done.stderr).splitlines()[-1])
"""


@pytest.mark.usefixtures("server")
def test_a_program_may_connect_to_what_its_parent_learned(box: Sandbox) -> None:
    """It may be given an address; what somebody puts into its environment counts for nothing."""
    for address, says in (("", "connected"), ("203.0.113.77", "PermissionError: [Errno 13] Permission denied")):
        done = box.run_command([SHIELD, PYTHON, "-c", STARTS, address], environment=CHECKED)
        assert done.stdout.splitlines()[-1] == says, done.stderr


def test_a_foreign_name_does_not_arrive(box: Sandbox, server: Recorder) -> None:
    result, done = run(box, FOREIGN, CHECKED)
    assert result == FOREIGN, done.stderr
    assert said(server) == set()
    assert reported(done) == FOREIGN.keys() - SILENT


DENIED = policy(deny_outbound="*.denied.example,*.evil.example") | {"SHIELD_ALLOW_OUTBOUND": LISTED}


@pytest.mark.promise("deny.every-mode")
@pytest.mark.parametrize("mode", ["alert", "allow"])
def test_a_name_that_is_denied_in_every_mode_does_not_arrive(box: Sandbox, server: Recorder, mode: str) -> None:
    ways = FOREIGN.keys() - SILENT - {"without_a_name"}
    result, done = run(box, ways, DENIED | {"SHIELD_OUTBOUND_CONNECTIVITY": mode})
    assert said(server) == set()
    assert result == {way: FOREIGN[way] for way in ways}, done.stderr
    assert reported(done) == ways
    for way, lines in alerts_by_way(done.stderr).items():
        denied = [a for a in lines if a.get("reason") == "deny_outbound"]
        assert {(a["mode"], a["severity"], "allow" in a) for a in denied} == {("block", "critical", False)}, way


def test_threads_of_ones_own_get_a_write_past_the_look(box: Sandbox, server: Recorder) -> None:
    """A limit (docs/security/limits.md): the write waited while its number became a connection."""
    way = "a_write_that_waits_meanwhile"
    assert run(box, [way], CHECKED)[0] == {way: None}
    assert server.hears(b"evil.example")


# Refused for what has not been seen, whatever is checked then: alert mode shows below that they are real.
ABSENT = (SILENT - {"zero_copy"}) | {"handed_over", "handed_over_before_it_is_connected"}


def test_the_attempts_are_real(box: Sandbox, server: Recorder) -> None:
    """With the check off, each of them gets through: what stopped it above was the check."""
    ways = FOREIGN.keys() - ABSENT
    result, _ = run(box, ways, CHECKED | {"SHIELD_CHECK_TLS_NAME": "off"})
    assert result == dict.fromkeys(ways)
    assert said(server) >= ways - {"without_a_name", "zero_copy"}


@pytest.mark.promise("outbound.allowed-tls")
@pytest.mark.parametrize("mode", ["block", "alert", "allow"])
def test_what_is_allowed_passes(box: Sandbox, server: Recorder, mode: str) -> None:
    ways = [way for way in PASSING if way not in UNKNOWN]
    result, done = run(box, ways, CHECKED | {"SHIELD_OUTBOUND_CONNECTIVITY": mode})
    assert result == dict.fromkeys(ways), done.stderr
    assert alerts(done) == []
    if "allowed_name" in ways:
        assert server.hears(b"what follows is not looked at")
        assert server.hears(b"handed over in the midst")
    for part in (b"ALLOWED.Example", b"evil-in-a-header"):
        assert server.hears(part)
    assert server.received.count(b"P") >= 5_000_000
    assert server.received.count(b"Q") >= 120_000


def test_a_program_that_may_list_nothing_looks_at_everything(layer: Path, box: Sandbox) -> None:
    way = "in_a_program_that_may_list_nothing"
    with contextlib.ExitStack() as stack:
        unfiltered = stack.enter_context(Sandbox(task=box.task, layers=layer, filtered=False))  # Lambda has no Landlock
        stack.enter_context(DnsServer(unfiltered, {"allowed.example": [SERVER]}))
        server = stack.enter_context(contextlib.closing(Recorder(unfiltered, SERVER)))
        real, _ = run(unfiltered, [way], CHECKED | {"SHIELD_CHECK_TLS_NAME": "off"})
        if real == {way: errno.ENOSYS}:
            pytest.skip("this kernel has no Landlock")
        assert real == {way: None}
        assert server.hears(b"evil.example")
        server.forget()
        result, done = run(unfiltered, [way], CHECKED)
    assert (result, [a["details"]["sni"] for a in alerts(done)]) == ({way: REFUSED}, [f"by.{way}.evil.example"])
    assert b"evil.example" not in server.received


# Of a way that passes: the settings, what each alert says (mode, protocol, server name), and what arrives.
ALONE = {
    # RFC 6066 has no address for a name, and some clients send one: it hides none.
    "an_address_as_name": (DENIED | {"SHIELD_OUTBOUND_CONNECTIVITY": "allow"}, [], b"203.0.113.9"),
    # It passes, but not unseen.
    "encrypted": (CHECKED, [("alert", "tls", "front.example")], b"front.example"),
    # A limit (docs/security/limits.md): a parent connects it later.
    CONNECTED_LATER: (IN_ALERT_MODE, [], f"by.{CONNECTED_LATER}.evil.example".encode()),
    # Its name was reported when it was resolved and connected to: its own ClientHello says nothing new.
    "allowed_name": (
        IN_ALERT_MODE | {"SHIELD_ALLOW_OUTBOUND": ""}, [("alert", "dns", None), ("alert", "tcp", None)], b"",
    ),
}  # fmt: skip


@pytest.mark.promise("outbound.tls-name", "deny.every-mode")
@pytest.mark.parametrize("way", ALONE)
def test_what_passes_is_told_as_it_should(box: Sandbox, server: Recorder, way: str) -> None:
    settings, told, arrives = ALONE[way]
    result, done = run(box, [way], settings)
    assert result == {way: None}
    assert [(a["mode"], a["details"]["protocol"], a["details"].get("sni")) for a in alerts(done)] == told
    assert server.hears(arrives)


def test_what_had_another_peer_is_not_connected_by_name(box: Sandbox, server: Recorder) -> None:
    """Whoever is sending by the peer of before, at that moment, must not get this one."""
    way = "allowed_name_on_a_connection_taken_back"
    result, done = run(box, [way], CHECKED)
    assert (result, [a["details"]["protocol"] for a in alerts(done)]) == ({way: REFUSED}, ["reconnect"])
    result, _ = run(box, [way], policy())
    assert result == {way: None}


def test_what_the_alert_says_and_suggests_is_enough(box: Sandbox, server: Recorder) -> None:
    _, done = run(box, ["send", "without_a_name"], CHECKED)
    named, nameless = alerts(done)
    details = {"host": "allowed.example", "ip": SERVER, "port": 443, "protocol": "tls", "syscall": "sendto"}
    assert (named["details"], nameless["details"]) == (details | {"sni": "by.send.evil.example"}, details)
    assert (named["allow"], nameless["allow"]) == ("by.send.evil.example:443", f"{SERVER}:443")
    listed = ",".join([CHECKED["SHIELD_ALLOW_OUTBOUND"], named["allow"], nameless["allow"]])
    ways = ["send", "without_a_name", "in_two_records"]
    result, done = run(box, ways, CHECKED | {"SHIELD_ALLOW_OUTBOUND": listed})
    assert (result, alerts(done)) == (dict.fromkeys(ways), [])


@pytest.mark.promise("outbound.alert-names")
def test_alert_mode_reports_and_sends(box: Sandbox, server: Recorder) -> None:
    """What the gate could not read does not exist there either, or it is reported."""
    ways = FOREIGN.keys() - UNKNOWN - {CONNECTED_LATER}
    result, done = run(box, ways, IN_ALERT_MODE)
    assert result == {way: FOREIGN[way] if way in NOT_THERE else None for way in ways}, done.stderr
    assert {a["mode"] for a in alerts(done)} == {"alert"}
    assert reported(done) == ways - NOT_THERE
    assert said(server) == ways - NOT_THERE - {"without_a_name"}


def test_a_name_that_is_not_looked_for_is_not_seen(box: Sandbox, server: Recorder) -> None:
    """Limits (docs/security/limits.md)."""
    result, done = run(box, NOT_SEEN, CHECKED)
    assert (result, alerts(done)) == (dict.fromkeys(NOT_SEEN), [])
    assert said(server) == set(SECOND)
    assert server.hears(b"Host: evil-in-a-header")
    assert server.hears(b"allowed.example")
