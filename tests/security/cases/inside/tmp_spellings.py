"""read_write_tmp: other names for what is in /tmp: relative, by a descriptor, by links, by /proc and /dev/fd.

What is there: see tmp.py.
"""

from __future__ import annotations

import os

from common import attempt, effects
from tmp import NEW, TMP, make
from tools import inside, opened, read, using, working_directory
from ways import each

each(
    attempt(TMP),
    tmp_relative=lambda: inside("/tmp", lambda: read("there")),
    tmp_dots=lambda: read("/var/../tmp/./folder//../there"),
    tmp_slashes=lambda: read("///tmp////there"),
    tmp_link_inside=lambda: read("/tmp/alias"),
    tmp_link_from_outside=lambda: read("/var/task/to_there"),
    tmp_linked_directory=lambda: read("/var/task/to_tmp/there"),
    tmp_link_to_a_link=lambda: read("/var/task/to_tmp/alias"),
    tmp_proc_cwd=lambda: inside("/tmp", lambda: read("/proc/self/cwd/there", os.O_RDWR)),
    tmp_directory_descriptor=lambda: using("/", lambda root: read("tmp/there", dir_fd=root)),
    tmp_proc_descriptor=lambda: using("/", lambda root: read(f"/proc/self/fd/{root}/tmp/there")),
    tmp_dev_fd=lambda: using("/", lambda root: read(f"/dev/fd/{root}/tmp/there")),
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
    tmp_directory_descriptor_new=lambda: using(
        "/var", lambda var: os.close(os.open("../tmp/new", NEW, 0o600, dir_fd=var)), os.O_RDONLY
    ),
    tmp_proc_descriptor_new=lambda: using("/", lambda root: make(f"/proc/self/fd/{root}/tmp/new"), os.O_RDONLY),
    tmp_dev_fd_new=lambda: using("/", lambda root: make(f"/dev/fd/{root}/tmp/new"), os.O_RDONLY),
)


@attempt(TMP, alerts=(1, 2))
def tmp_fchdir() -> str:
    with working_directory("."), opened("/tmp", os.O_PATH) as tmp:
        os.fchdir(tmp)
        return read("there")


@attempt(TMP, alerts=(1, 2))  # the link, and what it names
def tmp_create_through_a_dangling_link() -> None:
    make("/tmp/dangling")


# Each spelling of a process's root, for a file that is there and for one that is not.
for _name, _root in {
    "proc_self_root": "/proc/self/root/tmp",
    "proc_thread_root": "/proc/thread-self/root/tmp",
    "proc_pid_root": "/proc/{pid}/root/tmp",
    "proc_task_root": "/proc/self/task/{pid}/root/tmp",
    "proc_up": "/proc/../tmp",
    "proc_self_up": "/proc/self/task/../../../tmp",
}.items():
    each(attempt(TMP), **{f"tmp_{_name}": lambda root=_root: read(root.format(pid=os.getpid()) + "/there")})
    each(attempt(TMP), **{f"tmp_{_name}_new": lambda root=_root: make(root.format(pid=os.getpid()) + "/new")})
