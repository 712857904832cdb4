"""Runs inside the sandbox: `frames.py <what> <library> <effort>`, the walk over this interpreter's own frames."""

from __future__ import annotations

import ast
import asyncio
import collections
import contextlib
import ctypes
import dataclasses
import gc
import json
import re
import sys
import textwrap
import threading
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

LIBRARY = ctypes.PyDLL(sys.argv[2])  # keeps the GIL: nobody else changes what is looked at
LETTING_GO = ctypes.CDLL(sys.argv[2])
LIBRARY.frame_here.restype = LIBRARY.runtime_here.restype = LIBRARY.nanoseconds_with.restype = ctypes.c_uint64
EFFORT = float(sys.argv[3])
ROOM = 1 << 18
BUFFER = ctypes.create_string_buffer(ROOM)


def seen(library: ctypes.CDLL = LIBRARY, buffer: ctypes.Array[ctypes.c_char] = BUFFER) -> list[str]:
    """This thread's frames as the walk sees them, without the one of this function, and without what 3.13 puts under an
    `__init__`: that is in no file."""
    library.frames_here(buffer, ROOM)
    lines = buffer.value.decode("utf-8", "surrogatepass").splitlines()[1:]
    return [line for line in lines if line != "__init__|__init__|0"]


# What the interpreter says


def said(frame: FrameType | None) -> list[str]:
    stack = []
    while frame:
        code: Any = frame.f_code
        stack.append(f"{code.co_qualname}|{code.co_filename}|{frame.f_lineno or 0}")
        frame = frame.f_back
    return stack[:255]


@dataclasses.dataclass
class Point:
    x: int = 1
    y: str | None = None


def numbers(n: int) -> Iterator[int]:
    for i in range(n):
        with contextlib.suppress(ValueError):
            yield from (
                x
                for x in [
                    i,
                    i + 1,
                ]
            )
            raise ValueError


async def later(n: int) -> AsyncIterator[int]:
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def odd(n: int) -> list[int]:
    return [i async for i in later(n) if i
            % 2]  # fmt: skip


async def tasks() -> None:
    await asyncio.gather(odd(3), odd(4))
    await asyncio.wait_for(odd(2), 5)


def ünïcode_名前() -> dict[int, int]:
    return {k: (lambda v: v + 1)(k) for k in range(3)}


FAR = "\n" * 70_000 + "def far(x):\n" + "".join(f"  x += {i}\n" for i in range(300)) + "  return x\nfar(1)"


def workload() -> None:
    json.loads(json.dumps({"a": [1, 2, {"b": None}]}, indent=1))
    assert Point(1) == Point(1)
    list(numbers(3))
    asyncio.run(tasks())
    re.purge()
    re.compile(r"(a|b)*[c-e]{2,3}(?P<x>\d+)$").match("abcc1")
    textwrap.fill("a long line " * 20, 30)
    ast.unparse(ast.parse("def f(a, *b, c=1):\n  return [x for x in a if x]\n"))
    ünïcode_名前()
    exec(compile(FAR, "far.py", "exec"), {})
    try:
        sorted([3, 1, 2], key=lambda x: 1 / (x - 2))
    except ZeroDivisionError:
        traceback.format_exc()


def compare() -> dict[str, Any]:
    """On line events of a varied program, the whole stack is what the interpreter says."""
    every, looked, frames, wrong = max(1, round(4000 / EFFORT)), 0, 0, []

    def look(frame: FrameType, _event: str, _arg: object) -> Any:
        nonlocal looked, frames
        looked += 1
        if looked % every == 0:
            own = sys._getframe()
            got = seen()
            expected = said(own)
            frames += len(expected)
            if [line.rpartition("|")[0] for line in got[:1]] != [expected[0].rpartition("|")[0]] or got[
                1:255
            ] != expected[1:]:
                wrong.append([got[:4], expected[:4]])
        return look

    sys.settrace(look)
    workload()
    sys.settrace(None)
    return {"looks": looked // every, "frames": frames, "wrong": len(wrong), "first": wrong[:2]}


# Any moment


class Node:
    def __init__(self, depth: int) -> None:
        self.inner = Node(depth - 1) if depth else None
        self.itself = self

    def __del__(self) -> None:
        len([x for x in range(3) if x])


def deep(n: int) -> int:
    return deep(n - 1) + 1 if n else 0


def toil() -> None:
    for _ in range(3):
        workload()
        for _ in range(20):
            Node(5)
        gc.collect(0)
        deep(200)
        collections.namedtuple("T", "a b")


def interrupt() -> dict[str, Any]:
    """From a signal handler, at any instruction of a program whose threads come and go."""
    end = time.process_time() + EFFORT
    LIBRARY.look_each(200)
    while time.process_time() < end:
        threads = [threading.Thread(target=toil) for _ in range(3)]
        for thread in threads:
            thread.start()
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(deep, [50] * 30))
        for thread in threads:
            thread.join()
    LIBRARY.look_each(0)
    return {"looks": LIBRARY.looks_so_far(0), "frames": LIBRARY.looks_so_far(1), "empty": LIBRARY.looks_so_far(2)}


def threads() -> dict[str, Any]:
    """Each thread sees its own frames, while others come and go, and nobody holds the GIL."""
    end, counts, lock = time.process_time() + EFFORT, collections.Counter[str](), threading.Lock()

    def come_and_go() -> None:
        while time.process_time() < end:
            passing = [threading.Thread(target=int) for _ in range(20)]
            for thread in passing:
                thread.start()
            for thread in passing:
                thread.join()

    def own(number: int) -> None:
        buffer, found = ctypes.create_string_buffer(ROOM), collections.Counter[str]()
        names = {"exec": exec, "seen": seen, "LETTING_GO": LETTING_GO, "buffer": buffer}
        exec(f"def look_{number}():\n  return seen(LETTING_GO, buffer)", names)
        look: Any = names[f"look_{number}"]
        while time.process_time() < end:
            frames = look()
            found[
                "right" if frames and frames[0] == f"look_{number}|<string>|2" else "wrong" if frames else "empty"
            ] += 1
        with lock:
            counts.update(found)

    running = [threading.Thread(target=come_and_go) for _ in range(2)]
    running += [threading.Thread(target=own, args=(number,)) for number in range(3)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return dict(counts)


# Broken memory

FIELDS = sys.argv[4].split(",") if len(sys.argv) > 4 else []
OFFSETS = {name: LIBRARY.offset_here(number) for number, name in enumerate(FIELDS)}


def word(address: int) -> int:
    return ctypes.c_uint64.from_address(address).value


def broken() -> dict[str, Any]:
    """Whatever a pointer of the interpreter's is: the walk ends soon, and reads nothing that is not there."""
    frame = LIBRARY.frame_here()
    code, text, table = id(broken.__code__), id(broken.__code__.co_filename), id(broken.__code__.co_linetable)
    runtime = LIBRARY.runtime_here()
    interpreter = word(runtime + OFFSETS["RUNTIME_INTERPRETERS"])
    thread = word(interpreter + OFFSETS["INTERPRETER_THREADS"])
    current = word(thread + OFFSETS["THREAD_FRAME"])
    objects = {
        "RUNTIME": runtime,
        "INTERPRETER": interpreter,
        "THREAD": thread,
        "C": current if OFFSETS["C_FRAME_FRAME"] != 0xFFFF else 0,
        "FRAME": frame,
        "CODE": code,
        "BYTES": table,
        "STR": text,
    }
    assert word(frame + OFFSETS["FRAME_CODE"]) & ~3 == code
    circle = [
        0,
        1,
        2,
        7,
        8,
        4095,
        4096,
        0x1000,
        0xDEADBEEF000,
        1 << 47,
        (1 << 47) - 1,
        0xFFFF800000000000,
        (1 << 64) - 1,
    ]
    circle += [
        1 << 62,
        (1 << 20) - 1,
        1 << 20,
        *(o for o in objects.values() if o),
        frame + 1,
        code + 4,
        id(sys),
        id(()),
    ]
    longest, tried = 0, 0
    for name, offset in OFFSETS.items():
        place = objects.get(name.partition("_")[0], 0)
        if not place or offset == 0xFFFF or name in ("CODE_START", "BYTES_START", "STR_ASCII_START", "STR_OTHER_START"):
            continue
        for value in circle:
            longest = max(
                longest, LIBRARY.nanoseconds_with(ctypes.c_uint64((place + offset) & ~7), ctypes.c_uint64(value))
            )
            tried += 1
    frames = seen()
    return {"tried": tried, "longest": longest, "after": frames[0].partition("|")[0]}


WHAT = {f.__name__: f for f in (compare, interrupt, threads, broken)}

if __name__ == "__main__":
    print(json.dumps(WHAT[sys.argv[1]]()))
