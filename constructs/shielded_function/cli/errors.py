"""The error of a command that failed."""

from __future__ import annotations

from typing import Final

NOT_WHOLE: Final = 2
"""Exit status: only part of the logs could be read. A CliError has the same status."""


class CliError(Exception):
    """One line for the user: the problem, and the next step. The command ends with exit status 2."""
