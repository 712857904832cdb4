"""Reads lines of files and stdin, also gzip files and UTF-16, as PowerShell's `>` writes."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Final, cast

from rich.filesize import decimal

from .failures import STDIN, CliError
from .options import Where
from .progress import Progress

MAX_PIECE: Final = 1 << 20
"""The most characters held at once: a longer line, which is no log event, is split."""
_BETWEEN: Final = ("}{", "},{", "}, {")
_GZIP: Final = b"\x1f\x8b"
_MARKS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


def check_files(where: Where) -> None:
    """Checks the named files before hours of work, not after.

    Raises:
        CliError: a name is no file, stdin is named twice, or log groups are named too.
    """
    if list(where.files).count(STDIN) > 1:
        raise CliError("- is stdin, which can be read once")
    if where.files and (where.log_groups or where.stacks):
        raise CliError("give files, or log groups and stacks: not both")
    for name in where.files:
        if name != STDIN and not Path(name).is_file():
            raise CliError(f"{name} is not a file")


def read_lines(name: str, *, quiet: bool = False) -> Iterator[str]:
    """The lines of a file, or of stdin (`-`). Invalid UTF-8 is replaced, as in CloudWatch.

    Args:
        name: the file's.
        quiet: print no progress on stderr.

    Raises:
        CliError: it cannot be read.
    """
    try:
        with Progress() as progress, _opened(name) as (stream, text):
            pieces = _whole_objects(iter(partial(text.readline, MAX_PIECE), ""))
            for count, line in enumerate(pieces, 1):
                if not count % 2000 and not quiet:  # a look at the clock takes time
                    progress.show(partial(_progress_text, name, stream, count))
                yield line
    except (OSError, EOFError, zlib.error) as error:
        raise CliError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _progress_text(name: str, stream: io.BufferedReader, lines: int) -> str:
    part = "" if name == STDIN else f", {decimal(stream.tell())} of {decimal(Path(name).stat().st_size)}"
    return f"{'stdin' if name == STDIN else name}: {lines:,} lines{part} read"


def _whole_objects(pieces: Iterable[str]) -> Iterator[str]:
    """Lines; a line longer than a piece is split between two objects, where it has any."""
    held = ""
    for piece in pieces:
        whole = held + piece
        end = (1 + max(map(whole.rfind, _BETWEEN)) if len(piece) == MAX_PIECE else 0) or len(whole)
        held = whole[end:]
        yield whole[:end]
    if held:
        yield held


@contextmanager
def _opened(name: str) -> Iterator[tuple[io.BufferedReader, io.TextIOWrapper]]:
    """The bytes, and their text."""
    if name == STDIN and sys.stdin is None:
        raise CliError("stdin is closed: name a file, or pipe lines into it")
    with nullcontext(cast("io.BufferedReader", sys.stdin.buffer)) if name == STDIN else Path(name).open("rb") as stream:
        whole = stream
        if name.endswith(".gz") or stream.peek(2)[:2] == _GZIP:
            whole = io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=stream)))
        beginning = whole.peek(3)[:3]
        encoding = next((encoding for mark, encoding in _MARKS if beginning.startswith(mark)), "utf-8")
        text = io.TextIOWrapper(whole, encoding, errors="replace", newline="\n")
        try:
            yield stream, text
        finally:
            text.detach()  # stdin is not ours to close
