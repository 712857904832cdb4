"""Hosts that answer in a closed network, so that the code after a call runs too.

As every name there, each has its own address: the shield decides about a call before it can be answered.
"""

from __future__ import annotations

import fnmatch
import mimetypes
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_emulator.closed_network import ClosedNetwork
from shielded_function_emulator.composite import Composite
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_emulator.web import Application, Environ, StartResponse, WebServer

_AUTHORITY, _STORE = "/etc/emulated-lambda/authority.pem", "/etc/emulated-lambda/authority.p12"
_VARIABLES = ("AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


class Reply:
    """A WSGI application that gives every request the same answer."""

    def __init__(self, status: int, body: bytes = b"", kind: str = "") -> None:
        self._status, self._body = f"{status} {HTTPStatus(status).phrase}", body
        self._headers = [("Content-Length", str(len(body))), *([("Content-Type", kind)] if kind else [])]

    @classmethod
    def of_file(cls, file: Path) -> Reply:
        """A file's content; its type follows from its ending. Raises OSError."""
        return cls(HTTPStatus.OK, file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(self._status, self._headers)
        return [self._body]


class Trust(Composite):
    """The authority of the replies. `environment`, `mounts`: with these a function trusts it."""

    def enter_parts(self, stack: ExitStack) -> None:
        self.authority = CertificateAuthority()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="replies-")))
        folder.chmod(0o755)
        self.mounts = {_AUTHORITY: folder / "authority.pem", _STORE: folder / "authority.p12"}
        self.mounts[_AUTHORITY].write_bytes(self.authority.pem)
        self.mounts[_STORE].write_bytes(self.authority.store)
        java = f"-Djavax.net.ssl.trustStore={_STORE} -Djavax.net.ssl.trustStoreType=PKCS12"
        self.environment = {**dict.fromkeys(_VARIABLES, _AUTHORITY), "JAVA_TOOL_OPTIONS": java}


class AnsweringNetwork(Composite):
    """A closed network in which the hosts of `replies` (names, globs or addresses) answer, with TLS at port 443.

    `names`: its name server.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        replies: Mapping[str, Application],
        authority: CertificateAuthority,
        ports: Iterable[int] = (80, 443),
    ) -> None:
        self._sandbox, self._replies, self._authority, self._ports = sandbox, replies, authority, ports
        self.names = ClosedNetwork(sandbox, self._start)

    def enter_parts(self, stack: ExitStack) -> None:
        self._servers = stack.enter_context(ExitStack())
        stack.enter_context(self.names)
        for host in filter(is_address, self._replies):
            self._start(host, host)

    def _start(self, name: str, address: str) -> None:
        reply = next((self._replies[host] for host in self._replies if fnmatch.fnmatchcase(name, host)), None)
        if reply is not None:
            for port in self._ports:
                tls = self._authority.server_context([name]) if port == 443 else None
                self._servers.enter_context(WebServer(self._sandbox, (address, port), reply, tls))


def is_address(host: str) -> bool:
    """Whether a host is an IPv4 address, and no name."""
    return host.replace(".", "").isdigit()
