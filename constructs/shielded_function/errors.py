"""The one error of the constructs."""

from __future__ import annotations

from collections.abc import Sequence


class ShieldError(ValueError):
    """A function that cannot be shielded as asked. Nothing was changed.

    The message begins with the construct path and names every problem with its fix.
    """

    def __init__(self, path: str, problems: Sequence[str]) -> None:
        super().__init__(f"{path}: {'; '.join(problems)}")
