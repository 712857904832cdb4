"""Lambda's Runtime API, as far as a runtime client asks for it, with a clock: how long starts and invocations take.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. The emulator would do, but takes longer than a function.
"""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from typing import BinaryIO

_EVENT = json.dumps({"name": "you"}).encode()
_ARN = "arn:aws:lambda:us-east-1:123456789012:function:bench"
_ANSWER_SECONDS = 60.0


class RuntimeApiError(Exception):
    """The function failed, or said something else than it should; one line says what."""


class RuntimeApi:
    """Serves one process of a runtime on a listening socket, until that is closed."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._asked: queue.Queue[int] = queue.Queue()
        self._told: queue.Queue[tuple[int, str]] = queue.Queue()
        self._events: queue.Queue[int | None] = queue.Queue()
        self._sent = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def asked(self) -> int:
        """Waits for the next request for an event. When it came, in nanoseconds of the monotonic clock."""
        try:
            return self._asked.get(timeout=_ANSWER_SECONDS)
        except queue.Empty:
            raise RuntimeApiError(f"no request for an event within {_ANSWER_SECONDS:g} s") from None

    def invoke(self) -> int:
        """One invocation, for a runtime that has asked for it: nanoseconds until its answer was there."""
        self._events.put(1)
        try:
            arrived, answer = self._told.get(timeout=_ANSWER_SECONDS)
        except queue.Empty:
            raise RuntimeApiError(f"no answer within {_ANSWER_SECONDS:g} s") from None
        if json.loads(answer) != {"hello": "you"}:
            raise RuntimeApiError(f"the function said {answer}")
        return arrived - self._sent

    def close(self) -> None:
        """Ends the wait for an event."""
        self._events.put(None)
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as stream:
            try:
                while request := _read(stream):
                    if not self._answer(connection, *request):
                        return
            except OSError:
                return

    def _answer(self, connection: socket.socket, line: str, body: bytes) -> bool:
        arrived = time.monotonic_ns()
        if "/runtime/invocation/next" in line:
            self._asked.put(arrived)
            if self._events.get() is None:
                return False
            message = _response("200 OK", _EVENT, {"Content-Type": "application/json", **_of_an_event()})
            self._sent = time.monotonic_ns()
            connection.sendall(message)
            return True
        what = "" if line.split()[1].endswith("/response") else f"{line}: "
        connection.sendall(_response("202 Accepted", b""))
        self._told.put((arrived, what + body.decode()))
        return True


def _of_an_event() -> dict[str, str]:
    return {
        "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 60_000),
        "Lambda-Runtime-Invoked-Function-Arn": _ARN,
        "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
    }


def _response(status: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    fields = {"Content-Length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def _read(stream: BinaryIO) -> tuple[str, bytes] | None:
    """The first line and the body of a request; None when there is no further one."""
    line = stream.readline().decode("latin-1").rstrip()
    length, chunked = 0, False
    while field := stream.readline().decode("latin-1").strip():
        name, _, value = field.partition(":")
        length = int(value) if name.lower() == "content-length" else length
        chunked = chunked or (name.lower() == "transfer-encoding" and "chunked" in value)
    return (line, _chunks(stream) if chunked else stream.read(length)) if line else None


def _chunks(stream: BinaryIO) -> bytes:
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body
