"""Names in /tmp that differ in one random part: the glob for that part, where it was seen twice or more.

Pure, and narrow on purpose: one component, with a common beginning and a common end. Names right in /tmp share at least
three characters before the random part, so that no glob is `/tmp/*`; below a folder, the folder is enough. An extension
never belongs to the random part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

TMP: Final = "/tmp"
_LEAST_PREFIX: Final = 3
"""Characters that names right in /tmp have in common at their beginning."""
_LEAST_DIGITS: Final = 4
_LEAST_RANDOM: Final = 5
_LEAST_SPAN: Final = 6
_LEAST_TURNS: Final = 2
_LEAST_CASES: Final = 3
_LEAST_ALONE: Final = (10, 6, 3)
"""Of a part that is seen once: the digits of a number; else the characters, and how often digits and letters turn."""
_MOST_TOKENS: Final = 16
_MOST_LEVELS: Final = 10
_MOST_NAMES: Final = 1000
"""Names of one folder that are compared with each other; of more, every second, third, ..."""
_MOST_GLOBS: Final = 32
"""Globs of one folder: a policy takes few, and forged names must not take hours."""

# Letters and digits; a number of four digits or more behind letters stands for itself (`jna1234567.tmp`).
_TOKEN: Final = re.compile(r"[A-Za-z]+(?=\d{4,}(?![A-Za-z0-9]))|[A-Za-z0-9]+")
_EXTENSION: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")
_WILD: Final = frozenset("*?,")


class Glob(NamedTuple):
    """A component: the fixed texts before and behind its random part."""

    prefix: str
    suffix: str

    def __str__(self) -> str:
        return f"{self.prefix}*{self.suffix}"

    def matches(self, name: str) -> bool:
        """Whether a component's name is one of these."""
        fixed = len(self.prefix) + len(self.suffix)
        return len(name) >= fixed and name.startswith(self.prefix) and name.endswith(self.suffix)


def globs_of(paths: Iterable[str]) -> dict[str, str]:
    """The paths that differ only in one random component, each with the glob that covers two or more of them.

    >>> globs_of(["/tmp/jna1702347291.tmp", "/tmp/jna8812345678.tmp", "/tmp/cache.json"])
    {'/tmp/jna1702347291.tmp': '/tmp/jna*.tmp', '/tmp/jna8812345678.tmp': '/tmp/jna*.tmp'}
    """
    found: dict[str, str] = {}
    left = {path: path.split("/") for path in paths if path.startswith(f"{TMP}/") and not _WILD & set(path)}
    deepest = max((len(each) for each in left.values()), default=0)
    for level in range(2, min(deepest, _MOST_LEVELS)):
        folders: dict[tuple[str, ...], set[str]] = {}
        for parts in left.values():
            if len(parts) > level and parts[level]:
                folders.setdefault(tuple(parts[:level]), set()).add(parts[level])
        globs = {folder: alike(names, in_folder=level > 2) for folder, names in folders.items()}
        covered: dict[str, list[str]] = {}
        for path, parts in left.items():
            glob = globs.get(tuple(parts[:level]), {}).get(parts[level]) if len(parts) > level else None
            if glob is not None:
                covered.setdefault("/".join([*parts[:level], str(glob), *parts[level + 1 :]]), []).append(path)
        for glob, several in covered.items():
            if len(several) > 1:
                found |= dict.fromkeys(several, glob)
        left = {path: parts for path, parts in left.items() if path not in found}
    return found


def alike(names: Iterable[str], *, in_folder: bool) -> dict[str, Glob]:
    """The names of one folder that differ in a random part, each with its glob.

    Args:
        names: of the folder.
        in_folder: it is a folder of /tmp, not /tmp itself.
    """
    left = sorted(names)
    random = _candidates(left[:: len(left) // _MOST_NAMES + 1], in_folder)
    found: dict[str, Glob] = {}
    while random and len(set(found.values())) < _MOST_GLOBS:
        # The glob that covers the most; of these, the narrowest.
        best = max(random, key=lambda glob: (len(random[glob]), len(glob.prefix) + len(glob.suffix), glob))
        taken = {name for name in left if best.matches(name)}
        found |= dict.fromkeys(sorted(taken), best)
        left = [name for name in left if name not in taken]
        random = {glob: rest for glob, before in random.items() if len(rest := before - taken) > 1}
    return found


def _candidates(names: Sequence[str], in_folder: bool) -> dict[Glob, set[str]]:
    """Globs, each with two or more names that it covers and whose own parts look random."""
    found: dict[Glob, set[str]] = {}
    for name in names:
        tokens = [(each.start(), each.end()) for each in _TOKEN.finditer(name[: _end_of(name)])][:_MOST_TOKENS]
        for at, (begin, _) in enumerate(tokens):
            if not in_folder and begin < _LEAST_PREFIX:
                continue
            for _, end in tokens[at:]:
                if looks_random(name[begin:end]):
                    found.setdefault(Glob(name[:begin], name[end:]), set()).add(name)
    return {glob: several for glob, several in found.items() if len(several) > 1}


def _end_of(name: str) -> int:
    """Where a name's extension begins."""
    extension = _EXTENSION.search(name)
    return len(name) if extension is None or looks_random(extension[0][1:]) else extension.start()


def looks_random(text: str) -> bool:
    """Whether a part of a name looks random: a number, or letters and digits mixed.

    >>> [looks_random(text) for text in ("8812345678", "k3j_x9a2", "AbCdEf", "0f8fad5b-d9cb")]
    [True, True, True, True]
    >>> [looks_random(text) for text in ("cache", "v2", "file12", "sha256", "1.2.3", "fontList", "cache-k3jx9a2")]
    [False, False, False, False, False, False, False]
    """
    tokens = _TOKEN.findall(text)
    if not tokens:
        return False
    if len(tokens) > 1:
        ends = all(any(map(str.isdigit, token)) for token in (tokens[0], tokens[-1]))
        return ends and len("".join(tokens)) >= _LEAST_SPAN and any(map(looks_random, tokens))
    (token,) = tokens
    if token.isdigit():
        return len(token) >= _LEAST_DIGITS
    if token.isalpha():
        cases = sum(one.isupper() != other.isupper() for one, other in pairwise(token))
        return len(token) > _LEAST_RANDOM and cases >= _LEAST_CASES
    turns = sum(one.isdigit() != other.isdigit() for one, other in pairwise(token))
    return len(token) >= _LEAST_RANDOM - 1 and turns >= _LEAST_TURNS


def random_part(name: str) -> re.Match[str] | None:
    """The part of a single name's component that looks random, though no other name shares its form.

    >>> [bool(random_part(name)) for name in ("jna1702347291.tmp", "app-a1b2c3", "sha256sum", "report-20261130.csv")]
    [True, True, False, False]
    """
    digits, length, turns = _LEAST_ALONE
    for token in _TOKEN.finditer(name[: _end_of(name)]):
        text = token[0]
        if text.isdigit():
            if len(text) >= digits:
                return token
        elif len(text) >= length and sum(one.isdigit() != other.isdigit() for one, other in pairwise(text)) >= turns:
            return token
    return None
