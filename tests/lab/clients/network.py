"""The network of the clients' sandbox, and one run of a client in it, as seen from outside."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import programs
from lab.clients.packages import ROOT, package_mounts
from lab.clients.servers import PLACES, EchoServer, Servers
from shielded_function import ShieldPolicy
from shielded_function_emulator.aws_service import AwsService
from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_emulator.composite import Composite
from shielded_function_emulator.dns_server import DnsServer, Question
from shielded_function_emulator.platform_files import INTERPRETER, LAYERS_ROOT, RUNTIME_ROOT
from shielded_function_emulator.sandbox import Sandbox
from shielded_function_emulator.web import WebServer
from shielded_function_monitoring.cfn.values import REGION

INSIDE = Path(__file__).parent / "inside"
SHIELD = "/opt/shielded-function/shield"
# What the gate asks for instead of a denied name, so that the answer is the resolver's own.
STAND_IN = ".shielded-function.invalid"

AWS_ADDRESS = "198.51.100.40"
TABLE, BUCKET = "orders", "my-bucket"  # inside/boto3_client.py
AWS_NAMES = (
    *(f"{name}.{REGION}.amazonaws.com" for name in ("dynamodb", f"{BUCKET}.s3", "sqs")),
    # S3's first region has a name without a region too: boto3's choice unless it is told otherwise.
    f"{BUCKET}.s3.amazonaws.com",
)
DUAL = ("dual.example", ["198.51.100.50", "2001:db8::1"])
TEXT = ("text.example", ["v=spf1 -all"])
_TABLES = {
    TABLE: {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
}

_AUTHORITY = "/etc/emulated-lambda/authority.pem"
_ENVIRONMENT = {
    "PYTHONPATH": f"{ROOT}:{LAYERS_ROOT}/python:{RUNTIME_ROOT}",
    # Each client has its own way to be told whom it trusts.
    "AWS_CA_BUNDLE": _AUTHORITY,
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": _AUTHORITY,
    "REQUESTS_CA_BUNDLE": _AUTHORITY,
    "SSL_CERT_FILE": _AUTHORITY,
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_LAMBDA_FUNCTION_NAME": "clients",
    "AWS_REGION": REGION,
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}


@dataclass(frozen=True)
class Run:
    """What a client said, what its log says, and what happened outside.

    Attributes:
        said: its line: `answer`, or `error` (type names) and `text`; `seconds`.
        alerts: the violations in the log.
        events: the shield's other lines.
        connections: TCP connections that were begun, to anywhere in the network.
        datagrams: what reached the UDP server.
        questions: what the name server was asked, but for the gate's own stand-in for denied names.
        calls: what reached AWS.
    """

    said: dict[str, Any]
    alerts: list[dict[str, Any]]
    events: list[dict[str, Any]]
    connections: int
    datagrams: int
    questions: list[Question]
    calls: int


def make_sandbox(layer: Path, authority: Path) -> Sandbox:
    """A sandbox with the clients and their packages, who trust the authority in that file (PEM)."""
    return Sandbox(task=INSIDE, layers=layer, mounts={_AUTHORITY: authority, **package_mounts(), **programs.mounts()})


class Network(Composite):
    """Every server in a sandbox's network, the name server and AWS among them."""

    def __init__(self, sandbox: Sandbox, authority: CertificateAuthority) -> None:
        self.sandbox = sandbox
        names = {name: [address] for name, address in PLACES.values()} | dict([DUAL])
        names |= {name: [AWS_ADDRESS] for name in AWS_NAMES} | {TEXT[0]: []}
        self.dns = DnsServer(sandbox, names, texts=dict([TEXT]))
        self.servers = Servers(sandbox, authority)
        self._aws = AwsService(_TABLES)
        self._web = WebServer(sandbox, (AWS_ADDRESS, 443), self._aws, authority.server_context(AWS_NAMES))
        self._echo = EchoServer(sandbox)

    def enter_parts(self, stack: ExitStack) -> None:
        for server in (self.dns, self._web, self._echo, self.servers):
            stack.enter_context(server)

    def run(self, program: list[str], policy: ShieldPolicy, environment: dict[str, str] | None = None) -> Run:
        """Runs a client to its end under a policy. Raises AssertionError when it does not say how it went."""
        self.dns.questions.clear()
        self._aws.calls.clear()
        self._echo.datagrams.clear()
        before = self._connections_begun()
        done = self.sandbox.run_command(
            # -S: in Lambda there are no packages beside the interpreter's own; on this machine there may be.
            [SHIELD, INTERPRETER, "-S", f"/var/task/{program[0]}", *program[1:]],
            environment=_ENVIRONMENT | (environment or {}) | policy.to_env(),
        )
        assert done.returncode == 0, done.stderr
        lines = done.shield_lines
        return Run(
            said=json.loads(done.stdout),
            alerts=[line for line in lines if "policy" in line],
            events=[line for line in lines if "event" in line],
            connections=self._connections_begun() - before,
            datagrams=len(self._echo.datagrams),
            questions=[question for question in self.dns.questions if not question.name.endswith(STAND_IN)],
            calls=len(self._aws.calls),
        )

    def _connections_begun(self) -> int:
        """The network's own count (snmp_counter.rst: TcpActiveOpens): each connect that sent a SYN."""
        table = (self.sandbox.path("/").parent / "net" / "snmp").read_text().splitlines()
        names, values = (line.split() for line in table if line.startswith("Tcp:"))
        return int(values[names.index("ActiveOpens")])
