"""read_write_tmp: what is allowed by a list goes on as it was, and no way leads out of what is listed.

What is there: see tmp.py; /tmp/allowed has a file "data" and one "other".
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

from common import attempt, effects, unchanged
from tmp import NEW, TMP, XATTR, make
from tools import AT_FDCWD, content, libc, opened, raw, read, using, working_directory
from ways import each, refusal

ALLOWED = {"SHIELD_ALLOW_TMP": "/tmp/allowed/**"}


def allowed(function: Callable[[], object]) -> None:
    unchanged(TMP, settings=ALLOWED, scene="allowed")(function)


@allowed
def tmp_allowed_opens() -> list[object]:
    """What is made has the mode that was asked for, but for the mask, and bits that mean nothing are passed over."""
    os.umask(0o027)
    try:
        descriptor = os.open("/tmp/allowed/file", NEW, 0o666)
        for mode in (0o600, 0o7777, 0o100644, 0o177777):
            os.close(os.open(f"/tmp/allowed/{mode:o}", NEW, mode))
    finally:
        os.umask(0o022)
    facts: list[object] = [oct(os.fstat(descriptor).st_mode), os.get_inheritable(descriptor)]
    os.write(descriptor, b"content")
    os.close(descriptor)
    inherited = libc("open", b"/tmp/allowed/file", os.O_RDONLY)
    facts += [os.get_inheritable(inherited), content(inherited), sorted(os.listdir("/tmp/allowed"))]
    return facts


@allowed
def tmp_allowed_temporary_files() -> list[int]:
    with tempfile.TemporaryFile(dir="/tmp/allowed") as a, opened("/tmp/allowed", os.O_TMPFILE | os.O_RDWR) as b:
        raw("linkat", AT_FDCWD, b"/proc/self/fd/%d" % b, AT_FDCWD, b"/tmp/allowed/named", 0x400)
        return [a.write(b"x"), os.write(b, b"named")]


@allowed
def tmp_allowed_names() -> list[int | None]:
    base = "/tmp/allowed"
    calls: list[Callable[[], object]] = [
        lambda: os.mkdir(f"{base}/folder"),
        lambda: os.rename(f"{base}/data", f"{base}/folder/data"),
        lambda: os.rename(f"{base}/folder/data", f"{base}/data"),
        lambda: raw("renameat2", AT_FDCWD, b"/tmp/allowed/data", AT_FDCWD, b"/tmp/allowed/other", 2),
        lambda: raw("renameat2", AT_FDCWD, b"/tmp/allowed/data", AT_FDCWD, b"/tmp/allowed/other", 1),
        lambda: os.link(f"{base}/data", f"{base}/second"),
        lambda: os.symlink("data", f"{base}/link"),
        lambda: make(f"{base}/link", os.O_WRONLY | os.O_TRUNC),
        lambda: os.symlink("new", f"{base}/dangling"),
        lambda: make(f"{base}/dangling"),
        lambda: os.truncate(f"{base}/data", 3),
        lambda: os.chmod(f"{base}/data", 0o640),
        lambda: os.chown(f"{base}/link", os.getuid(), os.getgid(), follow_symlinks=False),
        lambda: os.utime(f"{base}/data", (5, 5)),
        lambda: os.mkfifo(f"{base}/fifo"),
        lambda: os.setxattr(f"{base}/data", XATTR, b"x"),
        lambda: os.removexattr(f"{base}/data", XATTR),
        lambda: os.unlink(f"{base}/second"),
        lambda: os.rmdir(f"{base}/folder"),
        lambda: os.rmdir(f"{base}/missing"),
        lambda: make(f"{base}/data", os.O_CREAT | os.O_EXCL | os.O_WRONLY),
    ]
    return [refusal(call) for call in calls]


@allowed
def tmp_allowed_socket() -> int:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("/tmp/allowed/socket")
        server.listen()
        client.connect("/tmp/allowed/socket")
        server.accept()[0].close()
        return len(client.getpeername())


@allowed
def tmp_allowed_socket_by_a_relative_path() -> None:
    """And by the name that the kernel then says, as libuv's listen goes by it for its mode."""
    with working_directory("/tmp/allowed"), socket.socket(socket.AF_UNIX) as server:
        server.bind("../allowed/relative")
        server.listen()
        os.chmod(server.getsockname(), 0o600)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("relative")


@allowed
def tmp_allowed_temporary_file_through_a_link() -> list[int | None]:
    os.symlink("/tmp/allowed", "/tmp/allowed/link")
    flags = (os.O_TMPFILE | os.O_RDWR, os.O_TMPFILE | os.O_RDWR | os.O_NOFOLLOW, os.O_CREAT)
    return [refusal(lambda f=f: os.close(os.open("/tmp/allowed/link", f))) for f in flags]


@allowed
def tmp_allowed_by_a_relative_path() -> str:
    with working_directory("/tmp/allowed"):
        make("../allowed/new")
        return read("./data")


@allowed
def tmp_allowed_by_proc_root() -> None:
    make("/proc/self/root/tmp/allowed/new")
    os.mkdir("/proc/self/root/tmp/allowed/made")


@allowed
def tmp_allowed_descriptors_are_the_lowest() -> list[bool]:
    first = using("/", lambda descriptor: descriptor)
    opens = [("/tmp/allowed/data", os.O_RDONLY), ("/tmp/allowed/new", NEW), ("/tmp/allowed", os.O_TMPFILE | os.O_RDWR)]
    return [using(path, lambda descriptor: descriptor == first, flags) for path, flags in opens]


def escape(**facts: Any) -> Callable[[Callable[[], object]], Callable[[], object]]:
    return attempt(TMP, settings=ALLOWED, scene="allowed", **facts)


effects(
    escape(),
    tmp_escape_by_dots=lambda: make("/tmp/allowed/../outside"),
    tmp_escape_by_rename=lambda: os.rename("/tmp/allowed/data", "/tmp/outside"),
    tmp_escape_by_rename_inwards=lambda: os.rename("/tmp/there", "/tmp/allowed/there"),
    tmp_escape_by_exchange=lambda: raw("renameat2", AT_FDCWD, b"/tmp/allowed/data", AT_FDCWD, b"/tmp/there", 2),
    tmp_escape_by_hard_link=lambda: os.link("/tmp/there", "/tmp/allowed/there"),
    tmp_escape_by_hard_link_outwards=lambda: os.link("/tmp/allowed/data", "/tmp/outside"),
    tmp_escape_by_look_alike=lambda: make("/tmp/allowed_not"),
)


def by_link(target: str, function: Callable[[str], Any]) -> Any:
    os.symlink(target, "/tmp/allowed/escape")
    try:
        return function("/tmp/allowed/escape")
    finally:
        os.unlink("/tmp/allowed/escape")


each(
    escape(),
    tmp_escape_by_symbolic_link=lambda: by_link("/tmp/outside", make),
    tmp_escape_by_symbolic_link_to_read=lambda: by_link("../there", read),
    tmp_escape_by_linked_directory=lambda: by_link("/tmp/folder", lambda link: os.mkdir(f"{link}/made")),
)


@escape(alone=True, alerts=(1, 5000))
def tmp_escape_by_a_link_that_another_thread_flips() -> None:
    """/tmp/allowed/way leads inside, outside, inside, ...: nothing may ever come to lie outside."""
    os.mkdir("/tmp/allowed/inside")
    os.symlink("/tmp/allowed/inside", "/tmp/allowed/to_inside")
    os.symlink("/tmp/folder", "/tmp/allowed/to_outside")
    os.symlink("/tmp/allowed/inside", "/tmp/allowed/way")
    stop, flips = threading.Event(), list[str]()

    def flip() -> None:
        while not stop.is_set():
            for target in ("inside", "outside"):
                os.symlink(os.readlink(f"/tmp/allowed/to_{target}"), "/tmp/allowed/next")
                os.rename("/tmp/allowed/next", "/tmp/allowed/way")
                flips.append(target)
                time.sleep(random.random() / 10_000)  # or the other thread only ever meets it inside

    # A busy machine changes from one thread to the other too seldom: unshielded, nothing landed outside.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(interval / 100)
    thread = threading.Thread(target=flip)
    thread.start()
    refused, number = 0, 0
    while number < 1500 or len(flips) < 500:
        number += 1
        refused += refusal(lambda: make("/tmp/allowed/way/landed", NEW)) == 13
        refused += refusal(lambda n=number: os.mkdir(f"/tmp/allowed/way/made{n % 2}")) == 13
        with contextlib.suppress(OSError):
            os.rmdir(f"/tmp/allowed/inside/made{number % 2}")
    stop.set()
    thread.join()
    sys.setswitchinterval(interval)
    shutil.rmtree("/tmp/allowed/inside")
    for name in ("way", "to_inside", "to_outside"):
        os.unlink(f"/tmp/allowed/{name}")
    if refused:
        raise PermissionError(13, f"refused {refused} times")
