"""Every attempt of Java's, and what the shield makes of it: which policy denies it, what Java says then, and what the
alert is about. The deeds themselves are in `handler/attempts` and `newer/attempts`, under the same names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OUTBOUND, TMP = "outbound_connectivity", "read_write_tmp"
CHILD, HANDLER = "create_child_process", "read_handler"
LINES = (8, 11, 17, 21, 25)
FROM_11 = LINES[1:]  # for handlers that use what Java 8 has not


@dataclass(frozen=True)
class Attempt:
    """One attempt.

    Attributes:
        name: the deed's.
        policy: the policy that denies it; empty: none does, whatever the modes are.
        says: a pattern of what Java says when it is denied.
        about: a detail of the alert, `name=value`, of which the value may go on.
        since: the first version of Java that has it.
        lacks: versions whose JDK here does not have it.
        listed: whether `LISTS` allow it.
    """

    name: str
    policy: str = ""
    says: str = ""
    about: str = ""
    since: int = 8
    lacks: tuple[int, ...] = ()
    listed: bool = True

    def is_in(self, line: int) -> bool:
        """Whether this version of Java can make it."""
        return line >= self.since and line not in self.lacks


_NEW_FILE = r"^java\.nio\.file\.AccessDeniedException: "
_OLD_FILE = r"^java\.io\.FileNotFoundException: /tmp/.* \(Permission denied\)$"
_SAID_NO = r"^java\.io\.IOException: said no$"
_OLD_CREATE = r"^java\.io\.IOException: Permission denied$"


def _tmp(names: str, says: str, about: str, since: int = 8) -> list[Attempt]:
    return [Attempt(name, TMP, says, "path=" + about.format(name), since) for name in names.split()]


_TMP = [
    *_tmp("file_output_stream file_print_writer file_random_access", _OLD_FILE, "/tmp/{}"),
    *_tmp("file_append file_input_stream file_random_access_read", _OLD_FILE, "/tmp/given/{}"),
    *_tmp("file_create", _OLD_CREATE, "/tmp/{}"),
    *_tmp("file_create_temp", _OLD_CREATE, "/tmp/file"),
    *_tmp("file_mkdir file_mkdirs", _SAID_NO, "/tmp/{}"),
    *_tmp("file_delete file_rename file_set_readonly file_set_modified", _SAID_NO, "/tmp/given/{}"),
    *_tmp("file_list", _SAID_NO, "/tmp/given"),
    *_tmp("files_write files_writer files_create_directory files_copy_in files_symlink", _NEW_FILE, "/tmp/{}"),
    *_tmp("files_read files_copy_within files_move files_delete files_link", _NEW_FILE, "/tmp/given/{}"),
    *_tmp("files_lines files_through_proc files_relative", _NEW_FILE, "/tmp/given/{}"),
    *_tmp("files_permissions files_modified", _NEW_FILE, "/tmp/given/{}"),
    *_tmp("files_create_temp files_create_temp_dir", _NEW_FILE, "/tmp/files"),
    *_tmp("files_list files_walk", _NEW_FILE, "/tmp/given"),
    Attempt("files_zip", TMP, _NEW_FILE, "path=/tmp/files.zip", lacks=(11,)),
    *_tmp("channel_write channel_map channel_transfer channel_asynchronous", _NEW_FILE, "/tmp/{}"),
    *_tmp("channel_delete_on_close", _NEW_FILE, "/tmp/{}"),
    *_tmp("channel_truncate channel_map_read", _NEW_FILE, "/tmp/given/{}"),
    # What the runtime itself needs there is closed once it has started.
    *_tmp("runtimes_counters", _NEW_FILE, "/tmp/hsperfdata_function/2"),
    *_tmp("runtimes_directory", _NEW_FILE, "/tmp/hsperfdata_later"),
    *_tmp("runtimes_library_read runtimes_library_changed", _NEW_FILE, "/tmp/.libaws-lambda-jni.so"),
    *_tmp("runtimes_other_library", _NEW_FILE, "/tmp/.libaws-lambda-jni.so.1"),
    Attempt("runtimes_counters_while_loading"),
    # Tells of changes to names, as `stat` does.
    Attempt("files_watch"),
]

# By the class of the call. Java 11 has no class for EACCES.
_DENIED = r"^java\.(net\.(Bind|Connect|Socket)|io\.IO)Exception: Permission denied"
_UNKNOWN = r"^java\.net\.UnknownHostException: "
_CLIENT = r"^java\.net\.ConnectException.*(Permission denied|UnresolvedAddressException)$"
_NETTY = r"^io\.netty\.channel\.AbstractChannel\$Annotated\w+Exception: .*Permission denied"
_WEB, _SINK = "ip=203.0.113.9", "port=9999"


def _network(names: str, says: str, about: str, since: int = 8) -> list[Attempt]:
    return [Attempt(name, OUTBOUND, says, about, since) for name in names.split()]


_NETWORK = [
    *_network("socket socket_with_timeout socket_without_proxy", _DENIED, _WEB),
    *_network("http_url_connection http_url_stream", _DENIED, _WEB),
    *_network("socket_channel socket_channel_selector socket_channel_asynchronous", _DENIED, _WEB),
    *_network("http_client http_client_2", _CLIENT, _WEB, since=11),
    *_network("http_client_by_name", _CLIENT, "host=client.denied.example", since=11),
    *_network(
        "http_client_asynchronous", r"ExecutionException: .*(Bind|Socket)Exception: Permission denied$", _WEB, 11
    ),
    *_network("socket_v6", _DENIED, "ip=2001:db8::66"),
    *_network("socket_virtual_thread", _DENIED, _WEB, since=21),
    *_network("datagram_socket datagram_socket_connected multicast_socket", _DENIED, _SINK),
    *_network("datagram_channel datagram_channel_connected", _DENIED, _SINK),
    *_network("netty_nio netty_epoll", _NETTY, _WEB),
    *_network("netty_nio_datagram", _DENIED, _SINK),
    *_network("netty_epoll_datagram", r"NativeIoException: sendToAddress.*Permission denied", _SINK),
    *_network("name", _UNKNOWN, "host=name.denied.example"),
    *_network("name_all", _UNKNOWN, "host=all.denied.example"),
    *_network("socket_by_name", _UNKNOWN, "host=socket.denied.example"),
    Attempt(
        "name_jndi", OUTBOUND, r"^javax\.naming\.NameNotFoundException: ", "host=jndi.denied.example", lacks=(11, 21)
    ),
    # Netty's native transport, from where java.library.path leads: nothing is denied, and nothing reported.
    Attempt("netty_epoll_available"),
]

# These go to a partner whose name is listed, and whose servers have other tenants.
TLS = [
    Attempt("tls_own_name"),
    Attempt("tls_http_client", since=11),
    Attempt("tls_foreign_name", OUTBOUND, r"java\.net\.SocketException: Permission denied", "sni=foreign.example"),
    Attempt("tls_without_name", OUTBOUND, r"java\.net\.SocketException: Permission denied", "protocol=tls"),
]

_NO_PROGRAM = r"^java\.io\.IOException: Cannot run program .*(error=13, |error: 13 \()Permission denied"


def _programs(names: str, about: str, since: int = 8) -> list[Attempt]:
    return [Attempt(name, CHILD, _NO_PROGRAM, "path=" + about, since) for name in names.split()]


PROGRAMS = [
    *_programs("process_builder process_builder_on_path process_builder_empty_environment", "/usr/bin/id"),
    *_programs("process_builder_empty_preload process_builder_directory process_builder_redirect", "/usr/bin/id"),
    *_programs("runtime_exec runtime_exec_environment", "/usr/bin/id"),
    *_programs("shell", "/usr/bin/"),
    *_programs("process_pipeline", "/usr/bin/", since=11),
]


def _source(names: str, says: str, what: str = "attempts/Handler.class") -> list[Attempt]:
    return [Attempt(name, HANDLER, says, f"path=/var/task/{what}", listed=False) for name in names.split()]


_CLOSED_FILE = r"FileNotFoundException: /var/task/.* \(Permission denied\)$"
SOURCE = [
    *_source("source_read source_channel source_through_proc", _NEW_FILE),
    *_source("source_stream source_url source_class_loader", _CLOSED_FILE),
    *_source("source_resource", r"^java\.io\.FileNotFoundException: no such resource$"),
    *map(Attempt, ("source_while_loading", "lazy_class", "lazy_inner_class", "lazy_resource", "stack_trace")),
]
# With the handler in a jar. The JVM holds the jar open: what it reads through that is not stopped.
JAR = [
    *_source("jar_read", _NEW_FILE, "lib/handler.jar"),
    *map(Attempt, ("source_while_loading", "jar_zip_file", "jar_resource")),
    *map(Attempt, ("lazy_class", "lazy_inner_class", "lazy_resource")),
    # Without the native library beside it, Netty unpacks it to /tmp; NIO goes on working.
    Attempt(
        "netty_epoll_available",
        TMP,
        r"^java\.lang\.UnsatisfiedLinkError: .*AccessDeniedException: /tmp/libnetty",
        "path=/tmp/libnetty_transport_native_epoll",
    ),
    Attempt("netty_nio", OUTBOUND, _NETTY, _WEB),
]

_FOREIGN = Attempt("foreign_open", TMP, r"^java\.io\.IOException: errno 13$", "path=/tmp/foreign_open", since=22)

ATTEMPTS = [*_TMP, *_NETWORK, *PROGRAMS, *SOURCE, _FOREIGN]

# The settings with which all of them are allowed but to read the handler, and TLS under another's name.
LISTS: Mapping[str, str] = {
    "SHIELD_ALLOW_OUTBOUND": "203.0.113.0/24,2001:db8::/64,*.denied.example,partner.example:443",
    "SHIELD_ALLOW_TMP": "/tmp/**",
    "SHIELD_ALLOW_CHILD_PROCESS": "/usr/bin/id,/usr/bin/cat,/bin/sh",
}
