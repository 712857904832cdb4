"""How long a lookup that fails takes: the median over many names, in milliseconds, for one way to ask."""

from __future__ import annotations

import json
import queue
import socket
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import dns.resolver
import pycares

NAMES = 40


def by_getaddrinfo(name: str) -> None:
    socket.getaddrinfo(name, 443)


def by_dnspython(name: str) -> None:
    dns.resolver.resolve(name, "A", search=False)


def by_dnspython_tcp(name: str) -> None:
    dns.resolver.resolve(name, "A", search=False, tcp=True)


CHANNEL = pycares.Channel(timeout=10, tries=1)


def by_pycares(name: str) -> None:
    done: queue.Queue[tuple[Any, int | None]] = queue.Queue()
    CHANNEL.query(name, pycares.QUERY_TYPE_A, callback=lambda *came: done.put(came))
    _, error = done.get(timeout=20)
    if error:
        raise OSError(error, pycares.errno.strerror(error))


WAYS: dict[str, Callable[[str], None]] = {
    "getaddrinfo": by_getaddrinfo,
    "dnspython": by_dnspython,
    "dnspython-tcp": by_dnspython_tcp,
    "pycares": by_pycares,
}


def milliseconds(look_up: Callable[[str], None], name: str) -> float:
    began = time.perf_counter()
    try:
        look_up(name)
    except Exception:
        return (time.perf_counter() - began) * 1000
    raise AssertionError(f"{name} was found")


taken = [milliseconds(WAYS[sys.argv[1]], f"name-{number}.{sys.argv[2]}") for number in range(NAMES)]
print(json.dumps({"names": NAMES, "median": statistics.median(taken), "longest": max(taken)}))
