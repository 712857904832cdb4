"""The function behind every wrapper: what it is for, and what it must not do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def _talk_to_itself() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        with accepted:
            accepted.sendall(b"heard")
            return client.recv(5).decode()


def _work() -> dict[str, str]:
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(_talk_to_itself()))
    thread.start()
    thread.join()
    import later

    return {"data": (HERE / "data.txt").read_text().strip(), "thread": answers[0], "later": later.NAME}


def _connect() -> None:
    with socket.socket() as opened:
        opened.settimeout(3)
        opened.connect(("203.0.113.66", 443))


def _write() -> None:
    Path("/tmp/loot").write_text("loot")


def _run() -> None:
    subprocess.run(["/bin/true"], check=True)


def _read() -> str:
    return Path(__file__).read_text()


_ATTEMPTS: dict[str, Callable[[], object]] = {
    "outbound_connectivity": _connect,
    "read_write_tmp": _write,
    "create_child_process": _run,
    "read_handler": _read,
}


def _attempt(deed: Callable[[], object]) -> str:
    try:
        deed()
    except PermissionError:
        return "denied"
    return "done"


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    if event["do"] == "attempts":
        return {name: _attempt(deed) for name, deed in _ATTEMPTS.items()}
    return {
        "work": _work(),
        "wrapped": os.environ.get("WRAPPED_BY"),
        "host": socket.gethostname(),
        "options": sys._xoptions,
        "program": os.readlink("/proc/self/exe"),
        "directory": os.getcwd(),
        "preloaded": sorted({Path(line.split()[-1]).name for line in open("/proc/self/maps") if "/opt/lib/" in line}),
    }
