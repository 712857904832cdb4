"""Runs inside the sandbox: makes each attempt that is named on the command line, and prints what came of it as JSON.

An attempt is a function that returns when the forbidden thing was done, and raises OSError when it was refused.
`{"name": null}` says that it was done, `{"name": 13}` gives the errno.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
NUMBERS = {
    "x86_64": {"openat": 257, "openat2": 437, "mkdirat": 258, "connect": 42, "execveat": 322},
    "aarch64": {"openat": 56, "openat2": 437, "mkdirat": 34, "connect": 203, "execveat": 281},
}[platform.machine()]

Attempt = Callable[[], None]
ATTEMPTS: dict[str, Attempt] = {}


def attempt(function: Attempt) -> Attempt:
    ATTEMPTS[function.__name__] = function
    return function


def checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def raw(name: str, *arguments: object) -> int:
    LIBC.syscall.restype = ctypes.c_long
    return checked(LIBC.syscall(ctypes.c_long(NUMBERS[name]), *arguments))


def close(descriptor: int) -> None:
    os.close(descriptor)


@contextlib.contextmanager
def working_directory(path: str) -> Iterator[None]:
    before = os.open(".", os.O_PATH)
    try:
        os.chdir(path)
        yield
    finally:
        os.fchdir(before)
        os.close(before)


# ---- read_write_tmp: /tmp/there is a file, /tmp/folder a directory, /tmp/link a link to a file outside


@attempt
def tmp_open_new() -> None:
    close(os.open("/tmp/new", os.O_CREAT | os.O_WRONLY, 0o600))


@attempt
def tmp_open_existing() -> None:
    close(os.open("/tmp/there", os.O_RDONLY))


@attempt
def tmp_open_write_only() -> None:
    close(os.open("/tmp/there", os.O_WRONLY))


@attempt
def tmp_truncate_by_open() -> None:
    close(os.open("/tmp/there", os.O_RDONLY | os.O_TRUNC))
    assert os.stat("/tmp/there").st_size == 0


@attempt
def tmp_exclusive() -> None:
    close(os.open("/tmp/exclusive", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


@attempt
def tmp_o_path() -> None:
    close(os.open("/tmp/there", os.O_PATH))


@attempt
def tmp_o_tmpfile() -> None:
    close(os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600))


@attempt
def tmp_listdir() -> None:
    os.listdir("/tmp")


@attempt
def tmp_relative() -> None:
    with working_directory("/tmp"):
        close(os.open("there", os.O_RDONLY))


@attempt
def tmp_relative_new() -> None:
    with working_directory("/tmp"):
        close(os.open("relative", os.O_CREAT | os.O_WRONLY, 0o600))


@attempt
def tmp_dots() -> None:
    close(os.open("/var/../tmp/./folder//../there", os.O_RDONLY))


@attempt
def tmp_proc_root() -> None:
    close(os.open("/proc/self/root/tmp/there", os.O_RDONLY))


@attempt
def tmp_proc_root_new() -> None:
    close(os.open("/proc/self/root/tmp/by_root", os.O_CREAT | os.O_WRONLY, 0o600))


@attempt
def tmp_proc_cwd() -> None:
    with working_directory("/tmp"):
        close(os.open("/proc/self/cwd/there", os.O_RDWR))


@attempt
def tmp_symlink_out_of_tmp() -> None:
    close(os.open("/tmp/link", os.O_RDONLY | os.O_NOFOLLOW | os.O_PATH))


@attempt
def tmp_fopen() -> None:
    LIBC.fopen.restype = ctypes.c_void_p
    stream = LIBC.fopen(b"/tmp/there", b"r")
    if not stream:
        checked(-1)
    LIBC.fclose(ctypes.c_void_p(stream))


@attempt
def tmp_raw_openat() -> None:
    close(raw("openat", AT_FDCWD, b"/tmp/there", os.O_RDONLY, 0))


@attempt
def tmp_raw_openat2() -> None:
    how = (ctypes.c_uint64 * 3)(os.O_CREAT | os.O_RDWR, 0o600, 0)
    close(raw("openat2", AT_FDCWD, b"/tmp/two", ctypes.byref(how), ctypes.c_size_t(24)))


@attempt
def tmp_mkdir() -> None:
    os.mkdir("/tmp/made")


@attempt
def tmp_raw_mkdirat() -> None:
    raw("mkdirat", AT_FDCWD, b"/tmp/made_raw", 0o700)


@attempt
def tmp_mkdir_trailing_slash() -> None:
    os.mkdir("/tmp/made_too/")


@attempt
def tmp_rmdir() -> None:
    os.rmdir("/tmp/folder")


@attempt
def tmp_unlink() -> None:
    os.unlink("/tmp/there")


@attempt
def tmp_rename() -> None:
    os.rename("/tmp/there", "/tmp/elsewhere")


@attempt
def tmp_link() -> None:
    os.link("/tmp/there", "/tmp/second_name")


@attempt
def tmp_symlink() -> None:
    os.symlink("/etc/passwd", "/tmp/pointer")


@attempt
def tmp_truncate() -> None:
    os.truncate("/tmp/there", 0)


@attempt
def tmp_chmod() -> None:
    os.chmod("/tmp/there", 0o600)


@attempt
def tmp_utime() -> None:
    os.utime("/tmp/there")


@attempt
def tmp_mkfifo() -> None:
    os.mkfifo("/tmp/fifo")


@attempt
def tmp_setxattr() -> None:
    os.setxattr("/tmp/there", "user.shield", b"x")


@attempt
def tmp_bind() -> None:
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("/tmp/socket")


@attempt
def tmp_copy() -> None:
    shutil.copyfile("/etc/resolv.conf", "/tmp/copied")


@attempt
def tmp_in_thread() -> None:
    problems: list[OSError] = []

    def work() -> None:
        try:
            tmp_open_new()
        except OSError as error:
            problems.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if problems:
        raise problems[0]


def in_child(function: Attempt) -> None:
    child = os.fork()
    if child == 0:
        status = 0
        try:
            function()
        except OSError as error:
            status = error.errno or 255
        os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        raise OSError(status, os.strerror(status))


@attempt
def tmp_in_fork() -> None:
    in_child(tmp_open_new)


# ---- create_child_process


def run(argv: list[str], **options: object) -> None:
    done = subprocess.run(argv, check=False, capture_output=True, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise OSError(done.returncode, done.stderr)


@attempt
def child_subprocess() -> None:
    run(["/bin/echo", "hello"])


@attempt
def child_empty_environment() -> None:
    run(["/bin/echo", "hello"], env={})


@attempt
def child_by_path_search() -> None:
    run(["echo", "hello"])


@attempt
def child_posix_spawn() -> None:
    child = os.posix_spawn("/bin/echo", ["echo", "hello"], {}, file_actions=[(os.POSIX_SPAWN_CLOSE, 1)])
    os.waitpid(child, 0)


@attempt
def child_system() -> None:
    # The shell is what is refused: its status says 127, as for any shell that is missing.
    if os.waitstatus_to_exitcode(os.system("exit 0")) == 127:
        raise OSError(errno.EACCES, "no shell")


@attempt
def child_fork_exec() -> None:
    def execute() -> None:
        os.close(1)
        os.execv("/bin/echo", ["echo", "hello"])

    child = os.fork()
    if child == 0:
        try:
            execute()
        except OSError as error:
            os._exit(100 + (error.errno or 0) % 100)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status >= 100:
        raise OSError(status - 100, os.strerror(status - 100))


@attempt
def child_fexecve() -> None:
    child = os.fork()
    if child == 0:
        try:
            program = os.open("/bin/true", os.O_RDONLY)
            os.execve(program, ["true"], {})
        except OSError as error:
            os._exit(100 + (error.errno or 0) % 100)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status >= 100:
        raise OSError(status - 100, os.strerror(status - 100))


@attempt
def child_script() -> None:
    run(["/var/task/script.sh"])


@attempt
def child_loader() -> None:
    loader = "/lib64/ld-linux-x86-64.so.2" if platform.machine() == "x86_64" else "/lib/ld-linux-aarch64.so.1"
    run([loader, "/bin/true"])


# ---- outbound_connectivity: something listens at 203.0.113.9 (TCP 80) and [2001:db8::66] (TCP 80); UDP goes nowhere


def connect(family: int, address: tuple[object, ...]) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(5)
        s.connect(address)


@attempt
def net_connect() -> None:
    connect(socket.AF_INET, ("203.0.113.9", 80))


@attempt
def net_connect_ipv6() -> None:
    connect(socket.AF_INET6, ("2001:db8::66", 80))


@attempt
def net_connect_mapped() -> None:
    connect(socket.AF_INET6, ("::ffff:203.0.113.9", 80))


@attempt
def net_connect_by_name() -> None:
    socket.create_connection(("denied.example", 80), timeout=5).close()


@attempt
def net_resolve() -> None:
    socket.getaddrinfo("denied.example", 80)


@attempt
def net_resolve_labels() -> None:
    with contextlib.suppress(socket.gaierror):  # nobody answers for it: that it was asked is the point
        socket.getaddrinfo("c2VjcmV0.labels.denied.example", 80)


@attempt
def net_sendto() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"secret", ("203.0.113.9", 9999))


@attempt
def net_sendto_ipv6() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.sendto(b"secret", ("2001:db8::66", 9999))


@attempt
def net_sendmsg() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendmsg([b"sec", b"ret"], [], 0, ("203.0.113.9", 9999))


@attempt
def net_udp_connect() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("203.0.113.9", 9999))
        s.send(b"secret")


@attempt
def net_fastopen() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.sendto(b"secret", socket.MSG_FASTOPEN, ("203.0.113.9", 80))


@attempt
def net_raw_connect() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        address = b"\x02\x00" + (80).to_bytes(2, "big") + socket.inet_aton("203.0.113.9") + bytes(8)
        raw("connect", s.fileno(), address, 16)


@attempt
def net_in_fork() -> None:
    in_child(net_connect)


@attempt
def net_vsock() -> None:
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()


def query(name: str) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x10\x00\x01"


@attempt
def net_handmade_query() -> None:
    """The send itself seems to succeed; the answer says that there is no such name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(query("txt.denied.example"), ("169.254.78.1", 53))
        answer, sender = s.recvfrom(4096)
        assert sender == ("169.254.78.1", 53)
        assert answer[12:].startswith(query("txt.denied.example")[12:]), "another question than the one asked"
        if answer[3] & 15 == 3:
            raise OSError(errno.EACCES, "NXDOMAIN")


@attempt
def net_connected_query_by_write() -> None:
    """A socket that is connected to the resolver, written to with write(2), which no one reads."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("169.254.78.1", 53))
        os.write(s.fileno(), query("written.denied.example"))


@attempt
def net_query_over_tcp() -> None:
    connect(socket.AF_INET, ("169.254.78.1", 53))


def main() -> None:
    results: dict[str, int | None] = {}
    for name in sys.argv[1:]:
        try:
            ATTEMPTS[name]()
            results[name] = None
        except socket.gaierror as error:
            results[name] = 1000 - error.args[0]
        except OSError as error:
            results[name] = error.errno
        sys.stderr.flush()
        os.write(2, f"== {name}\n".encode())
    print(json.dumps(results))


if __name__ == "__main__":
    main()
