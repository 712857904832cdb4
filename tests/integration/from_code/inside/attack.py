"""Calls the engine's entry point as nobody should: `attack.py TRIAL`. Prints "ok" when nothing got looser."""

from __future__ import annotations

import _ctypes
import ctypes
import os
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

ENGINE = ctypes.CDLL("/opt/shielded-function/libshield.so")
STRICT = b"SHIELD_READ_WRITE_TMP=block\nSHIELD_EXECUTABLE_MEMORY=allow\nSHIELD_ALLOW_OUTBOUND=a.example.com\n"
LOOSER, WITHOUT_MEMORY = b"SHIELD_READ_WRITE_TMP=allow\n", b"SHIELD_EXECUTABLE_MEMORY=allow\n"
REFUSED = [
    LOOSER + line
    for line in (
        *(b"SHIELD_STATE=running:2:/bin/sh\n", b"SHIELD_STATE_AWS_LAMBDA_RUNTIME_API=203.0.113.1:9\n"),
        *(b"SHIELD_POLICY_FILE=/var/task/policy\n", b"SHIELD_NEXT_WRAPPER=/bin/sh\n", b"AWS_REGION=eu-west-1\n"),
        *(b"LD_PRELOAD=/tmp/x.so\n", b"SHIELD_READ_WRITE_TMP=block\n", b"\rSHIELD_X=1\n", b"=\n", b"x\n"),
    )
]
ASKED = [
    STRICT,
    b"SHIELD_READ_WRITE_TMP=alert\n" + WITHOUT_MEMORY,
    LOOSER + WITHOUT_MEMORY,
    b"SHIELD_READ_WRITE_TMP=block\nSHIELD_ALLOW_OUTBOUND=\n",
    b"SHIELD_CREATE_CHILD_PROCESS=alert\nSHIELD_ALLOW_AWS=none\n",
    b"SHIELD_OUTBOUND_CONNECTIVITY=block\nSHIELD_ALLOW_OUTBOUND=evil.example.com\n",
    b"SHIELD_READ_HANDLER=allow\n",
    b"nonsense",
]


def configure(lines: bytes, said: ctypes.Array[ctypes.c_char], *, length: int | None = None, room: int = 512) -> int:
    size = len(lines) if length is None else length
    return ENGINE.shield_configure(lines, ctypes.c_uint64(size), said, ctypes.c_uint64(room))


def ask(lines: bytes) -> bytes:
    """The reason why it is refused; none when it is in force."""
    said = ctypes.create_string_buffer(512)
    refused = configure(lines, said)
    assert bool(refused) == bool(said.value), (lines, said.value)
    return said.value


def tmp_is_denied() -> bool:
    try:
        os.close(os.open("/tmp/attack", os.O_CREAT | os.O_WRONLY, 0o600))
    except PermissionError:
        return True
    return False


def datagram_is_denied() -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        try:
            sender.sendto(b"x", ("203.0.113.77", 9))
        except PermissionError:
            return True
    return False


def odd_arguments() -> None:
    said = ctypes.create_string_buffer(b"x" * 511)
    assert ask(b"")
    assert configure(bytes(4096), said, length=2**64 - 1) == 1
    assert ask(bytes(4096)) == b"the policy has a control character; take it out"
    for is_armed in (False, True):
        assert [line for line in REFUSED if not ask(line)] == []
        assert tmp_is_denied() == is_armed
        assert not ask(STRICT)
    for room in (1, 8):
        said.raw = b"x" * 512
        assert configure(b"x", said, room=room) == 1
        assert (len(said.value), said.raw[room]) == (room - 1, ord("x"))
    assert tmp_is_denied()


def eight_threads() -> None:
    """Configure over and over, beside four that make other calls: none is let through that was denied before."""
    was_denied: dict[Callable[[], bool], list[bool]] = {tmp_is_denied: [], datagram_is_denied: []}

    def look() -> None:
        for is_denied, before in was_denied.items():
            must = bool(before)
            denied = is_denied()
            assert denied or not must
            # By a text without the field too: a first text blocks all that it leaves out.
            before.extend([True] * denied)

    def call(me: int) -> None:
        for turn in range(150):
            lines = ASKED[(me + turn) % len(ASKED)]
            if me >= 8:
                with open("/dev/null", "wb", buffering=0) as file:
                    assert file.write(lines) == len(lines)
            elif not configure(lines, ctypes.create_string_buffer(512)) and b"TMP=block" in lines:
                was_denied[tmp_is_denied].append(True)
            look()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(call, range(12)))
    assert all(was_denied.values())
    assert tmp_is_denied()


def in_forked_copies() -> None:
    """One of a process that is not armed yet arms itself, as workers that a runtime forks do; one of an armed process
    tightens for itself."""
    for again in (False, True):
        if not (child := os.fork()):
            assert not ask(STRICT + b"SHIELD_CREATE_CHILD_PROCESS=allow\n")
            assert tmp_is_denied()
            assert ask(b"SHIELD_READ_WRITE_TMP=alert\n")
            assert tmp_is_denied()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0, "a copy for itself"
        assert not tmp_is_denied(), "not its parent"
        alerting = STRICT.replace(b"block", b"alert") + b"SHIELD_CREATE_CHILD_PROCESS=allow\n"
        assert again or not ask(alerting)


def after_closing() -> None:
    """The library stays, however often it is closed."""
    for _ in repeat(None, 5):
        _ctypes.dlclose(ENGINE._handle)
    assert not ask(STRICT)
    for _ in repeat(None, 5):
        _ctypes.dlclose(ENGINE._handle)
    assert tmp_is_denied()
    assert ask(LOOSER)


TRIALS: dict[str, Callable[[], None]] = {
    trial.__name__: trial for trial in (odd_arguments, eight_threads, in_forked_copies, after_closing)
}

if __name__ == "__main__":
    assert not tmp_is_denied(), "armed by being loaded"
    TRIALS[sys.argv[1]]()
    print("ok", flush=True)
    os._exit(0)
