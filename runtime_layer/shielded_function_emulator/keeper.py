"""The process that holds a sandbox's namespaces: `python -m shielded_function_emulator.keeper FD`.

It reads one JSON request from the socket FD, enters new namespaces, builds the root filesystem and the network,
says which kind of isolation it got, and from then on opens sockets *in the sandbox's network* for its parent,
who serves and watches that network with them. It ends when the socket closes, so also when the parent dies, and
every program in the sandbox ends with it.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from typing import Any, TypedDict, cast

from shielded_function_emulator import kernel, loopback, root

_SPACES = kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
MESSAGE = 1 << 16


class Request(TypedDict):
    """The specification of the sandbox."""

    base: str
    lies_over: bool
    binds: list[root.Bind]
    system: str
    emulator: str
    resolver: str
    addresses: list[str]
    hostname: str
    ways: list[str]


def _enter_as_root(emulator: str) -> root.User:
    if emulator:
        raise OSError(errno.ENOTSUP, "binfmt_misc is the whole machine's")
    kernel.unshare(_SPACES)
    return root.SANDBOX_USER


def _enter_as_user(emulator: str) -> root.User:
    if emulator:  # only a namespace's root can write binfmt_misc, so an outer namespace gets one
        kernel.new_user_namespace(0, 0, kernel.CLONE_NEWNS)
        root.run_by(emulator)
    user = root.SANDBOX_USER
    kernel.new_user_namespace(user.uid, user.gid, _SPACES)
    return user


# How to get the namespaces, the strongest way first.
WAYS = {"root": _enter_as_root, "user-namespace": _enter_as_user}


def _isolate(request: Request) -> str:
    """Enters the namespaces the strongest way that works. Raises OSError when none does."""
    reasons: list[str] = []
    for name in request["ways"]:
        if name == "root" and os.geteuid() != 0:
            reasons.append("not root")
            continue
        try:
            user = WAYS[name](request["emulator"])
        except OSError as error:
            reasons.append(f"{name}: {error.strerror}")
            continue
        socket.sethostname(request["hostname"])
        loopback.bring_up(request["addresses"])
        root.build(
            request["base"], request["lies_over"], request["binds"], request["system"], request["resolver"], user
        )
        return name
    raise OSError("; ".join(reasons) or "isolation not asked for")


def _serve(channel: socket.socket) -> None:
    while message := channel.recv(MESSAGE):
        family, kind = cast("list[int]", json.loads(message))
        try:
            with socket.socket(family, kind) as opened:
                socket.send_fds(channel, [b"{}"], [opened.fileno()])
        except OSError as error:
            _say(channel, error=f"socket({family}, {kind}): {error}")


def _say(channel: socket.socket, **answer: Any) -> None:
    channel.send(json.dumps(answer).encode())


def main() -> int:
    """Runs until the parent closes its end."""
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        request = cast("Request", json.loads(channel.recv(MESSAGE)))
        try:
            isolation = _isolate(request)
        except OSError as error:
            _say(channel, error=str(error))
            return 1
        _say(channel, isolation=isolation)
        _serve(channel)
    return 0


if __name__ == "__main__":
    sys.exit(main())
