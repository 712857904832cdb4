"""What the clients talk to: real servers, each a program in the sandbox's network, at an address that is not loopback.

Ports are above 1023, because a server in the sandbox is no more privileged than the function.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from harness import programs
from lab.clients.certificates import write_certificate
from lab.clients.packages import ROOT
from shielded_function_emulator.certificates import CertificateAuthority
from shielded_function_emulator.platform_files import INTERPRETER
from shielded_function_emulator.sandbox import Sandbox, SandboxError

HOME = "/tmp/servers"  # in the sandbox: certificate, key and the servers' own files
_CERTIFICATE, _KEY, _DATA = f"{HOME}/server.crt", f"{HOME}/server.key", f"{HOME}/postgres"
_MYSQL_DATA, _KAFKA_DATA, _KAFKA_SETTINGS = f"{HOME}/mysql", f"{HOME}/kafka", f"{HOME}/kafka.properties"
# A JVM that starts soon, takes little, and leaves nothing beside the function's files in /tmp.
_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", f"-Djava.io.tmpdir={HOME}")
_SOURCES = "/var/task/servers"
_START_SECONDS = 60.0  # Kafka takes five where nothing else runs

# Server: the host name and the address that it has.
PLACES: Mapping[str, tuple[str, str]] = {
    "web": ("web.example", "198.51.100.31"),
    "greeter": ("greeter.example", "198.51.100.32"),
    "database": ("database.example", "198.51.100.33"),
    "cache": ("cache.example", "198.51.100.34"),
    "broker": ("broker.example", "198.51.100.35"),
    "echo": ("echo.example", "198.51.100.36"),
    "kafka": ("kafka.example", "198.51.100.37"),
    "mongodb": ("mongodb.example", "198.51.100.38"),
    "mysql": ("mysql.example", "198.51.100.39"),
}
WEB, GREETER_TLS, GREETER, DATABASE, CACHE, BROKER, ECHO = 8443, 50051, 50052, 5432, 6379, 1883, 9999
KAFKA, MONGODB, MYSQL = 9092, 27017, 3306
_KAFKA_CONTROLLER = 19093


def _web(address: str) -> list[str]:
    return [INTERPRETER, f"{_SOURCES}/web.py", _CERTIFICATE, _KEY, address, str(WEB)]


def _greeter(address: str) -> list[str]:
    return [INTERPRETER, f"{_SOURCES}/greeter.py", _CERTIFICATE, _KEY, address, str(GREETER_TLS), str(GREETER)]


def _database(address: str) -> list[str]:
    settings = {
        "listen_addresses": address,
        "port": DATABASE,
        "unix_socket_directories": "",
        "fsync": "off",
        "log_min_messages": "fatal",
        "ssl": "on",
        "ssl_cert_file": _CERTIFICATE,
        "ssl_key_file": _KEY,
    }
    return [programs.postgres(), "-D", _DATA, *(f"--{name}={value}" for name, value in settings.items())]


def _cache(address: str) -> list[str]:
    options = ["--bind", address, "--port", str(CACHE), "--protected-mode", "no", "--save", "", "--dir", HOME]
    return [programs.redis(), *options]


def _broker(address: str) -> list[str]:
    return [INTERPRETER, f"{_SOURCES}/broker.py", address, str(BROKER)]


def _kafka(_: str) -> list[str]:
    return [*programs.kafka(), *_JVM, "-Xmx256m", "kafka.Kafka", _KAFKA_SETTINGS]


def _mongodb(address: str) -> list[str]:
    return [*programs.mongodb(), *_JVM, "-Xmx64m", "Serve", address, str(MONGODB)]


def _mysql(address: str) -> list[str]:
    program, shared = programs.mariadb()
    settings = {
        "datadir": _MYSQL_DATA,
        "bind-address": address,
        "port": MYSQL,
        "socket": f"{HOME}/mysql.socket",
        "pid-file": f"{HOME}/mysql.pid",
        "lc-messages-dir": shared,
        "character-sets-dir": f"{shared}/charsets",
        "innodb": "OFF",
        "default-storage-engine": "Aria",
        "log-warnings": 0,
    }
    # Without tables of users there is nothing to install, and everybody may do everything.
    options = ["--no-defaults", "--skip-grant-tables", "--skip-name-resolve"]
    return [program, *options, *(f"--{name}={value}" for name, value in settings.items())]


def _prepare_database(sandbox: Sandbox) -> None:
    initdb = str(Path(programs.postgres()).parent / "initdb")
    options = ["-U", "postgres", "--auth=trust", "--no-sync", "--no-locale", "-E", "UTF8"]
    _run(sandbox, [initdb, "-D", _DATA, *options])
    with sandbox.path(f"{_DATA}/pg_hba.conf").open("a") as file:
        file.write("host all all all trust\n")


def _prepare_kafka(sandbox: Sandbox) -> None:
    """One process that is broker and controller, and formatted storage."""
    host, address = PLACES["kafka"]
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{address}:{_KAFKA_CONTROLLER}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{address}:{KAFKA},CONTROLLER://{address}:{_KAFKA_CONTROLLER}",
        "advertised.listeners": f"PLAINTEXT://{host}:{KAFKA}",
        "log.dirs": _KAFKA_DATA,
        # Defaults that are for several brokers, or take time and memory.
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "log.cleaner.enable": "false",
    }
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    sandbox.path(_KAFKA_SETTINGS).write_text(lines)
    cluster = "MkU3OEVBNTcwNTJENDM2Qk"
    storage = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", _KAFKA_SETTINGS]
    _run(sandbox, [*programs.kafka(), *_JVM, *storage])


def _prepare_mysql(sandbox: Sandbox) -> None:
    _run(sandbox, ["/bin/mkdir", _MYSQL_DATA])


def _run(sandbox: Sandbox, argv: list[str]) -> None:
    done = sandbox.run_command(argv, cwd=HOME)
    if done.returncode:
        raise SandboxError(f"{' '.join(argv)}: {done.stdout}{done.stderr}")


def _prepare_nothing(_: Sandbox) -> None:
    pass


@dataclass(frozen=True)
class _Server:
    """How a server is started, the port at which it answers when it is ready, and what is done before."""

    command: Callable[[str], list[str]]
    port: int
    prepare: Callable[[Sandbox], None] = _prepare_nothing


_SERVERS: Mapping[str, _Server] = {
    "web": _Server(_web, WEB),
    "greeter": _Server(_greeter, GREETER),
    "database": _Server(_database, DATABASE, _prepare_database),
    "cache": _Server(_cache, CACHE),
    "broker": _Server(_broker, BROKER),
    "kafka": _Server(_kafka, KAFKA, _prepare_kafka),
    "mongodb": _Server(_mongodb, MONGODB),
    "mysql": _Server(_mysql, MYSQL, _prepare_mysql),
}
# Those of the clients' tests; the others are for workloads.
_OF_CLIENTS = ("web", "greeter", "database", "cache", "broker")


@contextmanager
def _without_filter(sandbox: Sandbox) -> Iterator[None]:
    """Lambda's filter is for functions: PostgreSQL does not start without prctl."""
    sandbox.filtered = False
    try:
        yield
    finally:
        sandbox.filtered = True


class Servers:
    """The clients' servers, or those that are named, started at once. `missing`: those without a program, and why."""

    def __init__(self, sandbox: Sandbox, authority: CertificateAuthority, names: Collection[str] = _OF_CLIENTS) -> None:
        self._sandbox, self._authority, self._names = sandbox, authority, names
        self.missing: dict[str, str] = {}
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self._write_files()
        with _without_filter(self._sandbox):
            for name, server in _SERVERS.items():
                if name in self._names:
                    self._start(name, server)
        for name in self._started:
            self._await(name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._started.values():
            process.kill()
            process.wait()

    def _start(self, name: str, server: _Server) -> None:
        try:
            argv = server.command(PLACES[name][1])
        except programs.Missing as missing:
            self.missing[name] = str(missing)
            return
        server.prepare(self._sandbox)
        # What it says is read only when it does not start: its log levels keep it short of a pipe's room.
        environment = {"PYTHONPATH": ROOT, **programs.environment()}
        self._started[name] = self._sandbox.start(argv, environment=environment, cwd=HOME)

    def _write_files(self) -> None:
        tmp = self._sandbox.path("/tmp")
        home = tmp / Path(HOME).relative_to("/tmp")
        home.mkdir()
        files = write_certificate(self._authority, [name for name, _ in PLACES.values()], home)
        files.key.chmod(0o600)
        for path in (home, *files):
            os.chown(path, tmp.stat().st_uid, tmp.stat().st_gid)

    def _await(self, name: str) -> None:
        process, place = self._started[name], (PLACES[name][1], _SERVERS[name].port)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            with self._sandbox.socket() as probe:
                if probe.connect_ex(place) == 0:
                    return
            time.sleep(0.02)
        process.kill()
        said = b"".join(process.communicate()).decode(errors="replace")
        raise SandboxError(f"{name} did not start: {said[-2000:]}")


class EchoServer:
    """Sends each datagram back, and remembers it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.datagrams: list[bytes] = []

    def __enter__(self) -> Self:
        self._socket = self._sandbox.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((PLACES["echo"][1], ECHO))
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                data, sender = self._socket.recvfrom(2048)
            except OSError:
                return
            self.datagrams.append(data)
            self._socket.sendto(data, sender)
