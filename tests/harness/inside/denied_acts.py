"""Ordinary ways to a host, each tried once: prints its errno (0: it went through), or a resolver's error."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import subprocess
import sys
from collections.abc import Callable

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


def resolve(name: str) -> None:
    socket.getaddrinfo(name, 443, socket.AF_INET)


def named(name: str, port: int) -> None:
    socket.create_connection((name, port), TRIES).close()


def question(name: bytes) -> bytes:
    labels = b"".join(bytes([len(label)]) + label for label in name.split(b"."))
    return struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def server() -> str:
    with open("/etc/resolv.conf") as file:
        return next(line.split()[1] for line in file if line.startswith("nameserver"))


def raw_query(query: bytes, to: str = "", port: int = 53) -> None:
    """Data leaves with the question itself, so no answer is waited for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(query, (to or server(), port))


def over_tcp(*pieces: bytes) -> None:
    with socket.create_connection((server(), 53), TRIES) as s:
        for piece in pieces:
            s.sendall(piece)


def in_a_program() -> None:
    """With an empty environment: the shield brings its list along."""
    code = f"import socket; raise SystemExit(socket.socket().connect_ex(('{ADDRESS}', 443)))"
    if status := subprocess.run([sys.executable, "-c", code], env={}, check=False).returncode:
        raise OSError(status, "in a program")


def tls(name: str | None, address: str = OTHER) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((address, 443), TRIES) as s, context.wrap_socket(s, server_hostname=name):
        pass


def asks_for(name: str) -> None:
    with socket.create_connection((OTHER, 80), TRIES) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % name.encode())
        assert b"200 OK" in s.recv(4096)


def tls_in_halves(name: str) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    hello = out.read()
    with socket.create_connection((OTHER, 443), TRIES) as s:
        s.sendall(hello[:40])
        s.sendall(hello[40:])


FRAMED = struct.pack(">H", len(question(b"denied.example"))) + question(b"denied.example")
ACTS = {
    "an address": lambda: stream(ADDRESS),
    "another port of it": lambda: stream(ADDRESS, 8080),
    "mapped into IPv6": lambda: stream(f"::ffff:{ADDRESS}", 443, socket.AF_INET6),
    "a datagram": lambda: datagram("sendto"),
    "a datagram's message": lambda: datagram("sendmsg"),
    "a connected datagram": lambda: datagram("connect"),
    "a datagram to port zero": lambda: datagram("sendto", 0),
    "a name": lambda: resolve("denied.example"),
    "in capitals, with a dot": lambda: resolve("DENIED.Example."),
    "below a wildcard": lambda: resolve("c2VjcmV0.bins.example"),
    "an international name": lambda: resolve("b\u00fccher.example"),
    "a query by hand": lambda: raw_query(question(b"denied.example")),
    "with other bytes in it": lambda: raw_query(question(b"a b!\xff.bins.example")),
    "no query": lambda: raw_query(question(b"denied.example")[:-3]),
    "a query over TCP": lambda: over_tcp(FRAMED),
    "in pieces": lambda: over_tcp(FRAMED[:9], FRAMED[9:]),
    "its name in TLS": lambda: tls("denied.example"),
    "in capitals in TLS": lambda: tls("DENIED.EXAMPLE"),
    "in halves in TLS": lambda: tls_in_halves("denied.example"),
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
    "a query to another port": lambda: raw_query(question(b"denied.example"), OTHER, 5353),
}


def outcome(act: Callable[[], None]) -> int | str | None:
    try:
        act()
    except socket.gaierror as error:
        return f"gaierror {error.errno}"
    except OSError as error:
        return error.errno
    return 0


TRIED = {"acts": ACTS, "pass": PASS, "nameless": NAMELESS}[sys.argv[1]]
print(json.dumps({name: outcome(act) for name, act in TRIED.items()}))
