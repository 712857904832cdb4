"""pycares (c-ares): its own resolver, threads and sockets. The second argument is the record type."""

import queue
import sys
from typing import Any

import pycares
from attempt import attempt

KINDS = {"A": pycares.QUERY_TYPE_A, "TXT": pycares.QUERY_TYPE_TXT}


def talk(host: str, _port: int) -> object:
    done: queue.Queue[tuple[Any, int | None]] = queue.Queue()
    channel = pycares.Channel(timeout=10, tries=1)
    channel.query(host, KINDS[sys.argv[2]], callback=lambda *came: done.put(came))
    result, error = done.get(timeout=20)
    channel.close()
    if error:
        raise pycares.AresError(error, pycares.errno.strerror(error))
    data = [record.data for record in result.answer]
    return sorted(found.data.decode() if sys.argv[2] == "TXT" else found.addr for found in data)


attempt(talk)
