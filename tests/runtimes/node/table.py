"""Every attempt of Node.js, and what must become of it. The deeds are in `handler/attempts/<section>.mjs`."""

from __future__ import annotations

from dataclasses import replace

from runtimes.attempts import Attempt
from runtimes.outside import ALLOWED, HTTP, HTTPS, IPV4, IPV6, NAME_SERVER, PLAIN, ZONE
from shielded_function_monitoring.alert import Policy

TMP: Policy = "read_write_tmp"
OUTBOUND: Policy = "outbound_connectivity"
CHILD: Policy = "create_child_process"
HANDLER: Policy = "read_handler"

# What is tried in a thread of its own too: something of every policy.
_IN_THREADS = {
    *("files-write-sync", "files-write-promise", "files-read-stream"),
    *("network-fetch-address", "network-net-name", "network-dgram-address", "network-resolve4"),
    *("programs-exec", "programs-spawn-sync", "source-read-promise", "source-lazy-import"),
}


def _denied(
    section: str, policy: Policy, names: str, code: str | int, *allow: str, seen: bool = False
) -> list[Attempt]:
    return [Attempt(section, name, policy, (code,), allow, seen) for name in names.split()]


def _same(section: str, names: str, *, seen: bool = False) -> list[Attempt]:
    return [Attempt(section, name, seen=seen) for name in names.split()]


def _files(names: str, *allow: str, code: str | int = "EACCES", seen: bool = False) -> list[Attempt]:
    return _denied("files", TMP, names, code, *allow, seen=seen)


_THERE, _OWN, _OLD = "/tmp/there", "/tmp/{id}", "/tmp/{id}.old"
_FILES = [
    *_files("write-sync write-promise write-stream write-proc-root write-buffer-path", _OWN, seen=True),
    *_files("write-dots write-proc-cwd write-relative open-a open-exclusive open-truncate", _OWN, seen=True),
    *_files("open-handle native report copy-sync mkdir symlink", _OWN, seen=True),
    *_files("open-existing read-sync read-text read-promise read-stream", _THERE),
    *_files("copy-from read-binding truncate chmod utimes lutimes", _THERE),
    *_files("readdir opendir", "/tmp"),
    *_files("unlink", _OLD, seen=True),
    *_files("unix-socket", _OWN),
    *_files("require", "/tmp/there.cjs"),
    *_files("import", "/tmp/there.mjs"),
    # Its error has no code but the number of its kind.
    *_files("read-blob", _THERE, code=0),
    *_files("dlopen", "/tmp/native.node", code="ERR_DLOPEN_FAILED"),
    replace(_files("sqlite", "/tmp*", code="ERR_SQLITE_ERROR", seen=True)[0], since=22),
    # What is made, moved or taken away has more names than one, all of which an alert proposes.
    *_files("copy-tree copy-tree-sync mkdir-recursive", f"{_OWN}*", seen=True),
    *_files("mkdtemp", "/tmp/{id}-??????", seen=True),
    *_files("rename", f"{_OWN}*", seen=True),
    *_files("link", "/tmp/*", seen=True),
    *_files("rm-recursive", "/tmp/{id}.folder*", seen=True),
    *_files("rmdir", "/tmp/{id}.empty", seen=True),
    # Left open by design: nothing is read or written.
    *_same("files", "stat access watch"),
]


def _network(names: str, *allow: str, code: str | int = "EACCES") -> list[Attempt]:
    return _denied("network", OUTBOUND, names, code, *allow, seen=True)


_NAME = f"{{id}}.{ZONE}*"
_NETWORK = [
    *_network("http-name net-name net-one-family tls-name dgram-name fetch-name lookup", _NAME, code="ENOTFOUND"),
    *_network("http-address fetch-address", f"{IPV4}:{HTTP}"),
    *_network("fetch-address6", f"[[]{IPV6}]:{HTTP}"),
    *_network("tls-address", f"{IPV4}:{HTTPS}"),
    *_network("net-address net-mapped net-own-lookup", f"{IPV4}:{PLAIN}"),
    *_network("net-other-port", f"{ALLOWED}:{PLAIN}"),
    *_network("dgram-address dgram-mapped dgram-connected", f"{IPV4}:{PLAIN}"),
    *_network("net-address6 dgram-address6", f"[[]{IPV6}]:{PLAIN}"),
    # The connection ends with the write that is refused.
    *_network("tls-foreign-name", _NAME, code="ECONNRESET"),
    *_network("resolve4 resolve6 resolve-any resolve-txt resolver", _NAME, code="ENOTFOUND"),
    *_network("resolve-srv", f"_http._tcp.{_NAME}", code="ENOTFOUND"),
    # c-ares asks a name server that it cannot reach a second time, and then says that it was refused.
    *_network("resolver-elsewhere", f"{NAME_SERVER}:53", _NAME, code="ECONNREFUSED"),
    *_denied("network", OUTBOUND, "resolver-allowed-name-elsewhere", "ECONNREFUSED", f"{NAME_SERVER}:53"),
    *_same("network", "allowed-https allowed-fetch allowed-tls", seen=True),
    *_same("network", "allowed-lookup allowed-resolve loopback-http loopback-datagram"),
]


def _programs(names: str, *allow: str) -> list[Attempt]:
    return _denied("programs", CHILD, names, "EACCES", *allow)


_PROGRAMS = [
    # A shell that is let start starts what it is told: both are proposed.
    *_programs("exec exec-sync", "/usr/bin/*"),
    *_programs("spawn spawn-path spawn-no-environment spawn-sync", "/usr/bin/echo"),
    *_programs("spawn-detached binding", "/usr/bin/echo"),
    *_programs("spawn-self spawn-proc-self fork cluster", "/var/lang/bin/node"),
    *_programs("spawn-loader", "unshielded:/*/ld-linux-*"),
]


def _source(names: str, code: str | int = "EACCES") -> list[Attempt]:
    return _denied("source", HANDLER, names, code)


_SOURCE = [
    *_source("read-sync read-text read-promise read-proc-root read-buffer-path read-relative read-proc-cwd"),
    *_source("read-stream copy extension read-map import-again worker-of-it"),
    *_source("read-blob", code=0),
    # An ES module is loaded by `require` only since then.
    replace(_source("require-again")[0], module_since=22),
    *_same("source", "lazy-import lazy-require lazy-json list stat stack while-loading"),
    # Not stopped: JavaScript keeps the source of what it runs in memory.
    *_same("source", "in-memory"),
]

ATTEMPTS = [
    replace(attempt, threads=attempt.id in _IN_THREADS) for attempt in (*_FILES, *_NETWORK, *_PROGRAMS, *_SOURCE)
]
