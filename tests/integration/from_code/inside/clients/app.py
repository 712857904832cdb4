"""A function that shields itself while it is loaded, where it is told to, and then tries what an event lists."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable

import shielded_function_runtime

if "CONFIGURES" in os.environ:
    shielded_function_runtime.configure(
        {
            "policy": {
                "outbound_connectivity": "block",
                "read_write_tmp": "block",
                "create_child_process": "block",
                "read_handler": "block",
            },
            "disable_analytics": True,
            "token": "0123456789abcdef",
        }
    )


def connect() -> str:
    socket.create_connection(("203.0.113.77", 7000)).close()
    return "connected"


def write() -> str:
    with open("/tmp/written", "w", encoding="ascii") as file:
        return str(file.write("four"))


def start() -> str:
    return subprocess.check_output(["/bin/echo", "started"], text=True).strip()


def read() -> str:
    with open("/var/task/app.py", "rb") as file:
        return file.read(4).hex()


ATTEMPTS: dict[str, Callable[[], str]] = {f.__name__: f for f in (connect, write, start, read)}


def attempt(name: str) -> str:
    try:
        return f"done: {ATTEMPTS[name]()}"
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def handler(event: list[str], context: object) -> dict[str, str]:
    return {name: attempt(name) for name in event}
