"""Progress of a command, on stderr: one line that is overwritten, or a line a minute without a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic

from typing_extensions import Self

from shielded_function_monitoring.visible import visible

from .terminal import note


def live() -> Callable[[str], None] | None:
    """Writes a text over the one before, on stderr; an empty text clears the line. None without a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    return lambda text: print(f"\r{visible(text)}\x1b[K", end="", file=sys.stderr, flush=True)


class Progress:
    """The progress line of one piece of work: a context manager, which clears it at the end."""

    def __init__(self) -> None:
        self._live = live()
        self._every = 0.5 if self._live else 60.0  # seconds
        self._next = monotonic() + self._every
        self._shown = False

    def show(self, text: Callable[[], str]) -> None:
        """Shows the progress when it is due."""
        if (now := monotonic()) >= self._next:
            self._next = now + self._every
            (self._live or note)(text())
            self._shown = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._live and self._shown:
            self._live("")
