"""The demo's internet, all of it on the sandbox's own loopback: a payment provider, AWS, an attacker, a name server."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from shielded_function_emulator.aws_service import AwsService
from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_emulator.replies import AnsweringNetwork
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


class Internet(AnsweringNetwork):
    """Starts every server in a sandbox's network and keeps the messages that each received."""

    def __init__(
        self, sandbox: Sandbox, authority: CertificateAuthority, tables: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.provider, self.attacker, self.aws = Receiver(CHARGE), Receiver("thank you"), AwsService(tables)
        replies = {PROVIDER: self.provider, DYNAMODB: self.aws, ATTACKER_NAME: self.attacker}
        super().__init__(sandbox, replies, authority)
        self._at_address = WebServer(sandbox, (ATTACKER_ADDRESS, 80), self.attacker)

    def enter_parts(self, stack: ExitStack) -> None:
        super().enter_parts(stack)
        stack.enter_context(self._at_address)
