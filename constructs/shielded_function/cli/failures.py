"""The error of a command that failed, exit statuses, and files that are read or written with such an error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from shielded_function_monitoring.errors import ShieldError

NO: Final = 1
"""Exit status: the command did its work, and the answer is no. 0: done, and yes (docs/guide/command-line.md)."""
NOT_WHOLE: Final = 2
"""Exit status: only part of the logs could be read. A CliError has the same status."""
FOUND: Final = 3
"""Exit status: done, and there is something to look at: a violation, an alert, targets that are unknown."""
STDIN: Final = "-"
STDOUT: Final = "-"


class CliError(ShieldError):
    """One line for the user: the problem, and the next step. The command ends with exit status 2."""


def read_file(what: str, name: str, encoding: str = "utf-8") -> str:
    """The text of a file, or of stdin (`-`); `what`: its name in the error.

    Raises:
        CliError: it cannot be read.
    """
    try:
        return sys.stdin.read() if name == STDIN else Path(name).read_text(encoding=encoding)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CliError(f"{what} cannot be read: {reason}") from error


def write_file(name: str, text: str) -> None:
    """Writes a file, or to stdout (`-`).

    Raises:
        CliError: it cannot be written.
    """
    try:
        sys.stdout.write(text) if name == STDOUT else Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(f"{name} cannot be written: {error.strerror}") from error
