"""The demo's internet, all of it on the sandbox's own loopback: a payment provider, AWS, an attacker, a name server."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from shielded_function_emulator.aws_service import AwsService
from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_emulator.composite import Composite
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_emulator.web import Receiver, WebServer
from shielded_function_monitoring.cfn.values import REGION

PROVIDER = "api.payments.example"
DYNAMODB = f"dynamodb.{REGION}.amazonaws.com"
CHARGE = {"id": "ch_0001", "status": "succeeded"}


# The host that examples/checkout/handler/leftpad_plus contacts.
ATTACKER_ADDRESS = "203.0.113.66"
ATTACKER_NAME = "collector.evil.example"
ATTACKER_ZONE = "dns.evil.example"

_PROVIDER_ADDRESS, _AWS_ADDRESS, _COLLECTOR_ADDRESS = "198.51.100.10", "198.51.100.20", "203.0.113.67"
_NAMES = {
    PROVIDER: [_PROVIDER_ADDRESS],
    DYNAMODB: [_AWS_ADDRESS],
    ATTACKER_NAME: [_COLLECTOR_ADDRESS],
    f"*.{ATTACKER_ZONE}": ["203.0.113.68"],
}


class Internet(Composite):
    """Starts every server in a sandbox's network and keeps the messages that each received."""

    def __init__(
        self, sandbox: Sandbox, authority: CertificateAuthority, tables: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._sandbox, self._authority = sandbox, authority
        self.provider = Receiver(CHARGE)
        self.attacker = Receiver("thank you")
        self.aws = AwsService(tables)
        self.dns = DnsServer(sandbox, _NAMES)

    def enter_parts(self, stack: ExitStack) -> None:
        tls = self._authority.server_context
        stack.enter_context(self.dns)
        for server in (
            WebServer(self._sandbox, (_PROVIDER_ADDRESS, 443), self.provider, tls([PROVIDER])),
            WebServer(self._sandbox, (_AWS_ADDRESS, 443), self.aws, tls([DYNAMODB])),
            WebServer(self._sandbox, (ATTACKER_ADDRESS, 80), self.attacker),
            WebServer(self._sandbox, (_COLLECTOR_ADDRESS, 80), self.attacker),
        ):
            stack.enter_context(server)
