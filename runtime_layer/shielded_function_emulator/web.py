"""HTTP and HTTPS servers on sockets of the sandbox's network. They run in this process and record each request."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, NamedTuple

from typing_extensions import Self
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from shielded_function_emulator.sandbox import Sandbox

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Logs nothing: callers read the recorded requests."""


class WebServer:
    """Serves a WSGI application at an address of the sandbox, with TLS if there is a context."""

    def __init__(
        self, sandbox: Sandbox, address: tuple[str, int], application: Application, tls: ssl.SSLContext | None = None
    ) -> None:
        self._sandbox, self._address = sandbox, address
        self._application, self._tls = application, tls

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        with self._sandbox.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(self._address)
            listener.listen()
            self._server: BaseWSGIServer = make_server(
                *self._address,
                self._application,
                threaded=True,
                request_handler=_QuietHandler,
                ssl_context=self._tls,
                fd=listener.fileno(),
            )
        if isinstance(self._server.socket, ssl.SSLSocket):
            # A client that connects and says nothing keeps its own thread waiting, not the one that accepts.
            self._server.socket.__dict__["do_handshake_on_connect"] = False  # typeshed does not know it
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()


class Request(NamedTuple):
    """A request that a receiver got."""

    method: str
    host: str
    path: str
    body: bytes


class Receiver:
    """A WSGI application that takes everything, remembers it, and answers with one JSON value."""

    def __init__(self, answer: Any = None) -> None:
        self._answer = json.dumps(answer).encode()
        self.requests: list[Request] = []

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        host = environ.get("HTTP_HOST", "")
        self.requests.append(Request(environ["REQUEST_METHOD"], host, environ["PATH_INFO"], body))
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(self._answer)))])
        return [self._answer]
