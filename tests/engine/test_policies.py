"""Every ordinary spelling of what a policy forbids, in each mode, with its effect looked at.

Each attempt runs unshielded first: one that could not succeed anyway would prove nothing.
"""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator

import pytest

from emulated_lambda.dns_server import DnsServer
from emulated_lambda.sandbox import Sandbox
from engine.running import Outcome, attempt_names, policy, prepare_tmp, run_attempts

TMP = attempt_names("tmp")
CHILD = attempt_names("child")
NET = attempt_names("net")

EAI_NONAME = 1002
# What a denied attempt is to look like, where it is not EACCES.
REFUSALS = {
    "net_resolve": EAI_NONAME,
    "net_connect_by_name": EAI_NONAME,
    "net_resolve_labels": None,  # the attempt swallows it; the name server is asked below
    "net_connected_query_by_write": errno.EDESTADDRREQ,
}
# Attempts that do not come to be judged: the kernel itself refuses them once the socket has no peer.
SILENT = {"net_connected_query_by_write"}

# Attempts that are more than one call, or name two paths.
ALERTS = {
    "child_by_path_search": 2,
    "child_fexecve": 2,
    "tmp_rename": 2,
    "tmp_link": 2,
    "tmp_copy": 1,
    "net_connect_by_name": 2,
    "net_udp_connect": 1,
}

MODES = ("unshielded", "allow", "alert", "block")


def one_by_one(sandbox: Sandbox, names: list[str], settings: dict[str, str] | None) -> dict[str, Outcome]:
    """Attempts in /tmp change it for each other, so each gets it fresh."""
    results: dict[str, Outcome] = {}
    for name in names:
        prepare_tmp(sandbox)
        results |= run_attempts(sandbox, [name], settings)
    return results


@pytest.fixture(scope="module")
def internet(sandbox: Sandbox) -> Iterator[DnsServer]:
    listeners = []
    for family, address in ((socket.AF_INET, "203.0.113.9"), (socket.AF_INET6, "2001:db8::66")):
        listener = sandbox.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, 80))
        listener.listen(64)
        listeners.append(listener)
    names = {"denied.example": ["203.0.113.9"], "allowed.example": ["203.0.113.9"], "*.denied.example": ["203.0.113.9"]}
    with DnsServer(sandbox, names) as server:
        yield server
    for listener in listeners:
        listener.close()


@pytest.fixture(scope="module")
def datagrams(sandbox: Sandbox) -> Iterator[list[bytes]]:
    """What arrives at UDP 9999, at either address."""
    arrived: list[bytes] = []
    sockets = []

    def serve(s: socket.socket) -> None:
        try:
            while data := s.recv(2048):
                arrived.append(data)
        except OSError:
            return

    for family, address in ((socket.AF_INET, "203.0.113.9"), (socket.AF_INET6, "2001:db8::66")):
        s = sandbox.socket(family, socket.SOCK_DGRAM)
        s.bind((address, 9999))
        sockets.append(s)
        threading.Thread(target=serve, args=(s,), daemon=True).start()
    yield arrived
    for s in sockets:
        s.close()


@pytest.fixture(scope="module")
def tmp_results(sandbox: Sandbox) -> dict[str, dict[str, Outcome]]:
    return {
        mode: one_by_one(sandbox, TMP, None if mode == "unshielded" else policy(read_write_tmp=mode)) for mode in MODES
    }


@pytest.fixture(scope="module")
def child_results(sandbox: Sandbox) -> dict[str, dict[str, Outcome]]:
    return {
        mode: run_attempts(sandbox, CHILD, None if mode == "unshielded" else policy(create_child_process=mode))
        for mode in MODES
    }


@pytest.fixture(scope="module")
def net_results(sandbox: Sandbox, internet: DnsServer, datagrams: list[bytes]) -> dict[str, dict[str, Outcome]]:
    results = {}
    for mode in MODES:
        asked_before, arrived_before = len(internet.questions), len(datagrams)
        settings = None if mode == "unshielded" else policy(outbound_connectivity=mode)
        results[mode] = run_attempts(sandbox, NET, settings)
        asked = internet.questions[asked_before:]
        if mode == "block":
            assert not [q for q in asked if "denied" in q.name], "a denied name reached the resolver"
            assert datagrams[arrived_before:] == [], "a denied datagram arrived"
        elif mode != "unshielded":
            assert [q for q in asked if q.name == "c2vjcmv0.labels.denied.example"]
    return results


def check(results: dict[str, dict[str, Outcome]], name: str, policy_name: str) -> None:
    assert results["unshielded"][name].errno is None, "cannot succeed unshielded: proves nothing"
    assert results["allow"][name] == Outcome(None, ())
    blocked, alerted = results["block"][name], results["alert"][name]
    assert blocked.errno == REFUSALS.get(name, errno.EACCES)
    if name in SILENT:
        return
    assert alerted.errno is None, "an alert must not change what happens"
    for outcome, mode in ((blocked, "block"), (alerted, "alert")):
        assert outcome.alerts, f"no alert in mode {mode}"
        assert {(a["policy"], a["mode"]) for a in outcome.alerts} == {(policy_name, mode)}
        assert len(outcome.alerts) <= ALERTS.get(name, 1), "more than one line for one attempt"


@pytest.mark.parametrize("name", TMP)
def test_read_write_tmp(tmp_results: dict[str, dict[str, Outcome]], name: str) -> None:
    check(tmp_results, name, "read_write_tmp")


@pytest.mark.parametrize("name", CHILD)
def test_create_child_process(child_results: dict[str, dict[str, Outcome]], name: str) -> None:
    check(child_results, name, "create_child_process")


@pytest.mark.parametrize("name", NET)
def test_outbound_connectivity(net_results: dict[str, dict[str, Outcome]], name: str) -> None:
    check(net_results, name, "outbound_connectivity")
