"""The core compiled for tests: every function of its headers callable, and undefined behaviour a crash.

The declarations come from the headers themselves, so a test cannot use another interface than the engine does.
zig ships no AddressSanitizer: reads beyond a buffer are caught by putting it at the end of a page, before one that
may not be touched.
"""

from __future__ import annotations

import ctypes
import mmap
import re
from collections import deque
from pathlib import Path
from typing import Any

from cffi import FFI

from harness.checkout import ROOT
from harness.compiling import compile_c

CORE = ROOT / "runtime_layer" / "native" / "core"
# In the order in which they include each other.
HEADERS = (
    *("text.h", "glob.h", "endpoint.h", "machine_names.h", "policy.h", "setting_table.h", "aws.h"),
    *("learned_addresses.h", "dns.h", "runtime_profile.h", "verdict.h", "alert.h", "tighten.h", "tls.h", "zip.h"),
    *("package_roots.h", "python_layout.h", "python_objects.h"),
)
FLAGS = ("-std=c11", f"-I{CORE}")
TRAP = ("-fsanitize=undefined", "-fsanitize-trap=undefined")
ERROR_ROOM = 1024


def core_sources() -> list[Path]:
    """All but memory.c: a test program has a libc."""
    return sorted(source for source in CORE.glob("*.c") if source.name != "memory.c")


def declarations() -> str:
    """The headers without what cffi cannot read: comments, bodies and the preprocessor's lines."""
    text = "\n".join((CORE / name).read_text() for name in HEADERS)
    text = re.sub(r"/\*.*?\*/|^static inline .*?^}$", "", text, flags=re.DOTALL | re.MULTILINE)
    return "\n".join(line for line in text.split("\n") if not line.startswith("#"))


class Guarded:
    """Memory whose end lies before a page that may not be touched: one byte too far is a crash."""

    ROOM = 18 * mmap.PAGESIZE  # the longest DNS message and more

    def __init__(self, ffi: Any) -> None:
        self._map = mmap.mmap(-1, self.ROOM + mmap.PAGESIZE)
        self._view = ffi.from_buffer(self._map)
        libc = ctypes.CDLL(None, use_errno=True)
        after = ctypes.c_void_p(int(ffi.cast("uintptr_t", self._view)) + self.ROOM)
        assert libc.mprotect(after, ctypes.c_size_t(mmap.PAGESIZE), 0) == 0

    def place(self, content: bytes) -> Any:
        """A pointer to a copy of the content; the next call overwrites it."""
        start = self.ROOM - len(content)
        self._map[start : self.ROOM] = content
        return self._view + start


class Native:
    """The library, and how Python's values become its own."""

    def __init__(self, folder: Path) -> None:
        library = compile_c(core_sources(), folder / "libcoretest.so", *FLAGS, *TRAP, "-fPIC", "-shared")
        self.ffi: Any = FFI()
        self.ffi.cdef(declarations())
        self.lib: Any = self.ffi.dlopen(str(library))
        self.message = Guarded(self.ffi)
        self.room = Guarded(self.ffi)
        self._alive: deque[Any] = deque(maxlen=1024)

    def text(self, value: str | bytes) -> Any:
        """A `struct text`, good for the next thousand calls."""
        raw = value.encode(errors="surrogateescape") if isinstance(value, str) else value
        memory = self.ffi.new("char[]", max(len(raw), 1))
        self.ffi.memmove(memory, raw, len(raw))
        text = self.ffi.new("struct text *", {"at": memory, "len": len(raw)})
        self._alive.append((memory, text))
        return text[0]

    def writer(self, cap: int = 4096) -> Any:
        """A `struct writer *` over guarded memory."""
        room = self.ffi.cast("char *", self.room.place(bytes(cap)))
        writer = self.ffi.new("struct writer *", {"at": room, "cap": cap})
        self._alive.append(writer)
        return writer

    def written(self, writer: Any) -> bytes:
        """What a writer holds."""
        return bytes(self.ffi.buffer(writer.at, writer.used))

    def string(self, text: Any) -> str:
        """The Python text of a `struct text`."""
        return bytes(self.ffi.buffer(text.at, text.len)).decode()

    def address(self, value: str) -> Any:
        """A `struct address *`; the text must be one."""
        address = self.ffi.new("struct address *")
        assert self.lib.address_parse(self.text(value), address), value
        return address

    def show(self, address: Any) -> str:
        """An address as the core writes it."""
        writer = self.writer(64)
        self.lib.address_write(address, writer)
        assert not writer.full
        return self.written(writer).decode()

    def policy(self, *settings: str) -> Any:
        """A `struct policy *` from `NAME=value` lines, which must be good."""
        policy, error = self.parse("\n".join(settings))
        assert not error, error
        return policy

    def parse(self, lines: str | bytes) -> tuple[Any, str]:
        """The policy, and the error that its lines give; empty when they are good."""
        policy = self.ffi.new("struct policy *")
        self.ffi.memmove(policy, b"\xa5" * self.ffi.sizeof(policy[0]), self.ffi.sizeof(policy[0]))  # as memory may be
        error = self.writer(ERROR_ROOM)
        self.lib.policy_begin(policy)
        good = self.lib.policy_set_lines(policy, self.text(lines), error) and self.lib.policy_end(policy, error)
        said = self.written(error).decode()
        assert bool(said) != bool(good)
        return policy, said

    def lines_of(self, policy: Any) -> str:
        """A policy as `NAME=value` lines, in canonical form."""
        writer = self.writer(60_000)
        self.lib.policy_write_lines(policy, writer)
        assert not writer.full
        return self.written(writer).decode(errors="surrogateescape")  # a path is any bytes
