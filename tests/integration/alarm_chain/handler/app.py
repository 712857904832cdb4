"""Tries what each policy forbids, one after the other, and whatever comes of it: the lines are what is looked at."""

from __future__ import annotations

import json
import mmap
import socket
import subprocess
from collections.abc import Callable
from typing import Any


def _connect() -> None:
    with socket.socket() as connection:
        connection.settimeout(2)
        connection.connect(("203.0.113.7", 443))


def _write_tmp() -> None:
    with open("/tmp/dropped", "w") as file:
        file.write("x")


def _run_program() -> None:
    subprocess.run(["/bin/true"], check=False)


def _read_handler() -> None:
    with open(__file__) as file:
        file.read()


def _executable_memory() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def _rewrite_itself() -> None:
    with open("/proc/self/mem", "r+b"):
        pass


DEEDS: dict[str, Callable[[], None]] = {
    "outbound_connectivity": _connect,
    "read_write_tmp": _write_tmp,
    "create_child_process": _run_program,
    "read_handler": _read_handler,
    "executable_memory": _executable_memory,
    "self_protection": _rewrite_itself,
}


def handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """Returns what became of each deed that the event names."""
    # Other programs' lines, some of which look like the shield's.
    print(json.dumps({"level": "ERROR", "policy": "retry", "count": 3, "message": "order 7"}))
    print(json.dumps({"function_shield": "true", "policy": "outbound_connectivity", "count": 1}))
    print("function_shield: true, policy: outbound_connectivity")
    results: dict[str, str] = {}
    for deed in event["deeds"]:
        try:
            DEEDS[deed]()
            results[deed] = "done"
        except OSError as error:
            results[deed] = type(error).__name__
    return results
