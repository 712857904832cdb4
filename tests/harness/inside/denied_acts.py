"""Ordinary ways to a host, each tried once: prints the errno that each ended with, or null."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

from hellos import unchecked
from questions import RESOLVER, over_tcp, query
from ways import raise_from, refusal

ADDRESS, OTHER = "203.0.113.66", "198.51.100.9"
TRIES = 5


def stream(address: str, port: int = 443, family: int = socket.AF_INET) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(TRIES)
        s.connect((address, port))


def datagram(way: str, port: int = 9999, address: str = ADDRESS) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        if way == "connect":
            s.connect((address, port))
            s.send(b"x")
        elif way == "sendmsg":
            s.sendmsg([b"x"], [], 0, (address, port))
        else:
            s.sendto(b"x", (address, port))


def named(name: str, port: int) -> None:
    socket.create_connection((name, port), TRIES).close()


def ask(question: bytes, *to: object) -> None:
    """Data leaves with the question itself, so no answer is waited for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(question, to or RESOLVER)


def in_a_program() -> None:
    """With an empty environment: the shield brings its list along."""
    code = f"import socket; raise SystemExit(socket.socket().connect_ex(('{ADDRESS}', 443)))"
    raise_from(subprocess.run([sys.executable, "-c", code], env={}, check=False).returncode)


def tls(name: str | None, address: str = OTHER) -> None:
    with (
        socket.create_connection((address, 443), TRIES) as s,
        unchecked().wrap_socket(s, server_hostname=name),
    ):
        pass


def asks_for(name: str) -> None:
    with socket.create_connection((OTHER, 80), TRIES) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % name.encode())
        assert b"200 OK" in s.recv(4096)


ACTS = {
    "an address": lambda: stream(ADDRESS),
    "another port of it": lambda: stream(ADDRESS, 8080),
    "mapped into IPv6": lambda: stream(f"::ffff:{ADDRESS}", 443, socket.AF_INET6),
    "a datagram": lambda: datagram("sendto"),
    "a datagram's message": lambda: datagram("sendmsg"),
    "a connected datagram": lambda: datagram("connect"),
    "a datagram to port zero": lambda: datagram("sendto", 0),
    "a name": lambda: named("denied.example", 443),
    "in capitals, with a dot": lambda: named("DENIED.Example.", 443),
    "below a wildcard": lambda: named("c2VjcmV0.bins.example", 443),
    "an international name": lambda: named("b\u00fccher.example", 443),
    "a query by hand": lambda: ask(query("denied.example")),
    "with other bytes in it": lambda: ask(query("a b!\xff.bins.example")),
    "no query": lambda: ask(query("denied.example")[:-3]),
    "a query over TCP": lambda: over_tcp(query("denied.example")),
    "its name in TLS": lambda: tls("denied.example"),
    "in capitals in TLS": lambda: tls("DENIED.EXAMPLE"),
    "by its address in TLS": lambda: tls("other.example", ADDRESS),
    "a denied port of a name": lambda: named("ssh.example", 22),
    "an address in a program": in_a_program,
    "two names with one port": lambda: stream("198.51.100.23", 22),
}
PASS = {
    "another name": lambda: named("other.example", 443),
    "another name in TLS": lambda: tls("other.example"),
    "no name in TLS": lambda: tls(None),
    "another port of that name": lambda: named("ssh.example", 443),
    "another datagram": lambda: datagram("sendto", 9999, OTHER),
}
NAMELESS = {
    "an alias of a denied name": lambda: named("alias.example", 443),
    "its name in a header": lambda: asks_for("denied.example"),
    "a query to another port": lambda: ask(query("denied.example"), OTHER, 5353),
}

TRIED = {"acts": ACTS, "pass": PASS, "nameless": NAMELESS}[sys.argv[1]]
print(json.dumps({name: refusal(act) for name, act in TRIED.items()}))
