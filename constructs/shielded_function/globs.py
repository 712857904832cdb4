"""Globs over construct paths."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# The regular expression of each wildcard; between components, `**` also matches none.
_WILDCARDS: Final = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def is_glob(text: str) -> bool:
    """Whether a text has a wildcard; otherwise it is a path.

    >>> is_glob("Shop/Check?ut"), is_glob("Shop/Checkout")
    (True, False)
    """
    return "*" in text or "?" in text


def covers(glob: str, path: str) -> bool:
    """Whether a glob matches a construct or its ancestor. `*` matches within a component, `**` across.

    >>> covers("Prod", "Prod/Shop/Checkout"), covers("Prod", "Production/Shop"), covers("*/Shop", "Prod/Shop/Checkout")
    (True, False, True)
    >>> covers("Shop/*", "Shop/Checkout"), covers("**/B", "Prod/Shop/B"), covers("*/B", "Prod/Shop/B")
    (True, True, False)
    """
    return _pattern(glob).fullmatch(path) is not None


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    return re.compile("".join(_WILDCARDS.get(part, re.escape(part)) for part in parts) + "(?:/.*)?")
