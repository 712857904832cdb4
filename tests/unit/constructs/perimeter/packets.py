"""A model of a VPC in two network namespaces: the function behind its wall, and every other host.

`python packets.py WALL` runs in a new namespace. The function's namespace has the wall's routes, and its groups as
routing rules of iproute2, without which no route is used; the other namespace owns every address, accepts everything,
and counts the packets that arrive. A program of ctypes then calls the C library at every target.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
import time
from typing import Any

RESOLVER = "10.0.0.2"
"""The VPC's resolver, at the network's base plus two. Groups do not filter it: docs, VPC, security groups."""
HOME = "10.0.0.10"
PORTS = (22, 53, 80, 443, 5432)
Target = tuple[str, str, int]
"""The protocol, the address and the port."""


def ip(*words: object) -> None:
    """Runs `ip` of iproute2."""
    subprocess.run(["ip", *map(str, words)], check=True)


def attempt(target: Target) -> bool:
    """Whether code that goes around every library but the C library gets an answer from a target."""
    protocol, address, port = target
    libc = ctypes.CDLL(None, use_errno=True)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    fd = libc.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM, 0)
    wait = (ctypes.c_long * 2)(2, 0)
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        libc.setsockopt(fd, socket.SOL_SOCKET, option, wait, ctypes.sizeof(wait))
    start = family.to_bytes(2, sys.byteorder) + port.to_bytes(2, "big")
    packed = socket.inet_pton(family, address)
    name = start + (bytes(4) + packed + bytes(4) if family == socket.AF_INET6 else packed + bytes(8))
    answer = ctypes.create_string_buffer(8)
    reached = libc.connect(fd, name, len(name)) == 0 and libc.send(fd, b"x", 1, 0) == 1
    reached = reached and libc.recv(fd, answer, 8, 0) == 1
    libc.close(fd)
    return reached


def serve(addresses: list[str]) -> None:
    """All other hosts: answers at every address, and prints each packet's target at the end of its input."""
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
    seen: set[Target] = set()

    def count() -> None:
        while True:
            frame, origin = sniffer.recvfrom(2048)
            if origin[1] == 0x0800 and origin[2] == 0 and frame[9] in (6, 17):
                at = (frame[0] & 15) * 4
                address, port = socket.inet_ntoa(frame[16:20]), int.from_bytes(frame[at + 2 : at + 4], "big")
                seen.add(("tcp" if frame[9] == 6 else "udp", address, port))

    def answer(port: int) -> None:
        listener = socket.create_server(("", port))
        while True:
            client = listener.accept()[0]
            client.send(client.recv(1))

    def echo(address: str, port: int) -> None:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((address, port))
        while True:
            server.sendto(*server.recvfrom(1))

    while "world" not in [name for _, name in socket.if_nameindex()]:
        time.sleep(0.01)
    ip("link", "set", "lo", "up")
    for address in addresses:
        ip("address", "add", f"{address}/32", "dev", "world")
    ip("link", "set", "world", "up")
    ip("route", "add", HOME, "dev", "world")
    tasks: list[tuple[Any, ...]] = [(count,), *((answer, port) for port in PORTS)]
    tasks += [(echo, address, port) for address in addresses for port in PORTS]
    for task, *arguments in tasks:
        threading.Thread(target=task, args=arguments, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    print(json.dumps(sorted(seen)))


def raise_wall(routes: list[str], egress: list[Target]) -> None:
    """The routes of a subnet, and the egress of a group: a packet leaves where both lead."""
    for network in routes:
        ip("route", "add", network, "dev", "function")
    ip("rule", "del", "pref", 32766)
    ip("rule", "del", "pref", 32767)
    for protocol in ("udp", "tcp"):
        ip("rule", "add", "to", RESOLVER, "ipproto", protocol, "dport", 53, "lookup", "main")
    for protocol, network, port in egress:
        ip("rule", "add", "to", network, "ipproto", protocol, "dport", port, "lookup", "main")


def run(wall: dict[str, Any]) -> dict[str, Any]:
    """Tries all targets, and returns those that answered and those whose packets arrived."""
    targets: list[Target] = [(protocol, address, port) for protocol, address, port in wall["targets"]]
    addresses = sorted({address for _, address, _ in targets if ":" not in address})
    command = ["unshare", "--net", sys.executable, __file__, "--world", *addresses]
    world = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ip("link", "set", "lo", "up")
    while os.readlink(f"/proc/{world.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
        time.sleep(0.01)
    ip("link", "add", "function", "type", "veth", "peer", "name", "world", "netns", world.pid)
    ip("address", "add", f"{HOME}/32", "dev", "function")
    ip("link", "set", "function", "up")
    assert world.stdout is not None
    assert world.stdout.readline() == "ready\n"
    if wall["routes"] is None:
        ip("route", "add", "default", "dev", "function")
    else:
        raise_wall(wall["routes"], wall["egress"])
    reached = [target for target in targets if attempt(target)]
    return {"reached": reached, "arrived": json.loads(world.communicate(timeout=20)[0])}


if __name__ == "__main__":
    if sys.argv[1] == "--world":
        serve(sys.argv[2:])
    else:
        print(json.dumps(run(json.loads(sys.argv[1]))))
