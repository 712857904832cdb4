"""The clients: what each talks to, what it says when that works, and how it fails when it may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.clients.network import DUAL, TEXT
from lab.clients.servers import BROKER, CACHE, DATABASE, ECHO, GREETER, GREETER_TLS, PLACES, WEB
from shielded_function_monitoring.cfn.values import REGION

NO_SUCH_NAME, NO_PERMISSION = "Name or service not known", "Permission denied"


@dataclass(frozen=True)
class Failure:
    """The type of the error that a program catches, and what its text holds."""

    error: str
    text: str


@dataclass(frozen=True)
class Client:
    """A client program and its use.

    Attributes:
        name: how a test is called.
        script: the program, in `inside/`.
        target: `host:port`.
        answer: what it says when everything works.
        unresolved: how it fails at a denied name.
        refused: how it fails at a denied port or address; None where the client only resolves.
        arguments: of the program, besides the target.
        environment: of the program, besides what all have.
        server: the one of `servers.PLACES`, for the address; empty: none of them.
        protocols: what is refused at a denied port, in this order.
        to_address: what is refused at a denied address, in this order; empty: the client takes none.
        tcp_queries: connections to the resolver for a lookup that is denied: who the resolver is, is no secret.
        aws: whether the target is AWS, and so allowed without being listed.
    """

    name: str
    script: str
    target: str
    answer: Any
    unresolved: Failure
    refused: Failure | None = None
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    server: str = ""
    protocols: tuple[str, ...] = ("tcp",)
    to_address: tuple[str, ...] = ("tcp",)
    tcp_queries: int = 0
    aws: bool = False

    @property
    def host(self) -> str:
        """The target without its port."""
        return self.target.rpartition(":")[0]

    @property
    def port(self) -> int:
        """The target's port."""
        return int(self.target.rpartition(":")[2])

    @property
    def connects(self) -> bool:
        """Whether it sends anything but queries for names."""
        return self.refused is not None

    def command(self, target: str | None = None) -> list[str]:
        """The program with its arguments."""
        return [self.script, target or self.target, *self.arguments]


def _web(name: str, unresolved: str, refused: str, http: str = "1.1") -> Client:
    answer = {"path": "/path", "http": http}
    script, (host, _) = f"{name}_client.py", PLACES["web"]
    failures = Failure(unresolved, NO_SUCH_NAME), Failure(refused, NO_PERMISSION)
    return Client(name, script, f"{host}:{WEB}", answer, *failures, server="web")


def _grpc(name: str, port: int, *arguments: str, resolver: str) -> Client:
    native = resolver == "native"
    return Client(
        f"grpcio-{name}",
        "grpc_client.py",
        f"{PLACES['greeter'][0]}:{port}",
        "hello you",
        Failure("_InactiveRpcError", NO_SUCH_NAME if native else "Domain name not found"),
        Failure("_InactiveRpcError", NO_PERMISSION),
        arguments,
        (("GRPC_DNS_RESOLVER", resolver),),
        server="greeter",
        # Its own resolver (c-ares) asks the kernel for a route to what it found: a UDP connect, which sends nothing.
        protocols=("tcp",) if native else ("udp", "tcp"),
    )


def _psycopg(mode: str, encrypted: bool) -> Client:
    return Client(
        f"psycopg-{mode}",
        "psycopg_client.py",
        f"{PLACES['database'][0]}:{DATABASE}",
        {"encrypted": encrypted},
        Failure("OperationalError", NO_SUCH_NAME),
        Failure("OperationalError", NO_PERMISSION),
        (mode,),
        server="database",
    )


def _names(
    name: str, script: str, host: str, answer: list[str], unresolved: Failure, *arguments: str, tcp: int = 0
) -> Client:
    return Client(name, script, f"{host}:53", answer, unresolved, arguments=arguments, tcp_queries=tcp)


def _boto3(service: str, host: str, answer: str, name: str = "", **environment: str) -> Client:
    return Client(
        f"boto3-{name or service}",
        "boto3_client.py",
        f"{host}:443",
        answer,
        Failure("EndpointConnectionError", host),
        Failure("EndpointConnectionError", host),
        (service,),
        tuple(environment.items()),
        to_address=(),
        aws=True,
    )


_WEB_ADDRESS = [PLACES["web"][1]]
_NXDOMAIN, _ARES_NOTFOUND = Failure("NXDOMAIN", "does not exist"), Failure("AresError", "Domain name not found")
# Over TCP nothing stands in for a denied query: it is not sent.
_NOT_SENT = Failure("NoNameservers", NO_PERMISSION)

CLIENTS: tuple[Client, ...] = (
    _web("requests", "ConnectionError", "ConnectionError"),
    _web("urllib3", "NameResolutionError", "NewConnectionError"),
    _web("httpx", "ConnectError", "ConnectError", http="2"),
    _web("aiohttp", "ClientConnectorDNSError", "ClientConnectorError"),
    _grpc("tls", GREETER_TLS, resolver="ares"),
    _grpc("plain", GREETER, "plain", resolver="ares"),
    _grpc("libc", GREETER, "plain", resolver="native"),
    _psycopg("require", encrypted=True),
    _psycopg("disable", encrypted=False),
    Client(
        "redis",
        "redis_client.py",
        f"{PLACES['cache'][0]}:{CACHE}",
        "value",
        Failure("ConnectionError", NO_SUCH_NAME),
        Failure("ConnectionError", NO_PERMISSION),
        server="cache",
    ),
    Client(
        "paho-mqtt",
        "paho_client.py",
        f"{PLACES['broker'][0]}:{BROKER}",
        "message",
        Failure("gaierror", NO_SUCH_NAME),
        Failure("PermissionError", NO_PERMISSION),
        server="broker",
    ),
    Client(
        "udp",
        "udp_client.py",
        f"{PLACES['echo'][0]}:{ECHO}",
        "datagram",
        Failure("gaierror", NO_SUCH_NAME),
        Failure("PermissionError", NO_PERMISSION),
        server="echo",
        protocols=("udp",),
        to_address=("udp",),
    ),
    Client("getaddrinfo", "getaddrinfo_client.py", f"{DUAL[0]}:443", DUAL[1], Failure("gaierror", NO_SUCH_NAME)),
    Client(
        "getaddrinfo-tcp",
        "getaddrinfo_client.py",
        f"{DUAL[0]}:443",
        DUAL[1],
        Failure("gaierror", "name resolution"),
        environment=(("RES_OPTIONS", "use-vc"),),
        tcp_queries=1,
    ),
    _names("dnspython", "dnspython_client.py", PLACES["web"][0], _WEB_ADDRESS, _NXDOMAIN, "A"),
    _names("dnspython-edns", "dnspython_client.py", TEXT[0], [f'"{TEXT[1][0]}"'], _NXDOMAIN, "TXT", "edns"),
    _names("dnspython-tcp", "dnspython_client.py", PLACES["web"][0], _WEB_ADDRESS, _NOT_SENT, "A", "tcp", tcp=1),
    _names("pycares", "pycares_client.py", PLACES["web"][0], _WEB_ADDRESS, _ARES_NOTFOUND, "A"),
    _names("pycares-txt", "pycares_client.py", TEXT[0], TEXT[1], _ARES_NOTFOUND, "TXT"),
    _boto3("s3", "my-bucket.s3.amazonaws.com", "body"),
    _boto3(
        "s3",
        f"my-bucket.s3.{REGION}.amazonaws.com",
        "body",
        "s3-regional",
        AWS_S3_US_EAST_1_REGIONAL_ENDPOINT="regional",
    ),
    _boto3("dynamodb", f"dynamodb.{REGION}.amazonaws.com", "1"),
    _boto3("sqs", f"sqs.{REGION}.amazonaws.com", "message"),
)
