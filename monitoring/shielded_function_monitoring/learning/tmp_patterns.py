"""Whether a name in /tmp can come from a function that makes temporary names, and the pattern that covers such names.

No form of a name is guessed. **A name that may come again is made of words**: Python's `tempfile` takes eight of
`[a-z0-9_]`, Node.js's `mkdtemp` and mkstemp(3) six of `[A-Za-z0-9]`, Java's `createTempFile` a number; hashes, UUIDs,
dates, ids of processes and of orders have digits. So a name with a digit, or with letters that no word has in such an
order, is *varying*: another start may use another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from string import ascii_lowercase
from typing import Final, NamedTuple

TMP: Final = "/tmp"

_RUN: Final = re.compile(r"[A-Za-z0-9_]+")
"""Characters that a temporary name is made of, in any language."""
# Digits that no function makes: a version behind `v`, and endings.
_FIRM: Final = re.compile(
    r"(?<![A-Za-z0-9_])v\d{1,3}(?:\.\d{1,3})*(?![A-Za-z0-9_])"
    r"|\.(?:7z|bz2|h5|hdf5|jp2|m3u8|m4a|mp3|mp4|sqlite3|woff2)$|\.[A-Za-z]{1,5}$"
)
_TOKEN: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_LEAST_RUN: Final = 4
"""Letters that can be judged: fewer are in any order."""
_LEAST_WORD: Final = 3
_MKDTEMP: Final = 6
"""Characters that `mkdtemp` of Node.js takes: with a capital inside, they are no word."""
_TEMPFILE_LENGTH: Final = 11
"""Characters of `tempfile`'s names with the prefix that it gives unasked."""

_FOLLOWERS: Final = (
    "abcdefgijklmnprstuvwxyz acdeijlmnoprstuy acdefhiklmoprstuy abcdefgijlmnoprstuvwy abcdefghiklmnopqrstuvwxyz "
    "aefiklorstuy abcefghilmnoprstuy abeilmorstuy abcdefgklmnopqrstuvxz aeiosu adefgilnpsu abcdefgiklmnoprstuvwy "
    "abcdeilmnopsuy abcdefgijklmnoprstuvy abcdefgijklmnoprstuvwxyz acdefghilmoprstuy u abcdefgiklmnoprstuvwy "
    "acdefghiklmnopqrstuwy abcdefghilmnoprstuvwy abcdefgilmnoprstx aeiop aehilnors aceipty abcdegilmnoprstw aeiouz"
)
"""For each letter from a to z those that follow it in most words of English texts and names of Python's packages."""
_AFTER: Final = dict(zip(ascii_lowercase, _FOLLOWERS.split(), strict=True))
# How a word begins, and that its vowels and consonants alternate.
_WORD: Final = re.compile(
    r"(?=[aeiouy]|.[aeiouy]|[bcfgkp]l|[bcdfgptw]r|[cgkpstw]h|[gks]n|ps|s[cklmptw]|tw)"
    r"(?!.*(?:[^aeiouy]{6}|[aeiou]{4}|(.)\1\1))(?=.*[aeiouy])[a-z]+"
)
_SHORT: Final = re.compile(
    "an|as|at|by|cfg|csv|db|gz|html|http|id|in|is|it|jpg|js|json|lck|lib|md|my|no|of|on|or|pdf|png|py|shm|so|sql|tmp|to"
    "|txt|up|wal|xml"
)

_TEMPFILE: Final = re.compile(r"((?:.*_)?|tmp)([a-z0-9_]{8})")
_SIX: Final = re.compile(r"((?:.*_)?)([A-Za-z0-9]{6})")
_BEGINNING: Final = re.compile(r"_*[A-Za-z]{3,}(?:_|(?=\d+$))")
"""The beginning of a run of characters that its programmer chose: no random part begins so."""
_LEAST_BEGINNING: Final = 2
"""Characters in front of a `*` right in /tmp."""
# So long that no other form is meant.
_EXACT: Final = re.compile(
    r"(tmp)[a-z0-9_]{8}((?![A-Za-z0-9_]).*)|(tmp\.)[A-Za-z0-9]{10}()"
    r"|(.*?)(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<!\d)\d{13,20}|(?<![A-Za-z0-9])[0-9a-f]{16,64})"
    r"((?![0-9a-f]).*)"
)
_OF_LENGTH: Final = ("", "tmp", "tmp.")
_TESTED: Final = re.compile(r"/tmp/([a-z0-9_]{8}|#)")
"""`#`: a file without a name (`O_TMPFILE`, open(2)), as lines have it: Python's `TemporaryFile` makes one."""
_OF_TEMPFILE: Final = re.compile(r".*/(tmp[a-z0-9_]{8})[^/]*(?:/.*)?")


class Pattern(NamedTuple):
    """A pattern for a name or a path, and why; the pattern is empty where nothing in the name is fixed.

    `is_certain`: it covers each further name of its function.
    """

    glob: str
    is_certain: bool = False
    why: str = ""


def is_fixed(name: str) -> bool:
    """Whether no part of a component's name can come from a function that makes temporary names.

    >>> [is_fixed(name) for name in ("cache.json", "fontList", "font-v3.11.0.json", "fontlist.json.lock", "a.mp4")]
    [True, True, True, True, True]
    >>> [is_fixed(name) for name in ("q7w_e2r9", "exp_zqznnhmh.csv", "repo-ZHWMKg", "order-1.pdf", "sha256")]
    [False, False, False, False, False]
    """
    firm = _masked(name)
    return not any(map(str.isdigit, firm)) and all(map(_is_words, _RUN.findall(firm)))


def _masked(name: str) -> str:
    return _FIRM.sub(lambda found: "-" * len(found[0]), name)


def _is_words(run: str) -> bool:
    if len(run) < _LEAST_RUN:
        return True
    if len(run) == _MKDTEMP and run.isalpha() and not (run[1:].islower() or run.isupper()):
        return False
    if len(run) == _TEMPFILE_LENGTH and run.startswith("tmp"):
        return False
    return all(map(_is_word, _TOKEN.findall(run)))


def _is_word(token: str) -> bool:
    text = token.lower()
    if _SHORT.fullmatch(text):
        return True
    if len(text) < _LEAST_WORD:
        return False
    if begun := _SHORT.match(text):
        text = text[begun.end() :]
    return bool(_WORD.fullmatch(text)) and all(second in _AFTER[first] for first, second in pairwise(text))


def pattern_of(name: str) -> Pattern:
    """The pattern for a varying name: of fixed length where its form has one; empty where nothing in it is fixed.

    >>> [pattern_of(name).glob for name in ("order-1.pdf", "exp_q7w_e2r9.csv", "repo-ZHWMKg", "tess_q7w_e2r9_in.PNG")]
    ['order-*.pdf', 'exp_????????.csv', 'repo-??????', 'tess_*.PNG']
    """
    exact = _EXACT.fullmatch(name)
    if exact:
        before, after = (part for part in exact.groups() if part is not None)
        if not any(map(str.isdigit, _masked(f"{before}-{after}"))):
            length = len(name) - len(before) - len(after)
            return Pattern(f"{before}{'*' if before not in _OF_LENGTH else '?' * length}{after}", True)
    runs = [run for run in _RUN.finditer(_masked(name)) if not is_fixed(run[0])]
    if not runs:  # other digits than ASCII's
        return Pattern("")
    before, first, after = name[: runs[0].start()], runs[0][0], name[runs[-1].end() :]
    for form in (_TEMPFILE, _SIX) if len(runs) == 1 else ():
        found = form.fullmatch(first)
        if found and not found[2].isdigit() and is_fixed(found[1]):
            return Pattern(f"{before}{found[1]}{'?' * len(found[2])}{after}")
    begun = None if before.strip(".") else _BEGINNING.match(first)
    before += begun[0] if begun and is_fixed(begun[0]) else ""
    return Pattern(f"{before}*{after}" if len(before) >= _LEAST_BEGINNING else "")


def uses_tempfile(paths: Iterable[str]) -> bool:
    """Whether Python's tempfile tested /tmp, as it does once a process, and one of the names can only be its own.

    `TemporaryFile` and uploads leave no other name than that of the test.
    """
    paths = list(paths)
    tested = [found[1] for path in paths if (found := _TESTED.fullmatch(path))]
    made = [found[1] for path in paths if (found := _OF_TEMPFILE.fullmatch(path))]
    return bool(tested) and ("#" in tested or not all(map(is_fixed, (*tested, *made))))
