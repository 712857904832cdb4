"""The error of a command that cannot do its work."""

from __future__ import annotations

from typing import Final

NOT_WHOLE: Final = 2
"""Exit status: not all that was asked for could be read. A CliError has the same."""


class CliError(Exception):
    """One line for the user: what is missing or wrong, and what to do. The command ends with exit status 2."""
