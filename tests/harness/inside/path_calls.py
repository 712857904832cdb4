"""Makes each call that acts on a path, in many spellings, in a tree of its own: `path_calls.py FOLDER`.

Prints as JSON what each came to: its result, or its errno as a negative number, and a digest of the tree behind it.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import stat
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

NUMBERS = json.loads(Path(__file__).with_name("numbers.json").read_text())
PATHS = (
    "f", "d", "new", "new/", "f/", "d/", "lf", "lf/", "ld", "ld/", "dangling", "dangling/", "loop", "loop/", ".", "..",
    "./", "d/.", "d/..", "d/sub", "ld/g", "f/x", "none/x", "", "/proc/self/cwd/new", "n" * 255, "n" * 256,
    "x/" * 2047 + "y",
)  # fmt: skip
CWD = -100
SYMLINK_NOFOLLOW, REMOVE_FOLDER, SYMLINK_FOLLOW, EMPTY_PATH = 0x100, 0x200, 0x400, 0x1000
NO_REPLACE, EXCHANGE = 1, 2
O_PATH, RESOLVES = 0o10000000, (0x01, 0x02, 0x04, 0x08, 0x10, 0x18, 0x100)
OPENS = (
    os.O_RDONLY,
    os.O_RDWR,
    os.O_CREAT | os.O_RDWR,
    os.O_CREAT | os.O_RDONLY,
    os.O_CREAT | os.O_EXCL | os.O_RDWR,
    3,
    os.O_CREAT | 3,
    os.O_TRUNC,
    os.O_DIRECTORY,
    os.O_DIRECTORY | os.O_RDWR,
    os.O_NOFOLLOW,
    O_PATH | os.O_NOFOLLOW,
    os.O_CREAT | os.O_NOFOLLOW | os.O_RDWR,
    os.O_CREAT | os.O_DIRECTORY,
    os.O_TMPFILE | os.O_RDWR,
    os.O_TMPFILE,
    O_PATH | os.O_TRUNC,
    O_PATH | os.O_CREAT,
    os.O_APPEND | os.O_WRONLY,
)
libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> int | None:
    """The result, or a negative errno; None where there is no such call."""
    number = NUMBERS.get(name)
    if number is None:
        return None
    words = [a.encode() if isinstance(a, str) else ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    return -ctypes.get_errno() if result < 0 else result


def how(flags: int, mode: int = 0, resolve: int = 0, more: bytes = b"") -> bytes:
    """What openat2 takes: `struct open_how`."""
    return struct.pack("QQQ", flags, mode, resolve) + more


def opens(directory: int, path: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    """With openat2's own checks: of flags, of a mode without a file to make, of the size of its structure."""
    for flags in OPENS:
        yield "openat", (directory, path, flags, 0o640)
        makes = flags & os.O_CREAT or flags & os.O_TMPFILE == os.O_TMPFILE
        yield "openat2", (directory, path, how(flags, 0o640 if makes else 0), 24)
    for odd in (how(1 << 40), how(0, 0o600), how(os.O_CREAT | 2, 0xFFFF0600), how(1 << 30), how(0, 0, 0, b"\1" * 8)):
        yield "openat2", (directory, path, odd, len(odd))
    for resolve in RESOLVES:
        yield "openat2", (directory, path, how(os.O_RDONLY, 0, resolve), 24)
        yield "openat2", (directory, path, how(os.O_CREAT | os.O_RDWR, 0o640, resolve), 24)
    yield "openat2", (directory, path, how(0), 8)


def calls(directory: int, folder: int, path: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    """With a directory: each spelling of each call."""
    yield from opens(directory, path)
    yield "mkdirat", (directory, path, 0o755)
    yield "mknodat", (directory, path, stat.S_IFREG | 0o600, 0)
    yield "symlinkat", ("target", directory, path)
    yield "fchmodat", (directory, path, 0o711)
    for flags in (0, REMOVE_FOLDER):
        yield "unlinkat", (directory, path, flags)
    for flags in (0, NO_REPLACE, EXCHANGE):
        yield "renameat2", (directory, path, folder, "moved", flags)
        yield "renameat2", (folder, "f", directory, path, flags)
    for flags in (0, SYMLINK_FOLLOW):
        yield "linkat", (directory, path, folder, "linked", flags)
        yield "linkat", (folder, "f", directory, path, flags)
    for flags in (0, SYMLINK_NOFOLLOW, EMPTY_PATH, EMPTY_PATH | SYMLINK_NOFOLLOW):
        yield "fchmodat2", (directory, path, 0o700, flags)
        yield "fchownat", (directory, path, -1, -1, flags)
        yield "utimensat", (directory, path, None, flags)


def plain_calls(path: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    for flags in OPENS:
        yield "open", (path, flags, 0o640)
    yield "creat", (path, 0o640)
    yield "mkdir", (path, 0o700)
    yield "mknod", (path, stat.S_IFREG | 0o600, 0)
    yield "unlink", (path,)
    yield "rmdir", (path,)
    yield "rename", (path, "moved")
    yield "rename", ("f", path)
    yield "link", (path, "linked")
    yield "link", ("f", path)
    yield "symlink", ("target", path)
    yield "chmod", (path, 0o740)
    yield "lchown", (path, -1, -1)
    yield "truncate", (path, 2)
    yield "lgetxattr", (path, "user.none", None, 0)


def set_up(base: str) -> None:
    os.chdir("/")
    shutil.rmtree(base, ignore_errors=True)
    os.makedirs(f"{base}/d/sub")
    for name in ("f", "d/g"):
        with open(f"{base}/{name}", "w") as file:
            file.write("hello")
    for name, target in (("lf", "f"), ("ld", "d"), ("dangling", "nowhere"), ("loop", "loop")):
        os.symlink(target, f"{base}/{name}")
    os.chdir(base)


def digest(base: str) -> str:
    seen = []
    for parent, folders, files in os.walk(base):
        for path in sorted(os.path.join(parent, name) for name in (*folders, *files)):
            found = os.lstat(path)
            links = 0 if stat.S_ISDIR(found.st_mode) else found.st_nlink
            seen.append((path, found.st_mode, links, found.st_size))
    return hashlib.sha256(repr(sorted(seen)).encode()).hexdigest()[:12]


def main() -> None:
    base = sys.argv[1]
    results: dict[str, tuple[int | None, str]] = {}

    def keep(key: str, name: str, arguments: tuple[object, ...]) -> None:
        result = call(name, *arguments)
        if result and result > 0 and name.startswith(("open", "creat")):
            os.close(result)
        results[key] = (result, digest(base))
        set_up(base)

    set_up(base)
    for path in PATHS:
        shown = path if len(path) < 40 else f"{path[:2]}*{len(path)}"
        for which in ("cwd", "folder", "file", "closed"):
            folder, file = os.open(base, os.O_RDONLY), os.open(f"{base}/f", os.O_RDONLY)
            directory = {"cwd": CWD, "folder": folder, "file": file, "closed": 777}[which]
            for number, (name, arguments) in enumerate(calls(directory, folder, path)):
                keep(f"{number} {name} {which} {shown!r}", name, arguments)
                os.close(folder)  # the tree is another one now
                os.close(file)
                assert (os.open(base, os.O_RDONLY), os.open(f"{base}/f", os.O_RDONLY)) == (folder, file)
            os.close(folder)
            os.close(file)
        for number, (name, arguments) in enumerate(plain_calls(path)):
            keep(f"{number} {name} {shown!r}", name, arguments)
    os.chdir("/")
    shutil.rmtree(base)
    print(json.dumps(results))


main()
