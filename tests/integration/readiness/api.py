"""A Lambda Runtime API at an address of a sandbox that lets a test decide what happens when.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import platform
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from shielded_function_emulator.sandbox import ADDRESSES, Sandbox
from shielded_function_emulator.web import Environ, StartResponse, WebServer
from shielded_function_runtime.build.native import BINARIES, build

ADDRESS = ("169.254.100.1", 9001)
LOCAL = ("127.0.0.1", 9001)  # of a sandbox that is not from open_box
RUNTIME_API = "{}:{}".format(*ADDRESS)
NEXT = "/2018-06-01/runtime/invocation/next"
RESTORE = "/2018-06-01/runtime/restore/next"
SECONDS = 30.0


@contextmanager
def open_box(task: Path) -> Iterator[Sandbox]:
    """A sandbox with the shield's layer, and the address for a RuntimeApi. Skips where it has no network of its own."""
    build([f"layer/{platform.machine()}"])
    addresses = (*ADDRESSES, f"{ADDRESS[0]}/32")
    with Sandbox(task=task, layers=BINARIES / "layer" / platform.machine(), addresses=addresses) as sandbox:
        yield sandbox


class Asked(NamedTuple):
    """A request. `body` of an answer or an error is what the function made of it."""

    method: str
    path: str
    body: Any


class RuntimeApi(WebServer):
    """Hands out events when it is told to, and remembers what was asked.

    A function may wait for the test: `GET /gate/NAME` is answered when `open_gate(NAME)` was called.
    """

    def __init__(self, sandbox: Sandbox, address: tuple[str, int] = ADDRESS) -> None:
        super().__init__(sandbox, address, self._serve)
        self.asked: list[Asked] = []
        self._changed = threading.Condition()
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._gates: set[str] = set()
        self._given = 0

    def give(self, event: Any) -> None:
        """One event, for whoever asks first."""
        self._events.put(event)

    def open_gate(self, name: str) -> None:
        """Lets everybody pass who waits there, or comes by later."""
        with self._changed:
            self._gates.add(name)
            self._changed.notify_all()

    def wait_for(self, path: str, count: int = 1) -> list[Asked]:
        """The first `count` requests whose path begins so. Raises TimeoutError with all that was asked instead."""
        return self._first(count, lambda asked: asked.path.startswith(path), path)

    def answers(self, count: int) -> list[Any]:
        """What the function made of its first events."""
        self.wait_for("/2018-06-01/runtime/invocation/", count)
        return [
            e.body for e in self._first(count, lambda asked: asked.path.endswith(("/response", "/error")), "answers")
        ]

    def _first(self, count: int, wanted: Callable[[Asked], bool], what: str) -> list[Asked]:
        with self._changed:
            if not self._changed.wait_for(lambda: sum(map(wanted, self.asked)) >= count, SECONDS):
                raise TimeoutError(f"not asked {count} times for {what}, but {self.asked}")
            return [asked for asked in self.asked if wanted(asked)][:count]

    def _serve(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with self._changed:
            self.asked.append(Asked(environ["REQUEST_METHOD"], path, json.loads(body) if body else None))
            self._changed.notify_all()
        gate = "restore" if path == RESTORE else path.removeprefix("/gate/")
        if path == RESTORE or gate != path:
            with self._changed:
                self._changed.wait_for(lambda: gate in self._gates, SECONDS)
        if path == NEXT:
            return self._hand_out(start)
        start("202 Accepted" if environ["REQUEST_METHOD"] == "POST" else "200 OK", [("Content-Length", "0")])
        return []

    def _hand_out(self, start: StartResponse) -> Iterable[bytes]:
        event = json.dumps(self._events.get()).encode()
        with self._changed:
            self._given += 1
            request_id = f"request-{self._given}"
        headers = [
            ("Lambda-Runtime-Aws-Request-Id", request_id),
            ("Lambda-Runtime-Deadline-Ms", "4102444800000"),
            ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:fn"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(event))),
        ]
        start("200 OK", headers)
        return [event]
