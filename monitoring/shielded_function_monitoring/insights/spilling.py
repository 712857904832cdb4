"""Groups that do not fit into memory: written to a temporary file in parts, read back with the parts together."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, Final

_SETTINGS: Final = ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", "cache_size=-16384")
"""The file is not read later: it needs no journal. SQLite holds 16 MB of it."""


class SpillError(Exception):
    """The temporary file cannot be used; the text says why, and what to do."""


class Spill:
    """Parts of groups. A group that was written several times has several parts.

    SQLite makes the file, which no other process can open by name, and deletes it
    (https://www.sqlite.org/inmemorydb.html#temp_db, https://www.sqlite.org/tempfiles.html).
    """

    def __init__(self) -> None:
        """Raises SpillError."""
        with _explained():
            self._database = sqlite3.connect("", isolation_level=None)
            for setting in _SETTINGS:
                self._database.execute(f"PRAGMA {setting}")
            self._database.execute("CREATE TABLE parts (key TEXT NOT NULL, part TEXT NOT NULL)")

    def write(self, parts: Iterable[tuple[Any, Any]]) -> None:
        """Adds parts: the key of the group, and its known values. Both are JSON's values.

        Raises:
            SpillError: the file cannot be written.
        """
        encode = json.JSONEncoder(separators=(",", ":")).encode
        with _explained():
            self._database.execute("BEGIN")
            rows = ((encode(key), encode(part)) for key, part in parts)
            self._database.executemany("INSERT INTO parts VALUES (?, ?)", rows)
            self._database.execute("COMMIT")

    def parts(self) -> Iterator[Any]:
        """Every part by itself, in the order in which they were written.

        Raises:
            SpillError: the file cannot be read.
        """
        with _explained():
            for (part,) in self._database.execute("SELECT part FROM parts ORDER BY rowid"):
                yield json.loads(part)

    def read(self) -> Iterator[tuple[Any, list[Any]]]:
        """Each group with its parts, in the order in which they were written.

        Raises:
            SpillError: the file cannot be read, or not be sorted.
        """
        with _explained():
            found = self._database.execute("SELECT key, part FROM parts ORDER BY key, rowid")
            for key, rows in itertools.groupby(found, itemgetter(0)):
                yield json.loads(key), [json.loads(part) for _, part in rows]


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise SpillError(f"temporary file: {error}: set SQLITE_TMPDIR to a folder with more room") from error
