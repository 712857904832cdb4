"""An initramfs: what a kernel unpacks into memory and starts `/init` of. Nothing here needs root, nor cpio(1).

https://docs.kernel.org/driver-api/early-userspace/buffer-format.html
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from typing import NamedTuple

_TRAILER = "TRAILER!!!"


class Entry(NamedTuple):
    """A file, or a directory: `mode` says which. Parents come first."""

    path: str
    mode: int
    content: bytes = b""


def directory(path: str) -> Entry:
    """A directory that everybody may read."""
    return Entry(path, stat.S_IFDIR | 0o755)


def program(path: str, content: bytes) -> Entry:
    """A file that can be run."""
    return Entry(path, stat.S_IFREG | 0o755, content)


def archive(entries: Iterable[Entry]) -> bytes:
    """The entries in cpio's "newc" form, of root's, without dates."""
    listed = [*entries, Entry(_TRAILER, 0)]
    return b"".join(_record(number, entry) for number, entry in enumerate(listed, 1))


def _record(number: int, entry: Entry) -> bytes:
    name = entry.path.encode() + b"\0"
    # inode, mode, uid, gid, links, mtime, size, device and that of a device file (major, minor each), name, checksum
    fields = (number, entry.mode, 0, 0, 1, 0, len(entry.content), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return _padded(head) + _padded(entry.content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
