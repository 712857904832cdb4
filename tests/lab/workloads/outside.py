"""Whom a workload can talk to in its sandbox's network: an API, AWS, and real databases for those that ask for one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from lab.clients.servers import PLACES, Servers
from shielded_function_emulator.aws_service import AwsService
from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_emulator.composite import Composite
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_emulator.web import Receiver, WebServer
from shielded_function_monitoring.cfn.values import REGION

_API, _API_ADDRESS = "api.example", "198.51.100.60"
_AWS_ADDRESS = "198.51.100.40"
# A name at which no server listens.
_CLOSED, _CLOSED_ADDRESS = "closed.example", "198.51.100.61"
_AWS = (f"*.{REGION}.amazonaws.com", f"*.s3.{REGION}.amazonaws.com", "*.s3.amazonaws.com", "s3.amazonaws.com")
_NAMES = {
    _API: [_API_ADDRESS],
    _CLOSED: [_CLOSED_ADDRESS],
    **{name: [address] for name, address in PLACES.values()},
    **{name: [_AWS_ADDRESS] for name in _AWS},
}


class Outside(Composite):
    """The servers of one sandbox: the API, and those that are named."""

    def __init__(self, sandbox: Sandbox, authority: CertificateAuthority, names: Sequence[str]) -> None:
        self._sandbox, self._authority = sandbox, authority
        self._aws, self._databases = "aws" in names, [name for name in names if name != "aws"]

    def enter_parts(self, stack: ExitStack) -> None:
        tls = self._authority.server_context
        stack.enter_context(DnsServer(self._sandbox, _NAMES))
        api = Receiver({"answer": 42})
        stack.enter_context(WebServer(self._sandbox, (_API_ADDRESS, 443), api, tls([_API])))
        if self._aws:  # moto takes a second, once
            stack.enter_context(WebServer(self._sandbox, (_AWS_ADDRESS, 443), AwsService({}), tls(_AWS)))
        if self._databases:
            servers = stack.enter_context(Servers(self._sandbox, self._authority, self._databases))
            if servers.missing:
                raise LookupError("; ".join(servers.missing.values()))
