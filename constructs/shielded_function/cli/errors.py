"""What a command raises when it cannot do its work."""

from __future__ import annotations


class CliError(Exception):
    """One line for the user: what is missing or wrong, and what to do. The command ends with exit status 2."""
