"""Replaces entries by globs where a policy has too many files: the files of a folder, or with one beginning.

A glob has one wild component and is never `/tmp/*`; only as many entries are replaced as needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from .alike import TMP

_WILD: Final = frozenset("*?")
# A beginning that several names right in /tmp may have: three characters at least, up to a digit or a sign.
_BEGINNING: Final = re.compile(r"[A-Za-z.][A-Za-z]{2,}[-_.~+]?")


def fold(entries: Iterable[str], room: int) -> dict[str, str]:
    """The entries of allow_tmp that become one with others, each with the glob for them.

    Args:
        entries: of allow_tmp.
        room: the maximum number. Where folding does not reach it, nothing is folded.

    >>> fold([f"/tmp/parts/{n}" for n in "abc"] + ["/tmp/one"], 2)
    {'/tmp/parts/a': '/tmp/parts/*', '/tmp/parts/b': '/tmp/parts/*', '/tmp/parts/c': '/tmp/parts/*'}
    >>> fold(["/tmp/a", "/tmp/b"], 1)
    {}
    """
    every = set(entries)
    left = len(every)
    found: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for entry in sorted(every):
        if glob := _glob_of(entry):
            groups.setdefault(glob, []).append(entry)
    # The glob that saves most goes first; a folder is told from a beginning by its name alone.
    for glob, several in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        if left <= room:
            break
        if len(several) > 1:
            found |= dict.fromkeys(several, glob)
            left -= len(several) - (glob not in every)
    return found if left <= room else {}


def _glob_of(entry: str) -> str:
    folder, _, name = entry.rpartition("/")
    if _WILD & set(entry):
        return ""
    if folder != TMP:
        return f"{folder}/*" if folder.startswith(f"{TMP}/") else ""
    beginning = _BEGINNING.match(name)
    return f"{TMP}/{beginning[0]}*" if beginning else ""


def folders_of(entries: Iterable[str]) -> Mapping[str, list[str]]:
    """The folders right below /tmp with all that is in them, as globs with their entries, the fullest first.

    >>> folders_of(["/tmp/a/b", "/tmp/a/c/d", "/tmp/e"])
    {'/tmp/a/**': ['/tmp/a/b', '/tmp/a/c/d']}
    """
    groups: dict[str, list[str]] = {}
    for entry in sorted(set(entries)):
        parts = entry.split("/")
        if len(parts) > 3 and not set(parts[2]) <= _WILD:
            groups.setdefault(f"{TMP}/{parts[2]}/**", []).append(entry)
    fullest = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return {glob: several for glob, several in fullest if len(several) > 1}
