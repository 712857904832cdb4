"""Runs inside the sandbox: `frames.py <what> <library> <effort>`, the walk over this interpreter's own frames."""

from __future__ import annotations

import ast
import asyncio
import collections
import contextlib
import ctypes
import dataclasses
import gc
import inspect
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
EFFORT = float(sys.argv[3])
ROOM = 1 << 18
COROUTINES = inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE | inspect.CO_ASYNC_GENERATOR
BUFFER = ctypes.create_string_buffer(ROOM)


def seen() -> list[str]:
    """This thread's frames as the walk sees them, without the one of this function, and without what 3.13 puts under an
    `__init__`: that is in no file."""
    LIBRARY.frames_here(BUFFER, ROOM)
    lines = BUFFER.value.decode("utf-8", "surrogatepass").splitlines()[1:]
    return [line for line in lines if line != "__init__|__init__|0|0"]


# What the interpreter says


def said(frame: FrameType | None) -> list[str]:
    stack = []
    while frame:
        code: Any = frame.f_code
        kind = 2 if code.co_flags & COROUTINES else bool(code.co_flags & inspect.CO_GENERATOR)
        stack.append(f"{code.co_qualname}|{code.co_filename}|{kind:d}|{frame.f_lineno or 0}")
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


WHAT = {f.__name__: f for f in (compare, interrupt)}

if __name__ == "__main__":
    print(json.dumps(WHAT[sys.argv[1]]()))
