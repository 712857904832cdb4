"""What is outside: a sandbox, and whatever leaves it. Nothing here believes what the program inside says."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from security.cases import scene
from security.cases.task import task
from shielded_function_emulator.composite import Composite
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import Sandbox

_NAMES = {"denied.example": ["203.0.113.9"], "*.denied.example": ["203.0.113.9"]}
_STAND_IN = ".shielded-function.invalid"
_ADDRESSES = ((socket.AF_INET, "203.0.113.9"), (socket.AF_INET6, "2001:db8::66"))


class World(Composite):
    """A sandbox with listeners, a name server and a place where marks are left."""

    def __init__(self, layer: Path, filtered: bool) -> None:
        folder = Path(task())
        self.sandbox = Sandbox(task=folder, layers=layer, filtered=filtered)
        self._before: scene.Tree = {}

    def enter_parts(self, stack: ExitStack) -> None:
        self._stack = stack
        stack.enter_context(self.sandbox)
        self._marks = self._bound(socket.AF_UNIX, socket.SOCK_DGRAM, "\0marks")
        self._datagrams = [self._bound(family, socket.SOCK_DGRAM, (ip, 9999)) for family, ip in _ADDRESSES]
        self._listeners = [self._bound(family, socket.SOCK_STREAM, (ip, 80)) for family, ip in _ADDRESSES]
        self._names = stack.enter_context(DnsServer(self.sandbox, _NAMES))

    def _bound(self, family: socket.AddressFamily, kind: socket.SocketKind, address: object) -> socket.socket:
        s = self._stack.enter_context(self.sandbox.socket(family, kind))
        if kind == socket.SOCK_STREAM:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(address)  # type: ignore[arg-type]
        if kind == socket.SOCK_STREAM:
            s.listen(64)
        s.setblocking(False)
        return s

    def prepare(self, which: str) -> None:
        """Before a case: /tmp as it expects it, and nothing left over from others."""
        tmp = self.sandbox.path("/tmp")
        scene.prepare(tmp, which)
        self._arrivals()
        self._before = scene.look(tmp)

    def effects(self) -> dict[str, object]:
        """What a case did that is to be seen from here; empty when nothing is."""
        found: dict[str, object] = self._arrivals()
        if changed := scene.changes(self._before, scene.look(self.sandbox.path("/tmp"))):
            found["tmp"] = changed
        return found

    def _arrivals(self) -> dict[str, object]:
        marks = _drain(lambda: self._marks.recv(4096))
        datagrams = [data for s in self._datagrams for data in _drain(lambda s=s: s.recv(4096))]
        connections = [1 for s in self._listeners for _ in _drain(lambda s=s: s.accept()[0].close() or b"")]
        # Asked instead of a denied name, so that the answer is the resolver's own.
        asked = sorted({question.name for question in self._names.questions if not question.name.endswith(_STAND_IN)})
        self._names.questions.clear()
        kinds = {"marks": marks, "datagrams": datagrams, "connections": connections, "asked": asked}
        return {kind: arrived for kind, arrived in kinds.items() if arrived}


def _drain(take: Callable[[], bytes]) -> list[bytes]:
    taken: list[bytes] = []
    while True:
        try:
            taken.append(take())
        except OSError:
            return taken
