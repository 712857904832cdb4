"""Ways into the kernel that go around the gate, and ways to leave the shield."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from common import MACHINE, absent, attempt, each, effects
from tools import (
    AT_FDCWD,
    DENIED_ADDRESS,
    LIBC,
    Helpers,
    bytes_of,
    checked,
    content,
    errno_of,
    in_child,
    memory_file,
    number_of,
    opened,
    raw,
    read,
    using,
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


def second_handle(name: str | None = "libc.so.6") -> ctypes.CDLL:
    return ctypes.CDLL(name, use_errno=True)


each(
    attempt(TMP),
    entry_ctypes_libc=lambda: content(checked(second_handle().open(THERE, os.O_RDONLY))),
    # Through the interpreter's own handle.
    entry_pythonapi=lambda: content(checked(second_handle(None).openat(AT_FDCWD, THERE, os.O_RDONLY))),
    entry_libc_syscall=lambda: content(raw("openat", AT_FDCWD, THERE, os.O_RDONLY, 0)),
    entry_syscall_from_c=lambda: content(from_c(HELP.open_by_number(number_of("openat"), THERE))),
    entry_open64_nocancel=lambda: content(checked(second_handle()["__open64_nocancel"](THERE, os.O_RDONLY))),
    entry_open_nocancel=lambda: content(from_c(HELP.nocancel_open(THERE))),
    # A copy of libc in a link-map namespace of its own.
    entry_second_libc=lambda: content(from_c(ctypes.CDLL("/var/task/libnamespace.so").open_in_second_libc(THERE))),
)


effects(
    attempt(TMP),
    entry_vfork_child=lambda: from_c(HELP.vfork_create(b"/tmp/new")),
    entry_inline_create_directory=lambda: from_c(inline().create_directory(b"/tmp/made")),
)


INLINE = ("open_with_constant", "open_with_pushed_number", "open_with_jump", "open_with_variable")


def inline(path: str = "/var/task/libinline.so") -> ctypes.CDLL:
    library = ctypes.CDLL(path)
    for name in (*INLINE, "create_directory", "connect_to"):
        getattr(library, name).restype = ctypes.c_long
    return library


for _name in INLINE:
    each(
        attempt(TMP),
        **{f"entry_inline_{_name}": lambda name=_name: content(from_c(getattr(inline(), name)(THERE)))},
    )


def with_stream(function: Callable[[int], object]) -> None:
    with socket.socket() as s:
        function(s.fileno())


effects(
    attempt(NET),
    entry_ctypes_connect=lambda: with_stream(lambda s: checked(second_handle().connect(s, DENIED_ADDRESS, 16))),
    entry_inline_connect=lambda: with_stream(lambda s: from_c(inline().connect_to(s, DENIED_ADDRESS, 16))),
)


@attempt(TMP)
def entry_inline_from_memory_file() -> str:
    """executable_memory is allowed here: the library runs, but what it asks for is judged."""
    with memory_file(bytes_of("/var/task/libinline.so")) as file:
        library = inline(f"/dev/fd/{file}")  # what another case loads by /proc/self/fd, the loader would give again
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


def opens(name: str, *arguments: object) -> bool:
    """Whether the call gives a descriptor."""
    os.close(raw(name, *arguments))
    return True


each(
    absent(SELF, unless="io_uring may be switched off (kernel.io_uring_disabled)"),
    leave_io_uring=lambda: opens("io_uring_setup", 4, ctypes.create_string_buffer(120)),
)
each(
    leave(box="unfiltered", unless="userfaultfd may not be built in"),
    leave_userfaultfd=lambda: opens("userfaultfd", os.O_CLOEXEC | 1),  # UFFD_USER_MODE_ONLY
)
each(
    leave(box="unfiltered", unless="bpf(2) may be closed to users (kernel.unprivileged_bpf_disabled)"),
    leave_bpf=lambda: opens("bpf", 0, (ctypes.c_uint32 * 16)(2, 4, 4, 1), 64),  # BPF_MAP_TYPE_ARRAY
)


@leave(box="unfiltered")
def leave_process_vm_writev() -> str:
    target = ctypes.create_string_buffer(b"before")
    new = ctypes.create_string_buffer(b"after!")
    local = (ctypes.c_void_p * 2)(ctypes.addressof(new), 6)
    remote = (ctypes.c_void_p * 2)(ctypes.addressof(target), 6)
    raw("process_vm_writev", os.getpid(), local, 1, remote, 1, 0)
    return target.value.decode()


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


@leave(box="privileged", unless="handles may be the host administrator's only")
def leave_open_by_handle() -> str:
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    raw("name_to_handle_at", AT_FDCWD, THERE, handle, ctypes.byref(mount), 0)
    with opened("/tmp") as tmp:
        return content(raw("open_by_handle_at", tmp, handle, os.O_RDONLY))


each(
    leave(box="unfiltered"),
    # PTRACE_TRACEME
    leave_ptrace=lambda: in_child(lambda: raw("ptrace", 0, 0, None, None)) == 0,
    # A filter could make the gate's own look-ups lie. This one asks only; it goes through the same call.
    leave_seccomp=lambda: raw("seccomp", 2, 0, ctypes.byref(ctypes.c_uint32(0x7FFF0000))),
    leave_unshare=lambda: in_child(unshare),
    # CLONE_FILES
    leave_unshare_files=lambda: in_child(lambda: raw("unshare", 0x400)) == 0,
    # The new process has every privilege in its own user namespace.
    leave_clone=lambda: cloned_into("user", 0x10000000),
    # PR_SET_SECCOMP, strict: the kernel kills such a process at its next other call.
    leave_seccomp_by_prctl=lambda: errno_means_reached(lambda: in_child(lambda: raw("prctl", 22, 99, 0, 0, 0))),
)
each(
    leave(box="privileged"),
    leave_fsopen=lambda: opens("fsopen", b"tmpfs", 0),
    leave_fspick=lambda: opens("fspick", AT_FDCWD, b"/var/task", 0),
    leave_clone_mounts=lambda: cloned_into("mnt", 0x20000),
    leave_setns=lambda: (
        using("/proc/self/ns/mnt", lambda space: in_child(lambda: raw("setns", space, 0x20000)), os.O_RDONLY) == 0
    ),
    leave_pivot_root=lambda: errno_means_reached(lambda: in_child(lambda: raw("pivot_root", b".", b"."))),
    leave_chroot=lambda: in_child(lambda: raw("chroot", b"/var/task") == 0 and os.path.exists("/app.py")),
)


@leave(box="privileged", alerts=(1, 2))
def leave_mount() -> str:
    raw("mount", b"none", b"/tmp/folder", b"tmpfs", 0, None)
    raw("umount2", b"/tmp/folder", 2)
    return "mounted"


@leave(box="privileged", alerts=(1, 3), says=(SELF, TMP))
def leave_bind_mount() -> str:
    raw("mount", b"/tmp", b"/var", b"none", 4096, None)
    try:
        return read("/var/there")
    finally:
        raw("umount2", b"/var", 2)


@leave(box="privileged", alone=True)
def leave_umount() -> str:
    raw("umount2", b"/var/task/mounted", 2)  # by privileged.py
    return "unmounted"


def read_tree(flags: int) -> str:
    tree = raw("open_tree", AT_FDCWD, b"/tmp", flags)
    try:
        return read("there", dir_fd=tree)
    finally:
        os.close(tree)


each(
    leave(box="privileged", alerts=(1, 2), says=(SELF, TMP)),
    leave_open_tree=lambda: read_tree(1),  # OPEN_TREE_CLONE
    # It opens like O_PATH: no privilege is needed.
    leave_open_tree_without_clone=lambda: read_tree(0),
)


@leave(box="privileged", unless="mount_setattr is Linux 5.12's")
def leave_mount_setattr() -> str:
    attributes = (ctypes.c_uint64 * 4)(2, 0, 0, 0)  # MOUNT_ATTR_NOSUID
    raw("mount_setattr", AT_FDCWD, b"/var/task", 0, attributes, 32)
    return "changed"


def errno_means_reached(function: Callable[[], Any]) -> Any:
    """EINVAL is the kernel's own answer to such arguments: the call got through."""
    try:
        return function()
    except OSError as error:
        if error.errno == 22:
            return "the kernel looked at it"
        raise


def space(kind: str) -> str:
    return os.readlink(f"/proc/self/ns/{kind}")


def unshare() -> bool:
    before = space("user")
    raw("unshare", 0x10000000)
    return space("user") != before


def cloned_into(kind: str, flags: int) -> bool:
    """Whether a cloned child is in another namespace."""
    before = space(kind)
    return cloned(flags, lambda: space(kind) != before)


def cloned(flags: int, function: Callable[[], bool]) -> bool:
    """What the function returns in a child of clone(2)."""
    child = raw("clone", flags | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(function())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


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


@leave(box="unfiltered", machine="x86_64", unless="syscall user dispatch is Linux 5.11's")
def leave_user_dispatch() -> str:
    raw("prctl", 59, 0, 0, 0, 0)  # PR_SET_SYSCALL_USER_DISPATCH, off
    return "set"


def disguised(high: int) -> str:
    return content(checked(LIBC.syscall(ctypes.c_long(high + number_of("openat")), AT_FDCWD, THERE, 0, 0)))


each(
    leave(machine="x86_64", unless="the x32 ABI is rarely built in"),
    leave_x32=lambda: disguised(0x40000000),
)
# The kernel takes the low half of the register for the number. aarch64's syscall(3) drops the other half itself:
# lab/arm64/test_engine.py does without it.
each(
    leave() if MACHINE == "x86_64" else attempt(TMP),
    leave_number_with_a_high_bit=lambda: disguised(1 << 32),
    leave_number_that_is_negative=lambda: disguised(-(1 << 32)),
    leave_number_with_all_high_bits=lambda: disguised(0x7FFFFFFF << 32),
)
