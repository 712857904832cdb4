"""What the timed clients talk to: `python servers.py CERTIFICATE`, unshielded, until its stdin ends.

A name server that knows one name, and the many that are learned for growth.py; the one name's plain and TLS web
servers, and its gRPC server. They do as little as they can, so that most of what is measured is the client's. Writes
the certificate authority's certificate to the file, then `ready` to stdout.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from network import GRPC, NAME, PLAIN, RESOLVER, SERVICE, TLS, emulated

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_HEADER = 12  # of a DNS message (RFC 1035, 4.1.1)
_TYPE_A = b"\0\1"
_LEARNED = re.compile(r"n-(\d+)\.learned\.example")


def address_of(name: str) -> bytes | None:
    """An IPv4 address; None where there is no such name."""
    if name == NAME:
        return socket.inet_aton(SERVICE)
    learned = _LEARNED.fullmatch(name)
    # A network for benchmarks (RFC 2544): no host is there.
    return (198 << 24 | 18 << 16 | int(learned[1]) + 1).to_bytes(4, "big") if learned else None


def answer(query: bytes) -> bytes:
    """The reply to one query: an address for a name, nothing for its other types, NXDOMAIN for all other names."""
    labels: list[str] = []
    end = _HEADER
    while length := query[end]:
        labels.append(query[end + 1 : end + 1 + length].decode().lower())
        end += 1 + length
    address, asks = address_of(".".join(labels)), query[end + 1 : end + 3]
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + address if address and asks == _TYPE_A else b""
    flags = b"\x81\x80" if address else b"\x81\x83"  # a recursive answer; NXDOMAIN
    counts = b"\0\1" + (b"\0\1" if record else b"\0\0") + b"\0\0\0\0"
    return query[:2] + flags + counts + query[_HEADER : end + 5] + record


def _serve_names(udp: socket.socket) -> None:
    while True:
        query, sender = udp.recvfrom(4096)
        udp.sendto(answer(query), sender)


def _converse(client: socket.socket) -> None:
    """One keep-alive connection. No request here has a body."""
    try:
        request = b""
        while data := client.recv(65536):
            request += data
            if request.endswith(b"\r\n\r\n"):
                client.sendall(_ANSWER)
                request = b""
    except OSError:
        pass  # a client that was killed between two rounds
    finally:
        client.close()


def _serve_web(listener: socket.socket, wrap: Callable[[socket.socket], socket.socket]) -> None:
    def begin(client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            wrapped = wrap(client)
        except OSError:  # ssl.SSLError is one
            client.close()
            return
        _converse(wrapped)

    while True:
        client, _ = listener.accept()
        threading.Thread(target=begin, args=(client,), daemon=True).start()


class _Echo(grpc.GenericRpcHandler):
    """Every method gives back its bytes."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        del handler_call_details
        return grpc.unary_unary_rpc_method_handler(lambda request, _: request)


def _start(target: Callable[..., None], *args: object) -> None:
    threading.Thread(target=target, args=args, daemon=True).start()


def main() -> None:
    """Serves until stdin ends."""
    authority = emulated("certificates").CertificateAuthority()
    Path(sys.argv[1]).write_bytes(authority.pem)
    tls: ssl.SSLContext = authority.server_context([NAME])

    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((RESOLVER, 53))
    _start(_serve_names, udp)
    _start(_serve_web, socket.create_server((SERVICE, PLAIN), backlog=128), lambda client: client)
    _start(
        _serve_web,
        socket.create_server((SERVICE, TLS), backlog=128),
        lambda client: tls.wrap_socket(client, server_side=True),
    )
    server = grpc.server(ThreadPoolExecutor(1), handlers=[_Echo()])
    server.add_insecure_port(f"{SERVICE}:{GRPC}")
    server.start()
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)  # the servers' threads are not waited for


if __name__ == "__main__":
    main()
