"""Reads a table of a test: Python 3.10 has no tomllib."""

from __future__ import annotations

import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]


def table(text: str) -> dict[str, Any]:
    return tomllib.loads(text)
