"""create_child_process: forked copies, which start no program: what they may do, and what not."""

from __future__ import annotations

import os
import sys

from child import CHILD
from child_allowed import LISTED
from common import Function, attempt, effects, unchanged
from tools import DENIED, HELP, LIBC, MARK, connect, content, forked, in_child, libc, read, send, using
from ways import each, ended, refusal

# A copy's calls are one line in a second, and one more with their count where a second ends between them.
TOLD = (1, 3)
# What the other policies allow by a list is judged as a child process all the same.
LOOKED_AT = {
    "SHIELD_READ_WRITE_TMP": "{mode}",
    "SHIELD_ALLOW_TMP": "/tmp/**",
    "SHIELD_OUTBOUND_CONNECTIVITY": "{mode}",
    "SHIELD_ALLOW_OUTBOUND": "203.0.113.0/24",
}
ACTS: dict[str, Function] = {
    "creates_a_file": lambda: os.close(os.open("/tmp/new", os.O_CREAT | os.O_WRONLY, 0o600)),
    "makes_a_directory": lambda: os.mkdir("/tmp/made"),
    "renames": lambda: os.rename("/tmp/there", "/tmp/elsewhere"),
    "removes_a_file": lambda: os.unlink("/tmp/there"),
    "connects": lambda: connect(DENIED),
    "sends_a_datagram": lambda: send(b"secret"),
    "of_a_fork": lambda: in_child(lambda: os.mkdir("/tmp/made")),
}

for _name, _act in ACTS.items():
    for _prefix, _settings in {"fork": {}, "fork_with_lists": LOOKED_AT}.items():
        _declare = attempt(CHILD, settings=_settings, alerts=TOLD)
        effects(_declare, **{f"{_prefix}_{_name}": lambda act=_act: in_child(act)})


def before_exec() -> list[str]:
    """What languages open between fork and exec."""
    os.dup2(os.open("/dev/null", os.O_RDWR), 0)
    return [os.readlink("/proc/self/fd/0"), *sorted(os.listdir("/proc/self/fd/"))[:2]]


each(unchanged(CHILD), fork_opens_what_comes_before_exec=lambda: in_child(before_exec))
each(
    attempt(CHILD, alerts=TOLD),
    fork_reads_a_file=lambda: in_child(lambda: before_exec()[0] + read("/etc/passwd")),
    fork_reads_the_handler=lambda: in_child(lambda: read("/var/task/app.py")),
    fork_reads_a_file_by_way_of_null=lambda: in_child(lambda: read("/dev/../etc/passwd")),
    fork_reads_a_file_below_its_descriptors=lambda: using(
        "/etc/passwd", lambda file: in_child(lambda: read(f"/proc/self/fd/{file}")), os.O_RDONLY
    ),
)


effects(
    attempt(CHILD, alerts=TOLD),
    fork_by_libc=lambda: ended(LIBC.fork() or os._exit(refusal(lambda: libc("mkdir", b"/tmp/made", 0o700)) or 0)),
)
each(
    unchanged(CHILD),
    fork_and_exit=lambda: os.waitstatus_to_exitcode(os.waitpid(os.fork() or os._exit(7), 0)[1]),
)


@unchanged(CHILD)
def fork_and_use_pipes() -> str:
    """What it was given it may use: nothing here names a file or an address."""
    reading, writing = os.pipe()
    forked(lambda: os.write(writing, b"hello"))
    os.close(writing)
    return content(reading)


@unchanged(CHILD)
def vfork_that_fails_to_exec() -> int:
    """The parent goes on as it was: its own files are its own."""
    result = HELP().vfork_exec(b"/var/task/missing")
    return result if read("/etc/passwd") else 0


effects(
    unchanged(CHILD, settings=LISTED), fork_and_exec_what_is_listed=lambda: forked(lambda: os.execv(MARK, ["mark"]))
)
PYTHON = f"/var/lang/bin/python{sys.version_info.major}.{sys.version_info.minor}"
effects(
    unchanged(CHILD, settings={"SHIELD_ALLOW_CHILD_PROCESS": PYTHON}),
    fork_of_a_listed_program=lambda: in_child(lambda: os.mkdir("/tmp/made")),
)
