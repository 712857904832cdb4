"""Progress of a command, on stderr: one line that is overwritten, or a line a minute without a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from typing import Final

from typing_extensions import Self

from shielded_function_monitoring.visible import visible

from .terminal import note

_FIRST_SECONDS: Final = 1.0
_LIVE_SECONDS: Final = 0.2
_QUIET_SECONDS: Final = 60.0


def live() -> Callable[[str], None] | None:
    """Writes a text over the one before, on stderr; an empty text clears the line. None without a terminal."""
    return _write_over if sys.stderr is not None and sys.stderr.isatty() else None


def _write_over(text: str) -> None:
    sys.stderr.write(f"\r{visible(text)}\x1b[K")
    sys.stderr.flush()


class Progress:
    """The progress line of one piece of work: a context manager, which clears it at the end."""

    def __init__(self) -> None:
        self._live = live()
        self._next = monotonic() + (_FIRST_SECONDS if self._live else _QUIET_SECONDS)
        self._shown = False

    def show(self, text: Callable[[], str]) -> None:
        """Shows the progress when it is due."""
        if (now := monotonic()) >= self._next:
            self._next = now + (_LIVE_SECONDS if self._live else _QUIET_SECONDS)
            (self._live or note)(text())
            self._shown = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._live and self._shown:
            self._live("")
