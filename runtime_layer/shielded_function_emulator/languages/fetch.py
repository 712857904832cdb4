"""`python -m shielded_function_emulator.languages.fetch`: fetches and builds the parts of the emulated runtimes.

Installed parts cost nothing. A part that is not available gets one line that says what to do; tests that need it are
skipped with the same reason.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from shielded_function_emulator.languages import PARTS
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


if __name__ == "__main__":
    sys.exit(fetch_all(PARTS))
