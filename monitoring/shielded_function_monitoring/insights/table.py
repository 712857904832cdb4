"""A table in a temporary file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from ..errors import ShieldError

_SETTINGS: Final = ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", "cache_size=-4096")
"""The file is not read later: it needs no journal. SQLite holds 4 MB of it in memory."""


class Table:
    """Rows of one table, whose name is `rows`.

    SQLite makes the file, which no other process can open by name, and deletes it
    (https://www.sqlite.org/inmemorydb.html#temp_db, https://www.sqlite.org/tempfiles.html).
    """

    def __init__(self, columns: Sequence[str]) -> None:
        """
        Args:
            columns: their names, of any type.

        Raises:
            ShieldError: there can be no file.
        """
        self._insert = f"INSERT INTO rows VALUES ({', '.join('?' * len(columns))})"
        with _explained():
            self._database = sqlite3.connect("", isolation_level=None)
            for setting in _SETTINGS:
                self._database.execute(f"PRAGMA {setting}")
            self._database.execute(f"CREATE TABLE rows ({', '.join(f'`{name}`' for name in columns)})")

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Adds rows; a value is a text, a number or None.

        Raises:
            ShieldError: the file cannot be written.
        """
        with _explained():
            self._database.execute("BEGIN")
            self._database.executemany(self._insert, rows)
            self._database.execute("COMMIT")

    def select(self, query: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The result of a query.

        Raises:
            ShieldError: the file cannot be read, or has no room to sort.
        """
        with _explained():
            yield from self._database.execute(query, parameters)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise ShieldError(f"temporary file: {error}: set SQLITE_TMPDIR to a folder with more room") from error
