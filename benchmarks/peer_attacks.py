"""Twenty attempts, five for each policy, under each peer.

Stopped, and whether a line said so, or missed: then it had its effect, which the attempt itself saw or, where something
is sent, the listeners here. Without a peer all have it, or they would show nothing.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from measure import Side
from network import RESOLVER, emulated
from peer_sides import NATIVE, PEERS, TASK, Built, of_node, of_python
from rows import MeasurementError

ATTEMPTS = {
    "outbound": ("connect4", "connect6_raw", "udp_sendto", "dns_lookup", "dns_by_hand"),
    "/tmp": ("tmp_open", "tmp_raw", "tmp_relative", "tmp_symlink", "tmp_openat2"),
    "child": ("run_vfork", "spawn_loader", "run_system", "fork_execve_raw", "memfd_exec"),
    "handler": ("read_open", "read_symlink", "read_raw", "read_openat2", "read_reopened"),
}
EVERY = tuple(name for names in ATTEMPTS.values() for name in names)
STOPPED, REPORTED, MISSED = "stopped", "stopped, reported", "missed"
_ALLOWED = ["file", "local", "program", "resolver"]
_OTHER_IPV4, _OTHER_IPV6 = "203.0.113.9", "2001:db8::66"
_RUNTIME_API = ("127.0.0.1", 9001)
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
_LABELS = {b"c2vjcmv0": "dns_lookup", b"agfuza": "dns_by_hand"}
_SECONDS, _ON_ITS_WAY = 20.0, 0.05


class World:
    """Listeners at addresses that no policy allows, the resolver, and a Runtime API."""

    def __init__(self) -> None:
        self.arrived: set[str] = set()
        emulated("loopback").bring_up([f"{_OTHER_IPV6}/128"])
        self._accept(socket.create_server((_OTHER_IPV4, 443)), "connect4")
        self._accept(socket.create_server((_OTHER_IPV6, 443), family=socket.AF_INET6), "connect6_raw")
        self._accept(socket.create_server(_RUNTIME_API), "")
        self._hear((_OTHER_IPV4, 443))
        self._hear((RESOLVER, 53))

    def _accept(self, listener: socket.socket, name: str) -> None:
        def serve() -> None:
            while True:
                client, _ = listener.accept()
                self.arrived.add(name)
                if not name:
                    client.recv(4096)
                    client.sendall(_ANSWER)
                client.close()

        threading.Thread(target=serve, daemon=True).start()

    def _hear(self, address: tuple[str, int]) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind(address)

        def hear() -> None:
            while True:
                data, sender = listener.recvfrom(4096)
                if address[1] != 53:
                    self.arrived.add("udp_sendto")
                elif len(data) > 12:
                    self.arrived.update(name for label, name in _LABELS.items() if label in data.lower())
                    listener.sendto(data[:2] + b"\x81\x83\0\1\0\0\0\0\0\0" + data[12:], sender)  # NXDOMAIN

        threading.Thread(target=hear, daemon=True).start()


def make_task() -> None:
    """The handler that is to be read, another name for it, and a link to /tmp."""
    TASK.mkdir(parents=True, exist_ok=True)
    (TASK / "app.py").write_text("# HANDLER-SECRET\n")
    (TASK / "app.js").write_text("// HANDLER-SECRET\n")
    for name, target in (("alias.py", "app.py"), ("alias.js", "app.js"), ("link", "/tmp")):
        (TASK / name).unlink(missing_ok=True)
        (TASK / name).symlink_to(target)


def attack(built: Built, report: Callable[[str], None]) -> dict[str, dict[str, str]]:
    """The result of each attempt, by peer. Raises MeasurementError when an attempt shows nothing even without one."""
    make_task()
    world = World()
    found: dict[str, dict[str, str]] = {}
    for language, sides, argv in (
        ("Python", of_python(built), (sys.executable, str(PEERS / "attempts.py"))),
        ("JavaScript", of_node(built), (str(PEERS / "attempts.cjs"),)),
    ):
        for side in sides:
            name = f"{side.name}, {language}"
            report(name)
            found[name] = {what: _attempt(world, side, argv, what, built.attempts) for what in ("allowed", *EVERY)}
            if side.name == NATIVE and (futile := [what for what in EVERY if found[name][what] != MISSED]):
                raise MeasurementError(f"{name}: these attempts have no effect: {', '.join(futile)}")
    return found


def _attempt(world: World, side: Side, argv: tuple[str, ...], name: str, native: Path) -> str:
    for left in Path("/tmp").iterdir():
        if left.is_file():
            left.unlink()
    world.arrived.clear()
    environment = {
        **side.environment,
        "_HANDLER": "app.handler",
        "LAMBDA_TASK_ROOT": str(TASK),
        "AWS_LAMBDA_RUNTIME_API": "{}:{}".format(*_RUNTIME_API),
        "PEER_ATTEMPT": name,
        "PEER_NATIVE": str(native),
    }
    try:
        done = subprocess.run(
            side.command(*argv, name),
            env=environment,
            cwd=TASK,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{STOPPED}, and hung"
    time.sleep(_ON_ITS_WAY)
    if name == "allowed":
        missing = [what for what in _ALLOWED if what not in done.stdout.split()]
        return f"without {', '.join(missing)}" if missing else "all"
    if name in world.arrived or (name not in ATTEMPTS["outbound"] and "GOT" in done.stdout):
        return MISSED
    said = any('"function_shield":true' in line and '"policy":' in line for line in done.stderr.splitlines())
    return REPORTED if said else STOPPED
