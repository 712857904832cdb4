"""Every attempt of Java's, and what must become of it: which policy denies it, what Java says then, and what the alert
proposes. The deeds themselves are in `handler/attempts` and `newer/attempts`, under the same names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runtimes.attempts import Attempt
from runtimes.outside import ALLOWED, ALLOWED_ADDRESS, HTTP, HTTPS, IPV4, IPV6, PLAIN, ZONE
from shielded_function_monitoring.alert import Policy

OUTBOUND: Policy = "outbound_connectivity"
TMP: Policy = "read_write_tmp"
CHILD: Policy = "create_child_process"
HANDLER: Policy = "read_handler"
LINES = (8, 11, 17, 21, 25)
FROM_11 = LINES[1:]  # for handlers that use what Java 8 has not


def _denied(
    policy: Policy, names: str, says: str, *allow: str, seen: bool = False, since: int = 8, lacks: Sequence[int] = ()
) -> list[Attempt]:
    row = {"policy": policy, "allow": allow, "seen": seen, "since": since, "says": says, "lacks": lacks}
    return [Attempt("", name, **row) for name in names.split()]


def _same(names: str, since: int = 8, *, seen: bool = False) -> list[Attempt]:
    return [Attempt("", name, since=since, seen=seen) for name in names.split()]


_NEW_FILE = r"^java\.nio\.file\.AccessDeniedException: "
_OLD_FILE = r"^java\.io\.FileNotFoundException: /tmp/.* \(Permission denied\)$"
_SAID_NO = r"^java\.io\.IOException: said no$"
_OLD_CREATE = r"^java\.io\.IOException: Permission denied$"


def _tmp(names: str, says: str, allow: str = "/tmp/{id}*", *, seen: bool = False) -> list[Attempt]:
    return _denied(TMP, names, says, allow, seen=seen)


_TMP = [
    *_tmp("file_output_stream file_random_access", _OLD_FILE, seen=True),
    *_tmp("file_input_stream", _OLD_FILE),
    *_tmp("file_create", _OLD_CREATE, seen=True),
    *_tmp("file_mkdir file_delete file_rename", _SAID_NO, seen=True),
    *_tmp("file_set_readonly file_set_modified file_list", _SAID_NO),
    *_tmp("files_write files_create_directory files_copy_in files_symlink", _NEW_FILE, seen=True),
    *_tmp("files_move files_delete files_link files_create_temp", _NEW_FILE, seen=True),
    *_tmp("files_read files_through_proc files_relative files_list", _NEW_FILE),
    *_tmp("channel_write channel_map channel_transfer channel_asynchronous", _NEW_FILE, seen=True),
    # What the runtime itself needs there is closed once it has started.
    *_tmp("runtimes_counters", _NEW_FILE, "/tmp/hsperfdata_function/2"),
    *_tmp("runtimes_directory", _NEW_FILE, "/tmp/hsperfdata_later"),
    *_tmp("runtimes_library_read runtimes_library_changed", _NEW_FILE, "/tmp/.libaws-lambda-jni.so"),
    *_tmp("runtimes_other_library", _NEW_FILE, "/tmp/.libaws-lambda-jni.so.1"),
    *_same("runtimes_counters_while_loading"),
    # Tells of changes to names, as `stat` does.
    *_same("files_watch"),
]

# By the class of the call. Java 11 has no class for EACCES.
_DENIED = r"^java\.(net\.(Bind|Connect|Socket)|io\.IO)Exception: Permission denied"
_UNKNOWN = r"^java\.net\.UnknownHostException: "
_CLIENT = r"^java\.net\.ConnectException.*(Permission denied|UnresolvedAddressException)$"
_NETTY = r"^io\.netty\.channel\.AbstractChannel\$Annotated\w+Exception: .*Permission denied"
_WEB, _SINK = f"{IPV4}:{HTTP}", f"{IPV4}:{PLAIN}"


def _network(names: str, says: str, allow: str, since: int = 8, *, seen: bool = False) -> list[Attempt]:
    return _denied(OUTBOUND, names, says, allow, since=since, seen=seen)


_NETWORK = [
    *_network("socket socket_with_timeout http_url_connection", _DENIED, _WEB),
    *_network("socket_channel socket_channel_selector socket_channel_asynchronous", _DENIED, _WEB),
    *_network("http_client", _CLIENT, _WEB, since=11),
    *_network("http_client_by_name", _CLIENT, f"client.{ZONE}*", since=11),
    *_network("socket_v6", _DENIED, f"[[]{IPV6}]:{HTTP}"),
    *_network("socket_virtual_thread", _DENIED, _WEB, since=21),
    *_network("datagram_socket datagram_channel datagram_channel_connected", _DENIED, _SINK, seen=True),
    *_network("netty_epoll", _NETTY, _WEB),
    *_network("netty_epoll_datagram", r"NativeIoException: sendToAddress.*Permission denied", _SINK),
    *_network("name", _UNKNOWN, f"one.{ZONE}"),
    *_network("socket_by_name", _UNKNOWN, f"stream.{ZONE}*"),
    *_denied(OUTBOUND, "name_jndi", r"^javax\.naming\.NameNotFoundException: ", f"jndi.{ZONE}", lacks=(11, 21)),
    # Netty's native transport, from where java.library.path leads: nothing is denied, and nothing reported.
    *_same("netty_epoll_available"),
]

# These go to a partner whose name is listed, and whose servers have other tenants.
_BROKEN = r"java\.net\.SocketException: Permission denied"
TLS = [
    *_same("tls_own_name"),
    *_same("tls_http_client", since=11),
    # The notice that JSSE closes by has no name any more.
    *_denied(OUTBOUND, "tls_foreign_name", _BROKEN, f"foreign.example:{HTTPS}", f"{ALLOWED_ADDRESS}:{HTTPS}"),
    *_network("tls_without_name", _BROKEN, f"{ALLOWED_ADDRESS}:{HTTPS}"),
]

_NO_PROGRAM = r"^java\.io\.IOException: Cannot run program .*(error=13, |error: 13 \()Permission denied"


PROGRAMS = [
    *_denied(
        CHILD,
        "process_builder process_builder_on_path process_builder_empty_environment process_builder_directory "
        "runtime_exec_environment",
        _NO_PROGRAM,
        "/usr/bin/id",
    ),
    *_denied(CHILD, "shell", _NO_PROGRAM, "/usr/bin/*"),
    *_denied(CHILD, "process_pipeline", _NO_PROGRAM, "/usr/bin/*", since=11),
]

_CLOSED_FILE = r"FileNotFoundException: /var/task/.* \(Permission denied\)$"
SOURCE = [
    *_denied(HANDLER, "source_read source_channel source_through_proc", _NEW_FILE),
    *_denied(HANDLER, "source_stream source_class_loader", _CLOSED_FILE),
    *_denied(HANDLER, "source_resource", r"^java\.io\.FileNotFoundException: no such resource$"),
    *_same("source_while_loading lazy_class lazy_resource stack_trace"),
]
# With the handler in a jar. The JVM holds the jar open: what it reads through that is not stopped.
JAR = [
    *_denied(HANDLER, "jar_read", _NEW_FILE),
    *_same("source_while_loading jar_zip_file jar_resource lazy_class lazy_resource"),
    # Without the native library beside it, Netty unpacks it to /tmp.
    *_denied(
        TMP,
        "netty_epoll_available",
        r"^java\.lang\.UnsatisfiedLinkError: .*AccessDeniedException: /tmp/libnetty",
        "/tmp/libnetty_transport_native_epoll*",
    ),
]

_FOREIGN = _denied(TMP, "foreign_open", r"^java\.io\.IOException: errno 13$", "/tmp/{id}", seen=True, since=22)

ATTEMPTS = [*_TMP, *_NETWORK, *PROGRAMS, *SOURCE, *_FOREIGN]

# The settings with which all of them are allowed but to read the handler, and TLS under another's name.
LISTS: Mapping[str, str] = {
    "SHIELD_ALLOW_OUTBOUND": f"203.0.113.0/24,2001:db8::/64,*.{ZONE},{ALLOWED}:{HTTPS}",
    "SHIELD_ALLOW_TMP": "/tmp/**",
    "SHIELD_ALLOW_CHILD_PROCESS": "/usr/bin/id,/usr/bin/cat,/bin/sh",
}
