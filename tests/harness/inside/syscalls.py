"""Runs inside the sandbox: system calls by number, and what a call that is not judged must not bring about.

`syscalls.py <scenario> <numbers>`: the numbers of this machine as JSON, by name. The last line of output is JSON.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import socket
import struct
import subprocess
import sys
from functools import partial
from typing import Any

import filtering
import landlock
from ways import LIBC, copy_returns, each, print_result, refusal, way

LIBC.syscall.restype = ctypes.c_long
NUMBERS: dict[str, int] = json.loads(sys.argv[2])
ELSEWHERE = ("203.0.113.9", 9999)
SHELL = "/bin/sh"


def call(name: str | int, *arguments: object) -> int:
    result = LIBC.syscall(ctypes.c_long(NUMBERS[name] if isinstance(name, str) else name), *arguments)
    return -ctypes.get_errno() if result == -1 else result


def datagrams() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


@way
def lengths_of_an_address() -> list[int]:
    """A datagram to an address of a length that is none, by a socket without a peer and by one with."""
    address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(ELSEWHERE[1]), socket.inet_aton(ELSEWHERE[0]))
    found: list[int] = []
    for connected in (False, True):
        with datagrams() as sender:
            if connected:
                sender.connect(("127.0.0.1", 9999))
            for length in (0, 1, 15, 129, -1):
                found.append(call("sendto", sender.fileno(), b"x", 1, 0, address, ctypes.c_long(length)))
    return found


@way
def refused() -> dict[str, int]:
    """Every call with arguments that no kernel can use."""
    return {name: call(name, *[ctypes.c_long(-1)] * 6) for name in NUMBERS}


@way
def namespaces() -> dict[str, int | None]:
    """A child in a user and a mount namespace of its own."""
    new_user, new_mounts, child_signal = 0x10000000, 0x20000, 17
    reading, writing = os.pipe()
    child = call("clone", new_user | new_mounts | child_signal, 0, 0, 0, 0)
    if child < 0:
        return {"clone": child}
    if child == 0:
        mounted = -call("mount", b"/tmp", b"/mnt", None, 4096, None)
        results = {"open": refusal(lambda: os.close(os.open("/tmp/there", os.O_RDONLY))), "mount": mounted}
        os.write(writing, json.dumps(results).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return {"clone": 0} | json.loads(os.read(reading, 4096))


@way
def options_of_prctl() -> dict[str, int]:
    options = {"move_memory": (35, 14, -1), "name": (15, b"renamed", 0), "dumpable": (4, 1, 0)}
    return {name: call("prctl", *arguments, 0, 0) for name, arguments in options.items()}


@way
def no_descriptors_allowed() -> int | None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with datagrams() as sender:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        result = refusal(lambda: sender.sendto(b"secret", ELSEWHERE))
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    return result


@way
def library_out_of_reach() -> Any:
    """Landlock: the loader of a child may read everything but the layer. None: there is no Landlock here."""

    def work() -> int | None:
        readable = sorted(f"/{folder}" for folder in set(os.listdir("/")) - {"opt", "tmp"})
        if refusal(lambda: landlock.keep(landlock.READ_FILE, readable)) is not None:
            return None
        return refusal(lambda: os.execv(SHELL, [SHELL, "-c", "exit 0"]))

    return copy_returns(work)


@way
def flags_of_execveat() -> list[int]:
    """For each set of flags: the call's result, or 1000 when the program ran."""
    check = 0x10000
    arguments = (ctypes.c_char_p * 4)(SHELL.encode(), b"-c", b"exit 7", None)

    def execute(flags: int) -> int:
        if child := os.fork():
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            return 1000 if status == 7 else -status
        os._exit(-call("execveat", -100, SHELL.encode(), arguments, (ctypes.c_char_p * 1)(None), flags))

    return [execute(flags) for flags in (0, check, 1, 0x80000000)]


@way
def source_routes() -> dict[str, int | None]:
    route = bytes([131, 7, 4, *socket.inet_aton("203.0.113.9"), 0])
    listed = ("198.51.100.1", 9999)
    with datagrams() as sender:
        return {
            "option": refusal(lambda: sender.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, route)),
            "control": refusal(lambda: sender.sendmsg([b"secret"], [(socket.IPPROTO_IP, 7, route)], 0, listed)),
            "other_option": refusal(lambda: sender.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 16)),
            "plain": refusal(lambda: sender.sendto(b"fine", listed)),
        }


@way
def options_of_a_flow_label() -> dict[str, int | None]:
    """A label for a flow (struct in6_flowlabel_req), alone, and with what each of its packets is to carry: a routing
    header would stand there, for which a hop limit stands in."""
    address = socket.inet_pton(socket.AF_INET6, "2001:db8::66")
    label = address + struct.pack("=IBBHHHI", 0, 0, 255, 1, 0, 0, 0)
    carried = struct.pack("=QIIiI", 20, socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, 9, 0)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        manage = partial(sender.setsockopt, socket.IPPROTO_IPV6, 32)  # IPV6_FLOWLABEL_MGR
        return {"label": refusal(lambda: manage(label)), "with_more": refusal(lambda: manage(label + carried))}


@way
def netlink() -> list[int | None]:
    """Routes, which glibc asks for, and devices, which browsers watch; then netfilter, audit and generic."""
    families = (0, 15, 12, 9, 16)
    return [refusal(lambda p=p: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, p).close()) for p in families]


@way
def a_child_that_cannot_arm() -> list[str]:
    """What the shells say that are started with ever more memory for data, from far too little to enough."""
    script = "ulimit -S -d unlimited; unset LD_PRELOAD; cat /tmp/there"
    said: list[str] = []
    for size in (*range(1200, 2600, 50), 100_000):
        command = [SHELL, "-c", f'ulimit -S -d {size}; exec {SHELL} -c "{script}"']
        said.append(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    return said


@way
def starts_with_a_pipe_of_its_own() -> Any:
    """This program again, shielded, with a pipe of this very user's as its stderr. Returns what it and the pipe say."""
    command = ["/opt/shielded-function/shield", sys.executable, __file__, "reads_its_log", sys.argv[2]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [json.loads(done.stdout), done.stderr]


@way
def reads_its_log() -> dict[str, int | None]:
    ways = {"read": os.O_RDONLY, "read_and_write": os.O_RDWR, "write": os.O_WRONLY}
    results = {
        name: refusal(lambda flags=flags: os.close(os.open("/proc/self/fd/2", flags | os.O_NONBLOCK)))
        for name, flags in ways.items()
    }
    refusal(lambda: datagrams().sendto(b"secret", ELSEWHERE))
    return results


NEWER, MARK = 480, 99


def run_under_a_filter(number: int, answer: int, *tests: tuple[int, int, int]) -> None:
    """Runs the rest of the command, where that call does nothing but give an errno; 0: it says that it was done."""
    filtering.install([(number, filtering.errno_answer(answer), *tests)])
    os.execv(sys.argv[3], sys.argv[3:])


each(
    way,
    a_newer_call=lambda: call(NEWER),
    # The kernel answers MARK to a call that it does not have.
    under_a_filter_that_knows_it=lambda: run_under_a_filter(NEWER, MARK),
    under_a_filter_of_fstatfs=lambda: run_under_a_filter(NUMBERS["fstatfs"], 0),
    # As on a kernel whose pages are of 64 KB: EINVAL to an address in the midst of one.
    under_larger_pages=lambda: run_under_a_filter(
        NUMBERS["madvise"], errno.EINVAL, (filtering.ARGUMENTS[0], filtering.ANY_BIT, 0xFFFF)
    ),
)


if __name__ == "__main__":
    print_result()
