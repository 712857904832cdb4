"""Each option of subprocess, by a row: the listed program starts, and ends with 7 if it was started as asked."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from typing import Any

SH = "/bin/sh"
NULL = [f"test /proc/self/fd/{n} -ef /dev/null" for n in range(3)]
DEVNULL, PIPE, STDOUT = subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT
OWN_SESSION, OWN_GROUP = (f'test "$(cut -d" " -f{field} /proc/$$/stat)" = $$' for field in (6, 5))
READING, WRITING = os.pipe()


def started(script: str = "true", **options: Any) -> int:
    return subprocess.run([SH, "-c", f"{script} && exit 7"], check=False, **options).returncode


def spawned(script: str, *actions: Any, **options: Any) -> int:
    child = os.posix_spawn(SH, [SH, "-c", f"{script} && exit 7"], os.environ, file_actions=actions, **options)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


async def awaited(**options: Any) -> int:
    child = await asyncio.create_subprocess_exec(SH, "-c", f"{NULL[0]} && exit 7", stdin=DEVNULL, **options)
    return await child.wait()


ROWS: dict[str, Callable[[], int]] = {
    "defaults": lambda: started(),
    "devnull": lambda: started(" && ".join(NULL), stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL),
    "devnull_stdin": lambda: started(NULL[0], stdin=DEVNULL, stdout=PIPE, stderr=STDOUT),
    "pipes": lambda: started(capture_output=True, input=b"in"),
    "descriptor": lambda: started(stdout=WRITING, stderr=2),
    "cwd": lambda: started('test "$PWD" = /var/task', cwd="/var/task"),
    "cwd_and_umask": lambda: started("test $(umask) = 0077", cwd="/var/task", umask=0o077),
    "user": lambda: started(user=os.getuid(), stdin=DEVNULL),
    "group": lambda: started(group=os.getgid()),
    "user_and_group": lambda: started(user=os.getuid(), group=os.getgid(), umask=0o022, close_fds=False),
    "extra_groups": lambda: started(extra_groups=[os.getgid()]),
    "user_of_root": lambda: started(user=0),
    "umask": lambda: started("test $(umask) = 0077", umask=0o077),
    "start_new_session": lambda: started(OWN_SESSION, start_new_session=True),
    "process_group": lambda: started(OWN_GROUP, process_group=0),
    "pass_fds": lambda: started(f"test -e /proc/self/fd/{WRITING}", pass_fds=[WRITING]),
    "pass_fds_with_user": lambda: started(f"test -e /proc/self/fd/{WRITING}", pass_fds=[WRITING], user=os.getuid()),
    "close_fds": lambda: started(f"test ! -e /proc/self/fd/{WRITING}", close_fds=True),
    "close_fds_not": lambda: started(close_fds=False),
    "env": lambda: started('test "$ONLY" = this', env={"ONLY": "this"}, stdin=DEVNULL),
    "restore_signals_not": lambda: started(restore_signals=False, stdin=DEVNULL),
    "pipesize": lambda: started(stdout=PIPE, pipesize=65536),
    "preexec_fn": lambda: started("test $(umask) = 0077", preexec_fn=lambda: os.umask(0o077) * 0),
    "shell": lambda: subprocess.run("exit 7", shell=True, stdin=DEVNULL, check=False).returncode,
    "call": lambda: subprocess.call([SH, "-c", "exit 7"], stdout=DEVNULL),
    "os_system": lambda: os.waitstatus_to_exitcode(os.system("exit 7")),
    "os_popen": lambda: os.waitstatus_to_exitcode(os.popen("exit 7").close() or 0),
    "asyncio": lambda: asyncio.run(awaited(stdout=DEVNULL)),
    "os_spawn": lambda: os.spawnv(os.P_WAIT, SH, [SH, "-c", "exit 7"]),
    "posix_spawn": lambda: spawned("true"),
    "posix_spawn_open": lambda: spawned(NULL[1], (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)),
    "posix_spawn_open_file": lambda: spawned("read line", (os.POSIX_SPAWN_OPEN, 0, "/etc/passwd", os.O_RDONLY, 0)),
    "posix_spawn_close": lambda: spawned("test ! -e /proc/self/fd/0", (os.POSIX_SPAWN_CLOSE, 0)),
    "posix_spawn_dup2": lambda: spawned("test -p /proc/self/fd/1", (os.POSIX_SPAWN_DUP2, WRITING, 1)),
    "posix_spawn_setpgroup": lambda: spawned(OWN_GROUP, setpgroup=0),
    "posix_spawn_setsigdef": lambda: spawned("true", setsigmask=[1], setsigdef=[2]),
}


def tried(start: Callable[[], int]) -> object:
    try:
        return start()
    except (OSError, subprocess.SubprocessError) as error:
        return type(error).__name__


def handler(event: object, context: object) -> dict[str, object]:
    return {name: tried(start) for name, start in ROWS.items()}
