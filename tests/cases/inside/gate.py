"""The engine and its own safety, first part: ways in, ways out, alerts (CASES 31-37, 40, 41)."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib
import mmap
import os
import resource
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from common import (
    AT_FDCWD,
    LIBC,
    MARK,
    Helpers,
    absent,
    attempt,
    checked,
    content,
    errno_of,
    in_child,
    libc,
    number_of,
    opened,
    raw,
    refuses_to_start,
    run,
    unchanged,
    working_directory,
)

TMP = "read_write_tmp"
NET = "outbound_connectivity"
SELF = "self_protection"
THERE = b"/tmp/there"
HELP = Helpers("help")


def from_c(result: int) -> int:
    """Helpers in C give -errno."""
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


# ---- ways into the kernel (31)


def second_handle(name: str) -> ctypes.CDLL:
    return ctypes.CDLL(name, use_errno=True)


@attempt(TMP)
def entry_ctypes_libc() -> str:
    return content(checked(second_handle("libc.so.6").open(THERE, os.O_RDONLY)))


@attempt(NET)
def entry_ctypes_connect() -> None:
    with socket.socket() as s:
        address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(80), socket.inet_aton("203.0.113.9"))
        checked(second_handle("libc.so.6").connect(s.fileno(), address, 16))


@attempt(TMP)
def entry_pythonapi() -> str:
    """Through the interpreter's own handle."""
    return content(checked(ctypes.CDLL(None, use_errno=True).openat(AT_FDCWD, THERE, os.O_RDONLY)))


@attempt(TMP)
def entry_libc_syscall() -> str:
    return content(raw("openat", AT_FDCWD, THERE, os.O_RDONLY, 0))


@attempt(TMP)
def entry_syscall_from_c() -> str:
    function = HELP.system_call
    function.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_char_p, *[ctypes.c_long] * 4)
    return content(from_c(function(number_of("openat"), AT_FDCWD, THERE, 0, 0, 0, 0)))


@attempt(TMP)
def entry_open_nocancel() -> str:
    return content(from_c(HELP.nocancel_open(THERE)))


@attempt(TMP)
def entry_open64_nocancel() -> str:
    function = getattr(ctypes.CDLL("libc.so.6", use_errno=True), "__open64_nocancel")
    return content(checked(function(THERE, os.O_RDONLY)))


@attempt(TMP)
def entry_second_libc() -> str:
    """A copy of libc in a link-map namespace of its own."""
    return content(from_c(ctypes.CDLL("/var/task/libnamespace.so").open_in_second_libc(THERE)))


@attempt(TMP)
def entry_vfork_child() -> None:
    from_c(HELP.vfork_create(b"/tmp/new"))


INLINE = ("open_with_constant", "open_with_pushed_number", "open_with_jump", "open_with_variable")


def inline(path: str = "/var/task/libinline.so") -> ctypes.CDLL:
    library = ctypes.CDLL(path)
    for name in (*INLINE, "create_directory", "connect_to"):
        getattr(library, name).restype = ctypes.c_long
    return library


def by_inline(function: str) -> None:
    def case() -> str:
        return content(from_c(getattr(inline(), function)(THERE)))

    case.__name__ = f"entry_inline_{function}"
    attempt(TMP)(case)


for _function in INLINE:
    by_inline(_function)


@attempt(TMP)
def entry_inline_create_directory() -> None:
    from_c(inline().create_directory(b"/tmp/made"))


@attempt(NET)
def entry_inline_connect() -> None:
    with socket.socket() as s:
        address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(80), socket.inet_aton("203.0.113.9"))
        from_c(inline().connect_to(s.fileno(), address, 16))


@attempt(TMP)
def entry_inline_from_memory_file() -> str:
    """executable_memory is allowed here: the library runs, but what it asks for is judged."""
    descriptor = os.memfd_create("library")
    with open("/var/task/libinline.so", "rb") as f:
        os.write(descriptor, f.read())
    library = inline(f"/proc/self/fd/{descriptor}")
    os.close(descriptor)
    return content(from_c(library.open_with_constant(THERE)))


@attempt(TMP)
def entry_inline_mapped_by_hand() -> str:
    """The library's text, mapped without the loader's help."""
    with opened("/var/task/libinline.so") as f:
        base, offset = mapped_text(f, "open_with_constant")
    function = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_char_p)(base + offset)
    return content(from_c(function(THERE)))


def mapped_text(descriptor: int, symbol: str) -> tuple[int, int]:
    """Maps all of a library executable, and says where a symbol of it lies (address = file offset in its text)."""
    library = inline()
    loaded = ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value or 0
    offset = 0
    with open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split()
            low, high = (int(part, 16) for part in fields[0].split("-"))
            if low <= loaded < high:
                offset = loaded - low + int(fields[2], 16)
    size = os.fstat(descriptor).st_size
    base = LIBC.mmap(None, ctypes.c_size_t(size), 5, mmap.MAP_PRIVATE, descriptor, ctypes.c_long(0))
    if base == ctypes.c_void_p(-1).value:
        checked(-1)
    return base, offset


@attempt(TMP)
def entry_loader_opens() -> int:
    """The loader has system calls of its own: dlopen of something in /tmp."""
    try:
        ctypes.CDLL("/tmp/there")
    except OSError as error:
        if "invalid ELF" in str(error) or "too short" in str(error):
            return 0  # it was read, and found not to be a library
        raise PermissionError(13, str(error)) from None
    return 1


# ---- ways to leave the shield (35)


def leave(**facts: Any) -> Any:
    facts.setdefault("refusal", (1,))
    return attempt(SELF, **facts)


@absent(SELF, unless="io_uring may be switched off (kernel.io_uring_disabled)")
def leave_io_uring() -> int:
    parameters = ctypes.create_string_buffer(120)
    ring = raw("io_uring_setup", 4, parameters)
    os.close(ring)
    return 1


@leave(box="unfiltered")
def leave_process_vm_writev() -> str:
    target = ctypes.create_string_buffer(b"before")
    new = ctypes.create_string_buffer(b"after!")
    local = (ctypes.c_void_p * 2)(ctypes.addressof(new), 6)
    remote = (ctypes.c_void_p * 2)(ctypes.addressof(target), 6)
    raw("process_vm_writev", os.getpid(), local, 1, remote, 1, 0)
    return target.value.decode()


@leave(box="unfiltered")
def leave_ptrace() -> str:
    def ask() -> str:
        raw("ptrace", 0, 0, None, None)  # PTRACE_TRACEME
        return "traced"

    return in_child(ask)


@leave(box="unfiltered", alerts=(1, 2))
def leave_ptrace_attach() -> str:
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    try:
        raw("ptrace", 16, child, None, None)  # PTRACE_ATTACH
        os.waitpid(child, 0)
        raw("ptrace", 17, child, None, None)
        return "attached"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@leave(box="unfiltered", unless="userfaultfd may not be built in")
def leave_userfaultfd() -> int:
    os.close(raw("userfaultfd", os.O_CLOEXEC | 1))  # UFFD_USER_MODE_ONLY
    return 1


@leave(box="unfiltered", unless="bpf(2) may be closed to users (kernel.unprivileged_bpf_disabled)")
def leave_bpf() -> int:
    attributes = (ctypes.c_uint32 * 16)(2, 4, 4, 1)  # BPF_MAP_TYPE_ARRAY
    os.close(raw("bpf", 0, attributes, 64))
    return 1


@leave(box="privileged", unless="handles may be the host administrator's only")
def leave_open_by_handle() -> str:
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    raw("name_to_handle_at", AT_FDCWD, THERE, handle, ctypes.byref(mount), 0)
    with opened("/tmp") as tmp:
        return content(raw("open_by_handle_at", tmp, handle, os.O_RDONLY))


@leave(box="privileged", alerts=(1, 2))
def leave_mount() -> str:
    raw("mount", b"none", b"/tmp/folder", b"tmpfs", 0, None)
    raw("umount2", b"/tmp/folder", 2)
    return "mounted"


@leave(box="privileged", alerts=(1, 3), says=(SELF, TMP))
def leave_bind_mount() -> str:
    raw("mount", b"/tmp", b"/var", b"none", 4096, None)
    try:
        return content(os.open("/var/there", os.O_RDONLY))
    finally:
        raw("umount2", b"/var", 2)


@leave(box="privileged", alone=True)
def leave_umount() -> str:
    raw("umount2", b"/var/task/mounted", 2)  # by privileged.py
    return "unmounted"


@leave(box="privileged", alerts=(1, 2), says=(SELF, TMP))
def leave_open_tree() -> str:
    tree = raw("open_tree", AT_FDCWD, b"/tmp", 1)  # OPEN_TREE_CLONE
    try:
        return content(os.open("there", os.O_RDONLY, dir_fd=tree))
    finally:
        os.close(tree)


@leave(box="privileged", alerts=(1, 2), says=(SELF, TMP))
def leave_open_tree_without_clone() -> str:
    """It opens like O_PATH: no privilege is needed."""
    tree = raw("open_tree", AT_FDCWD, b"/tmp", 0)
    try:
        return content(os.open("there", os.O_RDONLY, dir_fd=tree))
    finally:
        os.close(tree)


@leave(box="privileged")
def leave_fsopen() -> int:
    os.close(raw("fsopen", b"tmpfs", 0))
    return 1


@leave(box="privileged")
def leave_fspick() -> int:
    os.close(raw("fspick", AT_FDCWD, b"/var/task", 0))
    return 1


@leave(box="privileged", unless="mount_setattr is Linux 5.12's")
def leave_mount_setattr() -> str:
    attributes = (ctypes.c_uint64 * 4)(2, 0, 0, 0)  # MOUNT_ATTR_NOSUID
    raw("mount_setattr", AT_FDCWD, b"/var/task", 0, attributes, 32)
    return "changed"


@leave(box="privileged")
def leave_chroot() -> bool:
    def change() -> bool:
        raw("chroot", b"/var/task")
        return os.path.exists("/app.py")

    return in_child(change)


@leave(box="privileged")
def leave_pivot_root() -> str:
    def pivot() -> str:
        raw("pivot_root", b".", b".")
        return "moved"

    return errno_means_reached(lambda: in_child(pivot))


def errno_means_reached(function: Callable[[], Any]) -> Any:
    """EINVAL is the kernel's own answer to such arguments: the call got through."""
    try:
        return function()
    except OSError as error:
        if error.errno == 22:
            return "the kernel looked at it"
        raise


@leave(box="unfiltered")
def leave_unshare() -> bool:
    def change() -> bool:
        before = os.readlink("/proc/self/ns/user")
        raw("unshare", 0x10000000)
        return os.readlink("/proc/self/ns/user") != before

    return in_child(change)


@leave(box="unfiltered")
def leave_unshare_files() -> str:
    in_child(lambda: raw("unshare", 0x400))  # CLONE_FILES
    return "unshared"


def cloned(flags: int, function: Callable[[], bool]) -> bool:
    """What the function returns in a child of clone(2)."""
    child = raw("clone", flags | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(function())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


@leave(box="unfiltered")
def leave_clone() -> bool:
    """The new process has every privilege in its own user namespace."""
    before = os.readlink("/proc/self/ns/user")
    return cloned(0x10000000, lambda: os.readlink("/proc/self/ns/user") != before)


@leave(box="privileged")
def leave_clone_mounts() -> bool:
    before = os.readlink("/proc/self/ns/mnt")
    return cloned(0x20000, lambda: os.readlink("/proc/self/ns/mnt") != before)


@leave()
def leave_clone_files() -> bool:
    """It could close what the gate holds, and has other memory than the gate that holds it."""
    shared = os.dup(0)

    def close() -> bool:
        os.close(shared)
        return True

    try:
        cloned(0x400, close)
    finally:
        error = errno_of(lambda: os.close(shared))
    return error == 9


@leave(box="privileged")
def leave_setns() -> str:
    with opened("/proc/self/ns/mnt") as space:
        in_child(lambda: raw("setns", space, 0x20000))
    return "joined"


@leave(box="unfiltered", unless="pidfd_getfd is Linux 5.6's")
def leave_pidfd_getfd() -> str:
    process = raw("pidfd_open", os.getpid(), 0)
    with opened("/etc/passwd") as f:
        try:
            return content(raw("pidfd_getfd", process, f, 0))[:4]
        finally:
            os.close(process)


@leave(box="unfiltered", unless="process_madvise on oneself is Linux 6.13's")
def leave_process_madvise() -> int:
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    vector = (ctypes.c_void_p * 2)(address, 4096)
    process = raw("pidfd_open", os.getpid(), 0)
    try:
        return raw("process_madvise", process, vector, 1, 3, 0)  # MADV_WILLNEED
    finally:
        os.close(process)


@leave()
def leave_remap_file_pages() -> int:
    descriptor = os.memfd_create("pages")
    os.ftruncate(descriptor, 8192)
    address = LIBC.mmap(None, ctypes.c_size_t(8192), 3, mmap.MAP_SHARED, descriptor, ctypes.c_long(0))
    os.close(descriptor)
    return raw("remap_file_pages", ctypes.c_void_p(address), 4096, 0, 1, 0)


@leave(box="unfiltered")
def leave_seccomp() -> int:
    """A filter could make the gate's own look-ups lie. This one asks only; it goes through the same call."""
    action = ctypes.c_uint32(0x7FFF0000)
    return raw("seccomp", 2, 0, ctypes.byref(action))


@leave(box="unfiltered", refusal=(1,))
def leave_seccomp_by_prctl() -> str:
    """PR_SET_SECCOMP, strict: the kernel kills such a process at its next other call. In a child."""

    def strict() -> str:
        raw("prctl", 22, 99, 0, 0, 0)
        return ""

    return errno_means_reached(lambda: in_child(strict))


@leave(box="unfiltered", machine="x86_64", unless="syscall user dispatch is Linux 5.11's")
def leave_user_dispatch() -> str:
    raw("prctl", 59, 0, 0, 0, 0)  # PR_SET_SYSCALL_USER_DISPATCH, off
    return "set"


@leave(machine="x86_64", unless="the x32 ABI is rarely built in")
def leave_x32() -> str:
    return content(checked(LIBC.syscall(ctypes.c_long(0x40000000 + number_of("openat")), AT_FDCWD, THERE, 0, 0)))


def disguised(name: str, high: int) -> None:
    """The kernel takes the low half of the register for the number."""

    def case() -> str:
        return content(checked(LIBC.syscall(ctypes.c_long(high + number_of("openat")), AT_FDCWD, THERE, 0, 0)))

    case.__name__ = f"leave_number_{name}"
    leave()(case)


disguised("with_a_high_bit", 1 << 32)
disguised("that_is_negative", -(1 << 32))
disguised("with_all_high_bits", 0x7FFFFFFF << 32)


# ---- the alerts' own channel (35)


@contextlib.contextmanager
def log_descriptor() -> Iterator[int]:
    """The high descriptor on which the shield keeps stderr; unshielded, one that is made for the purpose."""
    same = os.fstat(2)
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if int(name) > 2 and os.path.samestat(os.fstat(int(name)), same):
                found.append(int(name))
    made = None if found else fcntl.fcntl(2, fcntl.F_DUPFD, 900)
    try:
        yield max(found) if made is None else made
    finally:
        with contextlib.suppress(OSError):
            os.close(-1 if made is None else made)


def silenced(alerts: tuple[int, int] = (1, 1), **facts: Any) -> Callable[[Callable[[int], object]], None]:
    """Something is done to the channel; after that, a file in /tmp is opened: the alert must come all the same."""

    def declare(function: Callable[[int], object]) -> None:
        def case() -> str:
            with log_descriptor() as log:
                with contextlib.suppress(OSError):
                    function(log)
                return content(os.open("/tmp/there", os.O_RDONLY))

        case.__name__ = function.__name__
        attempt(TMP, alone=True, alerts=alerts, says=(TMP, SELF), **facts)(case)

    return declare


@silenced()
def log_close(log: int) -> None:
    os.close(log)


@silenced()
def log_close_standard_error(_log: int) -> None:
    os.close(2)


@silenced(attach=("wrapper",))  # beside other threads it would close theirs
def log_close_everything(_log: int) -> None:
    os.closerange(3, CHANNEL[0])
    os.closerange(CHANNEL[0] + 1, 5000)


@silenced(attach=("wrapper",))  # beside other threads it would close theirs
def log_raw_close_range(_log: int) -> None:
    raw("close_range", 3, CHANNEL[0] - 1, 0)
    raw("close_range", CHANNEL[0] + 1, 0xFFFFFFFF, 0)


@silenced()
def log_close_range_one(log: int) -> None:
    raw("close_range", log, log, 0)


@silenced((1, 2))
def log_dup2(log: int) -> None:
    with opened("/dev/null", os.O_WRONLY) as nowhere:
        os.dup2(nowhere, log)


@silenced((1, 2))
def log_dup3(log: int) -> None:
    with opened("/dev/null", os.O_WRONLY) as nowhere:
        raw("dup3", nowhere, log, os.O_CLOEXEC)


@silenced()
def log_standard_error_elsewhere(_log: int) -> None:
    with opened("/dev/null", os.O_WRONLY) as nowhere:
        os.dup2(nowhere, 2)


@silenced((1, 2))
def log_close_on_exec(log: int) -> None:
    os.set_inheritable(log, False)
    fcntl.fcntl(log, fcntl.F_SETFD, fcntl.FD_CLOEXEC)


@silenced()
def log_not_blocking(log: int) -> None:
    fcntl.fcntl(log, fcntl.F_SETFL, os.O_NONBLOCK)


@silenced()
def log_lowered_limit(_log: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


@silenced()
def log_unshared_and_closed(log: int) -> None:
    raw("close_range", log, log, 2)  # CLOSE_RANGE_UNSHARE


# Filled by main.py: the descriptor on which it talks to the outside.
CHANNEL: list[int] = []


@attempt(TMP, alone=True)
def log_of_a_child_without_descriptors() -> None:
    def close_all() -> None:
        os.closerange(3, 5000)
        fcntl.ioctl(2, 0x5451)  # FIOCLEX

    run([MARK, "--tmp"], preexec_fn=close_all, env={})


@attempt(TMP, alone=True)
def log_of_a_child_after_ioctl() -> None:
    """FIOCLEX marks a descriptor close-on-exec without fcntl."""
    with log_descriptor() as log:
        fcntl.ioctl(log, 0x5451)
        run([MARK, "--tmp"], env={})


@attempt(TMP)
def log_of_a_child_with_captured_output() -> list[str]:
    done = subprocess.run([MARK, "--tmp"], capture_output=True, text=True, close_fds=True, check=False)
    if done.stdout or done.stderr:
        raise AssertionError(f"the child's own pipes hold {done.stdout!r} {done.stderr!r}")
    if done.returncode:
        raise OSError(done.returncode, "the child")
    return []


@attempt(TMP, alone=True, alerts=(2, 2))
def log_pipe_is_full() -> str:
    """Nobody reads for a moment: the call does not wait. The line is lost, but counted in the next one."""
    copy = os.dup(2)
    flags = fcntl.fcntl(copy, fcntl.F_GETFL)
    fcntl.fcntl(copy, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while os.write(copy, b"\n" * size):
                pass
    fcntl.fcntl(copy, fcntl.F_SETFL, flags)
    os.close(copy)
    began = time.monotonic()
    errno_of(lambda: os.close(os.open("/tmp/there", os.O_RDONLY)))
    assert time.monotonic() - began < 0.2, "it waited for the reader"
    time.sleep(1)  # session.py reads meanwhile
    return content(os.open("/tmp/there", os.O_RDONLY))


# ---- one line of JSON, whatever the bytes (36)

ODD = {
    "newline": b"new\nline",
    "quotes": b"quote\"back\\slash'",
    "invalid_utf8": b"\xff\xfe\xc3\x28",
    "cut_character": b"x" * 200 + "é漢😀".encode()[:-1],
    "control_characters": bytes(range(1, 32)) + b"\x7f",
    "long": b"x" * 255,
    "separators": "\u2028\u2029\u0085".encode(),
    "json": b'","policy":"none","a":"',
}


def odd(name: str, text: bytes) -> None:
    def path() -> None:
        os.mkdir(b"/tmp/" + text.replace(b"/", b"_"))

    def argument() -> None:
        run([MARK, b"an argument", text])

    path.__name__, argument.__name__ = f"line_path_with_{name}", f"line_argument_with_{name}"
    attempt(TMP)(path)
    attempt("create_child_process")(argument)


for _name, _text in ODD.items():
    odd(_name, _text)


@attempt("create_child_process")
def line_with_many_arguments() -> None:
    run([MARK, *("argument" * 40 for _ in range(500))])


@attempt(TMP)
def line_with_a_very_long_path() -> None:
    """Every byte of it must be escaped."""
    with working_directory("/tmp"):
        os.mkdir(b"./" * 2000 + b"made")


# ---- storms (37): the count of lines and of folded ones is exact

STORM = 20_000


@attempt(TMP, alone=True, alerts=(STORM + 1, STORM + 1))
def storm_of_one_thread() -> str:
    began = time.monotonic()
    refused = HELP.storm(THERE, ctypes.c_long(STORM))
    assert refused in (0, STORM), refused
    assert time.monotonic() - began < 20
    time.sleep(1.1)
    return content(os.open("/tmp/there", os.O_RDONLY))


@attempt(TMP, alone=True, alerts=(STORM + 1, STORM + 1))
def storm_of_ten_threads() -> str:
    refused: list[int] = []
    threads = [
        threading.Thread(target=lambda: refused.append(HELP.storm(THERE, ctypes.c_long(STORM // 10))))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(refused) in (0, STORM), refused
    time.sleep(1.1)
    return content(os.open("/tmp/there", os.O_RDONLY))


# ---- the policy: wrong, or changed from inside (40, 41)


def refused_policy(name: str, **settings: str) -> None:
    def start() -> None:
        from common import leave_mark

        leave_mark("started")

    start.__name__ = f"policy_{name}"
    refuses_to_start(TMP, settings={f"SHIELD_{key}": value for key, value in settings.items()})(start)


refused_policy("in_capitals", READ_WRITE_TMP="BLOCK")
refused_policy("deny", READ_WRITE_TMP="deny")
refused_policy("empty", READ_WRITE_TMP="")
refused_policy("blocks", READ_WRITE_TMP="blocks")
refused_policy("unknown_key", READ_WRITE_TMPS="block")
refused_policy("bad_network", ALLOW_OUTBOUND="10.0.0.1/8")
refused_policy("bad_port", ALLOW_OUTBOUND="example.com:99999")
refused_policy("bad_path", ALLOW_TMP="/etc/**")
refused_policy("relative_program", ALLOW_CHILD_PROCESS="bin/echo")
refused_policy("missing_file", POLICY_FILE="/var/task/missing")
refused_policy("misspelt_failure", ON_FAILURE="ignore")


@attempt(TMP)
def policy_changed_in_os_environ() -> str:
    before = dict(os.environ)
    os.environ["SHIELD_READ_WRITE_TMP"] = "allow"
    try:
        return content(os.open("/tmp/there", os.O_RDONLY))
    finally:
        os.environ.clear()
        os.environ.update(before)


@attempt(TMP)
def policy_changed_by_setenv() -> str:
    LIBC.setenv(b"SHIELD_READ_WRITE_TMP", b"allow", 1)
    return content(os.open("/tmp/there", os.O_RDONLY))


@attempt(TMP, alone=True)
def policy_changed_where_the_kernel_keeps_it() -> str:
    write_over_policy(b"allow")
    return content(os.open("/tmp/there", os.O_RDONLY))


@attempt(TMP, alone=True)
def policy_of_a_child_after_it_was_written_over() -> None:
    write_over_policy(b"allow")
    run([MARK, "--tmp"])


@attempt(TMP, alone=True)
def policy_of_a_child_after_changes() -> None:
    os.environ.update(SHIELD_READ_WRITE_TMP="allow", SHIELD_STATE="running:-1:")
    LIBC.setenv(b"SHIELD_READ_WRITE_TMP", b"allow", 1)
    run([MARK, "--tmp"])


SECOND_ENDS = dict.fromkeys(("alert", "allow"), "the second engine ends its process, whose calls go through the first")


@attempt(TMP, alone=True, alerts=(1, 5000), says=(TMP, SELF, "executable_memory"), not_in=SECOND_ENDS)
def policy_of_a_second_engine() -> str:
    """A copy of the library, loaded with a policy that allows: the first one stays."""

    def load() -> None:
        write_over_policy(b"allow")
        copy = os.memfd_create("copy")
        with open("/opt/shielded-function/libshield.so", "rb") as f:
            os.write(copy, f.read())
        ctypes.CDLL(f"/proc/self/fd/{copy}")

    with contextlib.suppress(OSError, AssertionError):  # it may end its process, being none of the first one's
        in_child(load)
    with contextlib.suppress(OSError, AssertionError):
        in_child(lambda: [load(), os.mkdir("/tmp/made")][0])
    return content(os.open("/tmp/there", os.O_RDONLY))


def write_over_policy(mode: bytes) -> None:
    """/proc/self/environ shows the process's own memory, which it may write."""
    with open("/proc/self/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    low, high = int(fields[47]), int(fields[48])  # env_start, env_end
    block = ctypes.string_at(low, high - low)
    for old in (b"=block", b"=alert"):
        block = block.replace(old, b"=" + mode)
    ctypes.memmove(low, block, len(block))


@unchanged(TMP)
def engine_exports_nothing() -> bool:
    """No symbol but the way in for code (configure.h) can be looked up: nothing else is called by name."""
    names = ("sealed", "gate_table", "gate_judge", "become_ready", "policy_set")
    return any(hasattr(LIBC, name) for name in names)


@unchanged(TMP)
def engine_lazy_imports() -> str:
    return importlib.import_module("wsgiref.util").__name__


@unchanged(TMP)
def engine_libc_still_works() -> list[object]:
    libc("access", b"/tmp/there", 0)
    return [os.stat("/tmp/there").st_size, os.readlink("/tmp/link"), os.path.exists("/tmp/missing")]
