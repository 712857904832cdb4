"""An audit hook (PEP 578) that decides by prefix, for PYTHONPATH: it sees what Python itself announces, no more.

That ctypes loads a library or looks a name up is announced too; which call it then makes is not. To refuse ctypes as a
whole would close that, and break what uses it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing's own would be imported, which takes longer than all of this
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _install() -> None:
    denied = tuple(path for path in os.environ.get("PEER_DENY", "").split(":") if path)
    below = tuple(f"{path}/" for path in denied)
    programs = frozenset(os.environ.get("PEER_PROGRAMS", "").split(":"))
    network = tuple(text for text in os.environ.get("PEER_NETWORK", "").split(",") if text)
    absolute, decode = os.path.abspath, os.fsdecode

    def refuse(what: object) -> None:
        raise PermissionError(13, "refused by policy", str(what))

    def judge_path(args: tuple[Any, ...]) -> None:
        path = args[0]
        if isinstance(path, (str, bytes)):
            whole = absolute(decode(path))
            if whole in denied or whole.startswith(below):
                refuse(path)

    def judge_program(args: tuple[Any, ...]) -> None:
        path = args[0]
        if not isinstance(path, (str, bytes)) or decode(path) not in programs:
            refuse(path)

    def judge_address(args: tuple[Any, ...]) -> None:
        to = args[1]
        if isinstance(to, tuple) and not str(to[0]).startswith(network):
            refuse(to)

    def judge_name(args: tuple[Any, ...]) -> None:
        host = args[0]
        name = host.decode() if isinstance(host, bytes) else host
        is_number = not name or name.replace(".", "").isdecimal() or ":" in name
        if not is_number and name != "localhost":
            refuse(host)

    judges: dict[str, Callable[[tuple[Any, ...]], None]] = {
        "open": judge_path,
        "os.mkdir": judge_path,
        "socket.connect": judge_address,
        "socket.sendto": judge_address,
        "socket.sendmsg": judge_address,
        "socket.getaddrinfo": judge_name,
        "socket.gethostbyname": judge_name,
        "subprocess.Popen": judge_program,
        "os.exec": judge_program,
        "os.posix_spawn": judge_program,
        "os.spawn": lambda args: judge_program(args[1:]),
        "os.system": judge_program,
    }

    def hook(event: str, args: tuple[Any, ...]) -> None:
        judge = judges.get(event)
        if judge:
            judge(args)

    sys.addaudithook(hook)


_install()
