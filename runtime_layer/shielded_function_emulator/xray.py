"""AWS's X-Ray daemon in a sandbox, as the SDKs of every language see it: a port that takes datagrams.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
"""

from __future__ import annotations

import json
import socket
from types import TracebackType
from typing import Any

from typing_extensions import Self

from shielded_function_emulator.sandbox import RESOLVER, Sandbox

# An address of the sandbox's own that no policy allows by default; the platform names it to the function.
_ADDRESS = (RESOLVER, 2000)
ENVIRONMENT = {"AWS_XRAY_DAEMON_ADDRESS": "{}:{}".format(*_ADDRESS), "AWS_XRAY_CONTEXT_MISSING": "RUNTIME_ERROR"}
# The value that a client passes to the SDK for a traced invocation. AWS's emulator traces none, so handlers set it.
TRACE = "1-5759e988-bd862e3fe1be46a994272793"
HEADER = f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1"

_HEADER = {"format": "json", "version": 1}
_LARGEST = 1 << 16
_SECONDS = 10.0


class XrayDaemon:
    """Listens in a sandbox's network from entering on."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __enter__(self) -> Self:
        self._socket = self._sandbox.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(_ADDRESS)
        self._socket.settimeout(_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def take(self, count: int) -> list[dict[str, Any]]:
        """The next segments and subsegments, each one datagram. Raises TimeoutError when there are fewer."""
        return [_document(self._socket.recv(_LARGEST)) for _ in range(count)]


def _document(datagram: bytes) -> dict[str, Any]:
    header, _, document = datagram.partition(b"\n")
    assert json.loads(header) == _HEADER
    return json.loads(document)
