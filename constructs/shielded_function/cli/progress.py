"""Progress of a command, on stderr: one line that is overwritten, or a line a minute without a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Final, TypeVar

from shielded_function_monitoring.visible import visible

from .terminal import note

_T = TypeVar("_T")
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
    """The progress line of one piece of work."""

    def __init__(self) -> None:
        self._live = live()
        self._next = monotonic() + (_FIRST_SECONDS if self._live else _QUIET_SECONDS)
        self._shown = False

    def show(self, text: Callable[[], str]) -> None:
        """Shows the progress when it is due."""
        now = monotonic()
        if now < self._next:
            return
        self._next = now + (_LIVE_SECONDS if self._live else _QUIET_SECONDS)
        if self._live:
            self._live(text())
            self._shown = True
        else:
            note(text())

    def end(self) -> None:
        """Clears the line."""
        if self._live and self._shown:
            self._live("")
            self._shown = False


def watch(items: Sequence[_T], what: str) -> Iterator[_T]:
    """Yields the items, and shows how many are done: `3 of 30 functions`."""
    progress = Progress()
    try:
        for done, item in enumerate(items):
            progress.show(lambda done=done: f"{done:,} of {len(items):,} {what}")
            yield item
    finally:
        progress.end()
