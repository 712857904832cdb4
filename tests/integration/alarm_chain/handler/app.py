"""Tries what each policy forbids, one after the other, and whatever comes of it: the lines are what is looked at."""

from __future__ import annotations

import json
import mmap
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEEDS: dict[str, Callable[[], object]] = {
    "outbound_connectivity": lambda: socket.create_connection(("203.0.113.7", 443), 2).close(),
    "read_write_tmp": lambda: Path("/tmp/dropped").write_text("x"),
    "create_child_process": lambda: subprocess.run(["/bin/true"], check=False),
    "read_handler": lambda: Path(__file__).read_text(),
    "executable_memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close(),
    "self_protection": lambda: open("/proc/self/mem", "r+b").close(),
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
