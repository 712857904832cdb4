"""A name server on sockets of the sandbox's network: answers from a table, and remembers every question."""

from __future__ import annotations

import contextlib
import fnmatch
import ipaddress
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import NamedTuple

from dnslib import AAAA, QTYPE, RCODE, RR, TXT, A, DNSError, DNSRecord
from typing_extensions import Self

from shielded_function_emulator.sandbox import RESOLVER, Sandbox

PORT = 53
_MAX_MESSAGE = 65535
_IDLE_SECONDS = 5.0
_TTL = 60

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Question(NamedTuple):
    """A name, lower case and without the final dot, a record type (`A`, `TXT`), and the transport (`udp`, `tcp`)."""

    name: str
    kind: str
    transport: str


class DnsServer:
    """Answers A, AAAA and TXT at the sandbox's resolver address, over UDP and TCP.

    `names`: host names, or globs such as `*.evil.example`, to addresses of either family. A name that none covers
    does not exist (NXDOMAIN); one without an address of the wanted type gets an empty answer. `texts`: the TXT records
    of such names. `last`: names after whose answer over TCP it hangs up. `patience`: seconds after which it resets a
    connection without a query.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        names: Mapping[str, Sequence[str]],
        address: str = RESOLVER,
        texts: Mapping[str, Sequence[str]] | None = None,
        last: Sequence[str] = (),
        patience: float = _IDLE_SECONDS,
    ) -> None:
        self._names = {
            pattern.lower(): [ipaddress.ip_address(a) for a in addresses] for pattern, addresses in names.items()
        }
        self._texts = {name.lower(): texts for name, texts in (texts or {}).items()}
        self._last = last
        self._patience = patience
        self._sandbox = sandbox
        self._address = address
        self.questions: list[Question] = []

    def __enter__(self) -> Self:
        self._udp = self._sandbox.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = self._sandbox.socket(socket.AF_INET, socket.SOCK_STREAM)
        for opened in (self._udp, self._tcp):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((self._address, PORT))
        self._tcp.listen()
        for target in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=target, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for opened in (self._udp, self._tcp):
            # Wakes the thread that waits on it, which close() alone does not.
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def asked(self, fragment: str) -> list[Question]:
        """The questions whose name contains `fragment`."""
        return [question for question in self.questions if fragment.lower() in question.name]

    def addresses(self, name: str) -> list[str]:
        """The addresses of a name, of both families."""
        return [str(address) for address in self.find(name.lower()) or ()]

    def find(self, name: str) -> Sequence[Address] | None:
        """The addresses of a name, lower case and without the final dot; None: there is no such name."""
        return next((found for pattern, found in self._names.items() if fnmatch.fnmatchcase(name, pattern)), None)

    def answer(self, message: bytes, transport: str) -> bytes | None:
        """The reply to one query; None where the message is no query."""
        try:
            query = DNSRecord.parse(message)
            name = str(query.q.qname).rstrip(".").lower()
            kind = str(QTYPE[query.q.qtype])
        except (DNSError, ValueError, AttributeError):
            return None
        self.questions.append(Question(name, kind, transport))
        reply = query.reply()
        found = self.find(name)
        if found is None:
            reply.header.rcode = RCODE.NXDOMAIN
            return bytes(reply.pack())
        records = {4: ("A", QTYPE.A, A), 6: ("AAAA", QTYPE.AAAA, AAAA)}
        for address in found:
            record, number, data = records[address.version]
            if record == kind:
                reply.add_answer(RR(query.q.qname, number, rdata=data(str(address)), ttl=_TTL))
        for text in self._texts.get(name, ()) if kind == "TXT" else ():
            reply.add_answer(RR(query.q.qname, QTYPE.TXT, rdata=TXT(text), ttl=_TTL))
        return bytes(reply.pack())

    def _serve_udp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                message, sender = self._udp.recvfrom(_MAX_MESSAGE)
                if (reply := self.answer(message, "udp")) is not None:
                    self._udp.sendto(reply, sender)
                elif not sender:
                    return

    def _serve_tcp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._tcp.accept()
                threading.Thread(target=self._converse, args=(client,), daemon=True).start()

    def _converse(self, client: socket.socket) -> None:
        client.settimeout(self._patience)
        with client, contextlib.suppress(OSError, EOFError):
            try:
                self._answer_all(client)
            except TimeoutError:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _answer_all(self, client: socket.socket) -> None:
        while True:
            (size,) = struct.unpack("!H", _exactly(client, 2))
            reply = self.answer(_exactly(client, size), "tcp") or b""
            client.sendall(struct.pack("!H", len(reply)) + reply)
            if self.questions and self.questions[-1].name in self._last:
                return


def _exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = client.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data
