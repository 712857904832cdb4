"""What Java's attempts are made at: a web server, a sink for datagrams and a name server in the function's own network,
and files in its /tmp. Nothing here believes what the function says."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from contextlib import ExitStack

from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_emulator.composite import Composite
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_emulator.web import Receiver, WebServer

SERVER, SERVER_V6, PARTNER = "203.0.113.9", "2001:db8::66", "198.51.100.9"
# Asked instead of a denied name, so that the answer is the resolver's own.
_STAND_IN = ".shielded-function.invalid"
_OWN_NAME = "emulated-lambda"  # Java 8 asks for it when it seeds a SecureRandom; a function may ask for its own name
_NAMES = {"*.denied.example": [SERVER], "partner.example": [PARTNER], "foreign.example": [PARTNER]}


class World(Composite):
    """Starts the servers in a sandbox, and tells what reached them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._web, self._partner = Receiver("hello"), Receiver("hello")

    def enter_parts(self, stack: ExitStack) -> None:
        tls = CertificateAuthority().server_context(["partner.example"])
        self._dns = stack.enter_context(DnsServer(self._sandbox, _NAMES))
        for server in (
            WebServer(self._sandbox, (SERVER, 80), self._web),
            WebServer(self._sandbox, (SERVER_V6, 80), self._web),
            WebServer(self._sandbox, (PARTNER, 443), self._partner, tls),
        ):
            stack.enter_context(server)
        self._sink = stack.enter_context(self._sandbox.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._sink.bind((SERVER, 9999))
        self._sink.setblocking(False)

    def prepare(self, names: Iterable[str]) -> None:
        """A file of its own in /tmp/given for every attempt."""
        tmp = self._sandbox.path("/tmp")
        owner = tmp.stat()
        (tmp / "given").mkdir()
        for name in names:
            (tmp / "given" / name).write_text(f"given to {name}\n")
        for path in (tmp / "given", *(tmp / "given").iterdir()):
            os.chown(path, owner.st_uid, owner.st_gid)
        self._before = self._files()

    def effects(self) -> dict[str, list[str]]:
        """What came of the attempts, seen from here; empty when nothing did."""
        requests = [request.host for request in self._web.requests]
        asked = sorted({q.name for q in self._dns.questions if not q.name.endswith((_STAND_IN, _OWN_NAME))})
        found = {"requests": requests, "datagrams": self._datagrams(), "asked": asked, "tmp": self._changes()}
        return {kind: arrived for kind, arrived in found.items() if arrived}

    def _datagrams(self) -> list[str]:
        taken: list[str] = []
        while True:
            try:
                taken.append(self._sink.recv(4096).decode())
            except OSError:
                return taken

    def _files(self) -> dict[str, tuple[object, ...]]:
        tmp = self._sandbox.path("/tmp")
        found: dict[str, tuple[object, ...]] = {}
        for path in tmp.rglob("*"):
            st = path.lstat()
            content = () if path.is_dir() else (oct(st.st_mode), st.st_size, st.st_mtime_ns, st.st_nlink)
            found[str(path.relative_to(tmp))] = content
        return found

    def _changes(self) -> list[str]:
        """Paths below /tmp that came, went or changed; HotSpot's counters change all the time."""
        before, after = self._before, self._files()
        names = sorted(name for name in before.keys() | after.keys() if not name.startswith("hsperfdata_"))
        return [name for name in names if before.get(name) != after.get(name)]
