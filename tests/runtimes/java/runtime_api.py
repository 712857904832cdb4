"""A Runtime API of our own, for what AWS's emulator does not have: SnapStart's snapshot and restore.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Iterable
from typing import Any

from shielded_function_emulator.web import Environ, StartResponse

_VERSION = "/2018-06-01/runtime"
_PATIENCE = 60.0


class RuntimeApi:
    """A WSGI application: restores at once and hands out `events`. `requests` are the request lines that came."""

    def __init__(self, events: Iterable[Any]) -> None:
        self._events: queue.Queue[Any] = queue.Queue()
        self._answers: queue.Queue[Any] = queue.Queue()
        self.hand_out(events)
        self.requests: list[str] = []

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.requests.append(line)
        if line == f"GET {_VERSION}/invocation/next":
            return self._next(start_response)
        if line.startswith("POST "):
            self._answers.put(json.loads(body))
        start_response("202 Accepted" if line.startswith("POST ") else "200 OK", [("Content-Length", "0")])
        return [b""]

    def hand_out(self, events: Iterable[Any]) -> None:
        """Gives events to those that ask for work."""
        for event in events:
            self._events.put(event)

    def asked(self, count: int) -> bool:
        """Whether there were so many requests within a minute."""
        deadline = time.monotonic() + _PATIENCE
        while len(self.requests) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return len(self.requests) >= count

    def answer(self) -> Any:
        """The next answer, or error, of the function. Raises queue.Empty after a minute."""
        return self._answers.get(timeout=_PATIENCE)

    def _next(self, start_response: StartResponse) -> Iterable[bytes]:
        try:
            event = json.dumps(self._events.get(timeout=_PATIENCE)).encode()
        except queue.Empty:
            start_response("504 Gateway Timeout", [("Content-Length", "0")])
            return [b""]
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(event)),
            "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + _PATIENCE) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:snapshot",
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
        }
        start_response("200 OK", list(headers.items()))
        return [event]
