"""read_write_tmp: other names for what is in /tmp: relative, by a descriptor, by links, by /proc and /dev/fd.

What is there: see tmp.py.
"""

from __future__ import annotations

import os

from common import (
    attempt,
    content,
    each,
    effects,
    inside,
    opened,
)
from tmp import NEW, TMP, make

each(
    attempt(TMP),
    tmp_relative=lambda: inside("/tmp", lambda: content(os.open("there", os.O_RDONLY))),
    tmp_dots=lambda: content(os.open("/var/../tmp/./folder//../there", os.O_RDONLY)),
    tmp_slashes=lambda: content(os.open("///tmp////there", os.O_RDONLY)),
    tmp_link_inside=lambda: content(os.open("/tmp/alias", os.O_RDONLY)),
    tmp_link_from_outside=lambda: content(os.open("/var/task/to_there", os.O_RDONLY)),
    tmp_linked_directory=lambda: content(os.open("/var/task/to_tmp/there", os.O_RDONLY)),
    tmp_link_to_a_link=lambda: content(os.open("/var/task/to_tmp/alias", os.O_RDONLY)),
    tmp_proc_cwd=lambda: inside("/tmp", lambda: content(os.open("/proc/self/cwd/there", os.O_RDWR))),
)


effects(
    attempt(TMP),
    tmp_relative_new=lambda: inside("/tmp", lambda: make("relative")),
    tmp_relative_from_a_folder=lambda: inside("/tmp/folder", lambda: make("../relative")),
    tmp_relative_from_outside=lambda: inside("/var", lambda: make("../tmp/relative")),
    tmp_dots_new=lambda: make("/var/..//tmp/./folder/../new"),
    tmp_link_from_outside_new=lambda: make("/var/task/to_new"),
    tmp_linked_directory_new=lambda: make("/var/task/to_tmp/new"),
    tmp_proc_thread_cwd_new=lambda: inside("/tmp", lambda: make("/proc/thread-self/cwd/new")),
)


@attempt(TMP)
def tmp_directory_descriptor() -> str:
    with opened("/", os.O_PATH) as root:
        return content(os.open("tmp/there", os.O_RDONLY, dir_fd=root))


@attempt(TMP)
def tmp_directory_descriptor_new() -> None:
    with opened("/var", os.O_RDONLY) as var:
        os.close(os.open("../tmp/new", NEW, 0o600, dir_fd=var))


@attempt(TMP, alerts=(1, 2))
def tmp_fchdir() -> str:
    before = os.open(".", os.O_PATH)
    try:
        with opened("/tmp", os.O_PATH) as tmp:
            os.fchdir(tmp)
            return content(os.open("there", os.O_RDONLY))
    finally:
        os.fchdir(before)
        os.close(before)


@attempt(TMP, alerts=(1, 2))  # the link, and what it names
def tmp_create_through_a_dangling_link() -> None:
    make("/tmp/dangling")


PROC = {
    "proc_self_root": "/proc/self/root/tmp",
    "proc_thread_root": "/proc/thread-self/root/tmp",
    "proc_pid_root": "/proc/{pid}/root/tmp",
    "proc_task_root": "/proc/self/task/{pid}/root/tmp",
    "proc_up": "/proc/../tmp",
    "proc_self_up": "/proc/self/task/../../../tmp",
}


def spelt(name: str, template: str) -> None:
    """Each spelling of a process's root, for a file that is there and for one that is not."""

    def read() -> str:
        return content(os.open(template.format(pid=os.getpid()) + "/there", os.O_RDONLY))

    def create() -> None:
        make(template.format(pid=os.getpid()) + "/new")

    read.__name__, create.__name__ = f"tmp_{name}", f"tmp_{name}_new"
    attempt(TMP)(read)
    attempt(TMP)(create)


for _name, _template in PROC.items():
    spelt(_name, _template)


@attempt(TMP)
def tmp_proc_descriptor() -> str:
    with opened("/", os.O_PATH) as root:
        return content(os.open(f"/proc/self/fd/{root}/tmp/there", os.O_RDONLY))


@attempt(TMP)
def tmp_proc_descriptor_new() -> None:
    with opened("/", os.O_RDONLY) as root:
        make(f"/proc/self/fd/{root}/tmp/new")


@attempt(TMP)
def tmp_dev_fd() -> str:
    with opened("/", os.O_PATH) as root:
        return content(os.open(f"/dev/fd/{root}/tmp/there", os.O_RDONLY))


@attempt(TMP)
def tmp_dev_fd_new() -> None:
    with opened("/", os.O_RDONLY) as root:
        make(f"/dev/fd/{root}/tmp/new")
