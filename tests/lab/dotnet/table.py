"""Every attempt of .NET, and what must become of it. The deeds are in `handler/<Section>.cs`, under the same names."""

from __future__ import annotations

from collections.abc import Sequence

from runtimes.attempts import Attempt
from runtimes.outside import HTTP, IPV4, IPV6, PLAIN, WEBSOCKET, ZONE
from shielded_function_monitoring.alert import Policy

TMP: Policy = "read_write_tmp"
OUTBOUND: Policy = "outbound_connectivity"
CHILD: Policy = "create_child_process"
HANDLER: Policy = "read_handler"

_NO_ACCESS, _NO_CALL = "UnauthorizedAccessException", "Win32Exception 13"
_NO_SOCKET, _NO_NAME = "SocketException AccessDenied", "SocketException HostNotFound"


def _same(section: str, names: str, *, seen: bool = False) -> list[Attempt]:
    return [Attempt(section, name, seen=seen) for name in names.split()]


def _files(names: str, *allow: str, code: str = _NO_ACCESS, seen: bool = False) -> list[Attempt]:
    return [Attempt("files", name, TMP, (code,), allow, seen) for name in names.split()]


_OWN, _OLD, _THERE = "/tmp/{id}", "/tmp/{id}.old", "/tmp/there"
_FILES = [
    *_files("write-text write-async write-dots write-relative write-proc-root append-text", _OWN, seen=True),
    *_files("stream stream-writer handle mapped zip copy-in create-directory symlink", _OWN, seen=True),
    *_files("native-open native-syscall", _OWN, code=_NO_CALL, seen=True),
    *_files("delete-on-close", _OWN),
    *_files("unix-socket", _OWN, code=_NO_SOCKET),
    *_files("temp-file", "/tmp/tmp??????.tmp", _OWN, seen=True),
    *_files("temp-directory", "/tmp/{id}-??????", seen=True),
    *_files("named-mutex", "/tmp/.coreclr.??????", "/tmp/.dotnet*", code="IOException"),
    *_files("named-pipe", "/tmp/CoreFxPipe_{id}", code=_NO_SOCKET),
    *_files("runtimes-socket", "/tmp/dotnet-diagnostic-1-2-socket", _OWN, seen=True),
    *_files("runtimes-pipe", "/tmp/clr-debug-pipe-1-2-in", _OWN, seen=True),
    *_files("read-text read-async read-lines read-mapped copy-out mode modified", _THERE),
    *_files("assembly", "/tmp/there.dll", code="FileLoadException"),
    *_files("library", "/tmp/there.so", code="DllNotFoundException"),
    *_files("move", _OLD, _OWN, seen=True),
    *_files("delete", _OLD, seen=True),
    *_files("delete-recursive", "/tmp/{id}.folder*", code="IOException", seen=True),
    *_files("list", "/tmp"),
    # Left open by design: nothing is read or written.
    *_same("files", "exists length elsewhere"),
]


def _network(names: str, *allow: str, code: str = _NO_SOCKET) -> list[Attempt]:
    return [Attempt("network", name, OUTBOUND, (code,), allow, seen=True) for name in names.split()]


_NAME = f"{{id}}.{ZONE}*"
_NETWORK = [
    *_network("socket socket-mapped socket-async tcp-client", f"{IPV4}:{PLAIN}"),
    *_network("udp udp-connected udp-async", f"{IPV4}:{PLAIN}"),
    *_network("socket6 udp6", f"[[]{IPV6}]:{PLAIN}"),
    *_network("http web-request web-client", f"{IPV4}:{HTTP}"),
    *_network("http6", f"[[]{IPV6}]:{HTTP}"),
    *_network("websocket", f"{IPV4}:{WEBSOCKET}"),
    *_network("tcp-client-name http-name https-name dns dns-async", _NAME, code=_NO_NAME),
    *_network("dns-by-hand", _NAME, code="IOException"),
    *_network("tls-foreign-name", _NAME),
    *_same("network", "allowed-https", seen=True),
    *_same("network", "allowed-tls allowed-dns loopback"),
]


def _programs(names: str, *allow: str) -> list[Attempt]:
    return [Attempt("programs", name, CHILD, (_NO_CALL,), allow) for name in names.split()]


_PROGRAMS = [
    *_programs("start shell-execute async native-spawn", "/usr/bin/true"),
    *_programs("start-path redirect directory empty-environment", "/usr/bin/echo"),
    # A shell that is let start starts what it is told: both are proposed.
    *_programs("shell", "/usr/bin/*"),
    *_programs("runtime", "/var/lang/bin/dotnet"),
]


def _source(names: str, code: str = _NO_ACCESS) -> list[Attempt]:
    return [Attempt("source", name, HANDLER, (code,)) for name in names.split()]


_SOURCE = [
    *_source("read read-async read-relative read-proc-root stream copy metadata"),
    *_source("native-open native-syscall", _NO_CALL),
    # Left open: what a trace of the stack reads, and what .NET keeps in memory.
    *_same("source", "while-loading lazy-assembly stack-trace symbols reflection exists in-memory"),
]

ATTEMPTS: Sequence[Attempt] = (*_FILES, *_NETWORK, *_PROGRAMS, *_SOURCE)
