"""Runs inside the sandbox. `list` prints the cases as JSON; `serve DESCRIPTOR [late] [ready]` runs them.

Each case is asked for by `MODULE NAME here|copied` on a socket, and answered with what came of it: `errno` is None when
the thing was done (1000 + n for a look-up's error n), `evidence` is what was got by it, `left_open` is how many
descriptors it leaked.
"""

from __future__ import annotations

import ctypes
import dataclasses
import importlib
import json
import mmap
import os
import signal
import socket
import sys
import threading
import traceback
from typing import Any

import common

# In this order they are run and shown. Each is loaded when it is needed: most processes need one.
MODULES = (
    *("tmp", "tmp_spellings", "tmp_allowed", "tmp_calls", "child", "child_allowed", "forks"),
    *("handler", "gate", "alerts", "settings", "memory", "states", "network"),
)
LIBRARY = "/opt/shielded-function/libshield.so"
UNKNOWN = -1  # an OSError without a number


def listing() -> list[dict[str, Any]]:
    for module in MODULES:
        importlib.import_module(module)
    return [
        dataclasses.asdict(case) | {"section": common.FUNCTIONS[name].__module__} for name, case in common.CASES.items()
    ]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def outcome(name: str) -> dict[str, Any]:
    result: dict[str, Any] = {"errno": None, "evidence": None, "error": None}
    before = descriptors()
    scope = {"case": common.FUNCTIONS[name]}
    try:
        # By a module of its own: of the same violation by the same code there is one line in a second.
        exec(compile("evidence = case()", f"/var/task/{name}.py", "exec"), scope)
        result["evidence"] = scope["evidence"]
    except socket.gaierror as error:
        result["errno"] = 1000 - error.args[0]
    except OSError as error:
        result["errno"] = UNKNOWN if error.errno is None else error.errno
        if error.errno is None:  # the loader's: only its words tell what was refused
            result["evidence"] = str(error)
    except BaseException:
        result["error"] = traceback.format_exc()[-2000:]
    return result | {"left_open": descriptors() - before}


def outcome_in_a_copy(name: str) -> dict[str, Any]:
    """The same, in a forked copy of this process: whatever the case does to itself ends with it."""
    with mmap.mmap(-1, 1 << 16) as answer:  # a case may close every descriptor
        child = os.fork()
        if child == 0:
            answer.write(json.dumps(outcome(name), default=str).encode())
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        text = answer[:].rstrip(b"\0")
    return json.loads(text) if text else {"error": f"the copy ended with {status}"}


def attach_late() -> None:
    """As `configure()` does it: into a process that has been running for a while, beside another thread."""
    before = signal.pthread_sigmask(signal.SIG_SETMASK, range(1, 65))  # they are for those whom the cases send them to
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    ctypes.CDLL(LIBRARY)


def serve(channel: int, *, late: bool, ready: bool) -> None:
    os.set_inheritable(channel, False)
    if late:
        attach_late()
    if ready:
        importlib.import_module("handler").become_ready()
    os.write(channel, b"{}")
    while request := os.read(channel, 256).decode():
        module, name, copied = request.split()
        importlib.import_module(module)
        answer = outcome_in_a_copy(name) if copied == "copied" else outcome(name)
        os.write(channel, json.dumps(answer, default=str).encode())


def main() -> None:
    if sys.argv[1] == "list":
        json.dump(listing(), sys.stdout)
    else:
        serve(int(sys.argv[2]), late="late" in sys.argv, ready="ready" in sys.argv)


if __name__ == "__main__":
    main()
