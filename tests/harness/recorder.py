"""A server in a sandbox's network that only listens: what arrived is not a matter of a program's word."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time

from shielded_function_emulator.sandbox import Sandbox

_QUIET_SECONDS, _PATIENCE_SECONDS, _MOMENT_SECONDS = 0.3, 5, 0.005


class Recorder:
    """Accepts on one address of the sandbox, and keeps what comes; `resets`: until something did."""

    def __init__(self, sandbox: Sandbox, address: str, port: int = 443, *, resets: bool = False) -> None:
        self._resets = resets
        self._listener = sandbox.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((address, port))
        self._listener.listen(512)
        self.received = bytearray()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._keep, args=(client,), daemon=True).start()

    def _keep(self, client: socket.socket) -> None:
        with client, contextlib.suppress(ConnectionResetError, BrokenPipeError):
            while data := client.recv(65536):
                self.received += data
                if self._resets:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return

    def hears(self, data: bytes) -> bool:
        """Waits for it: a program may be over before what it said has come."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while data not in self.received and time.monotonic() < end:
            time.sleep(_MOMENT_SECONDS)
        return data in self.received

    def settle(self) -> None:
        """Waits until nothing comes any more."""
        seen = -1
        while seen != len(self.received):
            seen = len(self.received)
            time.sleep(_QUIET_SECONDS)

    def forget(self) -> None:
        """Drops what came, and what was still on its way."""
        self.settle()
        del self.received[:]

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
