"""Many names below one domain: a wildcard that covers them is offered, and the user decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Final

from publicsuffixlist import PublicSuffixList

MANY_NAMES: Final = 20
"""Different names below one domain: with more, none of them becomes an entry by itself."""


def domain_of(name: str) -> str:
    """The registered domain (`a.b.example.co.uk`: `example.co.uk`); empty where none is known."""
    return _suffixes().privatesuffix(name) or ""


def common_domain(names: Sequence[str]) -> str:
    """The longest domain that all names are below."""
    columns = zip(*(name.split(".")[:0:-1] for name in names), strict=False)
    return ".".join([labels[0] for labels in takewhile(lambda labels: len({*labels}) == 1, columns)][::-1])


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def crowded(places: Iterable[tuple[str, str]], many: int) -> dict[str, Sequence[str]]:
    """The places (directories, domains) that more than `many` different things are in, with these."""
    found: dict[str, set[str]] = {}
    for place, thing in places:
        if place:
            found.setdefault(place, set()).add(thing)
    return {place: sorted(things) for place, things in found.items() if len(things) > many}
