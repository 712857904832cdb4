"""A file system that writes when its files are closed, and takes its time, as a network's does: one file, over FUSE.

The requests are those of <linux/fuse.h>; see fuse(4).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

FILE, SIZE = b"file", 4096
DEVICE = Path("/dev/fuse")
_REQUEST, _ANSWER = struct.Struct("=IIQQIIIHH"), struct.Struct("=IiQ")
_LOOKUP, _GETATTR, _OPEN, _WRITE, _STATFS, _RELEASE, _FLUSH, _INIT = 1, 3, 14, 16, 17, 18, 25, 26
_UNANSWERED = (2, 36, 42)  # FORGET, INTERRUPT, BATCH_FORGET
_ROOT, _NODE, _FOREVER, _DETACH = 1, 2, 3600, 2
_NOT_IMPLEMENTED, _NOT_FOUND = -errno.ENOSYS, -errno.ENOENT


def _attributes(node: int) -> bytes:
    mode = stat.S_IFDIR | 0o755 if node == _ROOT else stat.S_IFREG | 0o666
    return struct.pack("=6Q10I", node, SIZE, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, SIZE, 0)


def _look_up(node: int, body: bytes) -> bytes | int:
    if node != _ROOT or body.rstrip(b"\0") != FILE:
        return _NOT_FOUND
    return struct.pack("=4Q2I", _NODE, 0, _FOREVER, _FOREVER, 0, 0) + _attributes(_NODE)


class LateFiles:
    """Serves the file until it is unmounted; the first flush of all takes `seconds`, and fails with `error`."""

    def __init__(self, seconds: float, error: int) -> None:
        self.device = os.open(DEVICE, os.O_RDWR)
        self._seconds, self._error, self._flushes = seconds, error, 0
        self._answers: dict[int, Callable[[int, bytes], bytes | int]] = {
            _INIT: lambda _node, _body: struct.pack("=4I2H2I2H8I", 7, 31, 65536, 0, 16, 12, 65536, 1, 16, *[0] * 9),
            _LOOKUP: _look_up,
            _GETATTR: lambda node, _body: struct.pack("=Q2I", _FOREVER, 0, 0) + _attributes(node),
            _OPEN: lambda _node, _body: bytes(16),
            _WRITE: lambda _node, body: struct.pack("=2I", struct.unpack_from("=QQI", body)[2], 0),
            _STATFS: lambda _node, _body: struct.pack("=5Q10I", 0, 0, 0, 1, 0, 512, 255, 512, *[0] * 7),
            _FLUSH: self._flush,
            _RELEASE: lambda _node, _body: b"",
        }

    def _flush(self, _node: int, _body: bytes) -> int:
        self._flushes += 1
        if self._flushes > 1:
            return 0
        time.sleep(self._seconds)
        return -self._error

    def _answer(self, request: bytes) -> None:
        _, kind, unique, node, *_ = _REQUEST.unpack_from(request)
        if kind in _UNANSWERED:
            return
        found = self._answers.get(kind, lambda _node, _body: _NOT_IMPLEMENTED)(node, request[_REQUEST.size :])
        error, data = (found, b"") if isinstance(found, int) else (0, found)
        with contextlib.suppress(OSError):  # nobody waits any more
            os.write(self.device, _ANSWER.pack(_ANSWER.size + len(data), error, unique) + data)

    def serve(self) -> None:
        """From when it is mounted: until then there is nothing to be read from the device."""
        while True:
            try:
                request = os.read(self.device, 1 << 18)
            except OSError:
                return
            threading.Thread(target=self._answer, args=(request,), daemon=True).start()


@contextlib.contextmanager
def late_files(folder: Path, seconds: float, error: int) -> Iterator[None]:
    """Mounted on a folder.

    Raises:
        OSError: this machine lets nobody mount it.
    """
    libc, files = ctypes.CDLL(None, use_errno=True), LateFiles(seconds, error)
    options = f"fd={files.device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    place = os.fsencode(folder)
    if libc.mount(b"late", place, b"fuse", 0, options):
        raise OSError(ctypes.get_errno(), "mount")
    threading.Thread(target=files.serve, daemon=True).start()
    try:
        yield
    finally:
        libc.umount2(place, _DETACH)
        os.close(files.device)
