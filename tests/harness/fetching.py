"""Fetches parts one after the other: those that are not available get one line that says why."""

from __future__ import annotations

import time
from collections.abc import Iterable

from shielded_function_emulator.languages.parts import Part, Unavailable


def fetch_all(parts: Iterable[Part]) -> int:
    """The exit status is 0 also where a part is not available."""
    for part in parts:
        if part.there:
            continue
        print(f"runtimes: {part.name} ({part.effort})", flush=True)
        begun = time.monotonic()
        try:
            part.fetch()
        except Unavailable as error:
            print(f"runtimes: {part.name} is not available: {error}", flush=True)
            continue
        print(f"runtimes: {part.name} is there after {time.monotonic() - begun:.0f} s", flush=True)
    return 0
