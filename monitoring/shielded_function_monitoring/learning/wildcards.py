"""Finds names that will not recur: a wildcard that covers them is offered, and the user decides.

Temporary files have random names. A name counts as one when it has the form that a well-known library gives it, or when
there are many of one form in one place. Many names below one domain count too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from publicsuffixlist import PublicSuffixList

MANY_NAMES: Final = 20
"""Different names below one domain: with more, none of them becomes an entry by itself."""
MANY_PATHS: Final = 20
"""Different paths in one directory: with more, none of them becomes an entry by itself."""

_BROWSERS: Final = (
    r"playwright[_-][a-z_]+-|puppeteer_dev_[a-z]+_profile-|\.?(?:org\.chromium\.Chromium|com\.google\.Chrome)\."
)

# Form of a path's component, and the glob for it: `?` for each random character where their number is fixed.
_FORMS: Final = (
    (re.compile(r"(tmp)([a-z0-9_]{8})(.*)"), 8, "Python's tempfile"),
    (re.compile(r"(tmp\.)([A-Za-z0-9]{10})()"), 10, "mktemp"),
    (re.compile(rf"((?:{_BROWSERS}))([A-Za-z0-9]{{6}})()"), 6, "a browser's profile"),
    (re.compile(r"()(?=[a-z]*\d)(?=\d*[a-z])([a-z0-9]{24,25})()"), 24, "formidable"),
    (re.compile(r"(.*?)([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(.*)"), 36, "a UUID"),
    (re.compile(r"(.*?)(\d{13,20})(.*)"), 0, "a long number, as Java's temporary files have"),
    (re.compile(r"(.*?)([0-9a-f]{16,64})(.*)"), 0, "a long hexadecimal number"),
    (
        re.compile(r"((?:.*[-_.])?)(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Z])(?=[A-Za-z0-9]*[a-z])([A-Za-z0-9]{6})()"),
        6,
        "mkdtemp",
    ),
)


_KNOWN: Final = ("Python's tempfile", "mktemp")
"""Forms that are not chosen by chance, except of letters alone: `/tmp/tmpdirectory`."""
_TEMPFILE: Final = re.compile(r".*/tmp[a-z0-9_]{8}[^/]*(?:/.*)?")
UNNAMED: Final = "/tmp/#"
"""Of a file without a name (`O_TMPFILE`, open(2)), as lines have it: Python's `TemporaryFile` makes one."""
_PROBE: Final = re.compile(r"/tmp/([a-z0-9_]{8})")
# Words, perhaps with a number at the end: each has a vowel, and no five consonants in a row.
_WORDS: Final = re.compile(r"(?:(?=[a-z]*[aeiouy])(?![a-z]*[bcdfghjklmnpqrstvwxz]{5})[a-z]{3,}_?)+(?:_?v?\d{1,4})?")
_TAIL: Final = re.compile(r"(.+?)(?=\d*[a-z_])([a-z0-9_]{8})\.tmp")
_REPOSITORY: Final = re.compile(r"((?:/[^/]+){2,}?)/\.git(?:/.*)?")


class Form(NamedTuple):
    """A glob for a path, and the origin of the path's name.

    `is_known`: a well-known program or library names its files so, and one name is enough to tell.
    """

    glob: str
    why: str
    is_known: bool = False


def form_of(path: str) -> Form | None:
    """The glob of a path with a random name in it; None when no component looks random.

    >>> form_of("/tmp/tmpk3j_x9a2/out.csv")
    Form(glob='/tmp/tmp????????/out.csv', why="Python's tempfile", is_known=True)
    >>> form_of("/tmp/cache/index.json") is None
    True
    """
    components, found, known = path.split("/"), "", True
    for at, component in enumerate(components):
        for pattern, length, why in _FORMS:
            match = pattern.fullmatch(component)
            if match and not set("*?,") & set(component):
                # Without a fixed beginning, only its length distinguishes it from others.
                wild = "*" if match[1] and not length else "?" * len(match[2])
                components[at] = match[1] + wild + _without_tail(match[3])
                found = why
                known = known and why in _KNOWN and not match[2].isalpha()
                break
        else:
            if (shorter := _without_tail(component)) != component:
                components[at], found, known = shorter, "Python's tempfile", False
    return Form("/".join(components), found, known) if found else None


def _without_tail(text: str) -> str:
    """The text before a random part and `.tmp`, as tempfile writes a file that is renamed later, with its glob."""
    tail = None if set("*?,") & set(text) else _TAIL.fullmatch(text)
    return f"{tail[1]}????????.tmp" if tail and not _WORDS.fullmatch(tail[2]) else text


def uses_tempfile(paths: Iterable[str]) -> bool:
    """Whether Python's tempfile made one of them: `TemporaryFile` and uploads leave no other name than its probe."""
    return any(path == UNNAMED or _TEMPFILE.fullmatch(path) or is_probe(path) for path in paths)


def is_probe(path: str) -> bool:
    """Whether a name is that of the file with which Python's tempfile tries, once a process, if it may write to /tmp.

    >>> [is_probe(path) for path in ("/tmp/q7w_e2r9", "/tmp/xkqzpwmt", "/tmp/cache_v2", "/tmp/download")]
    [True, True, False, False]
    """
    found = _PROBE.fullmatch(path)
    return bool(found) and not _WORDS.fullmatch(found[1])


def probe_of(path: str) -> Form | None:
    """The glob for such a file. Beside other names of tempfile's, every name of eight characters may be one."""
    if path == UNNAMED or _PROBE.fullmatch(path):
        glob = path if path == UNNAMED else "/tmp/????????"
        return Form(glob, "with which Python's tempfile tries the directory")
    return None


def repository_of(path: str) -> str:
    """The folder of the git repository that a path is in; empty where it is in none.

    >>> repository_of("/tmp/clone/repo/.git/objects/ab/tmp_obj_Xy3aB9"), repository_of("/tmp/clone/a.txt")
    ('/tmp/clone/repo', '')
    """
    found = _REPOSITORY.fullmatch(path)
    return found[1] if found else ""


def directory_of(path: str) -> str:
    """The directory that a path is in."""
    return path.rpartition("/")[0]


def domain_of(name: str) -> str:
    """The registered domain (`a.b.example.co.uk`: `example.co.uk`); empty where none is known."""
    return _suffixes().privatesuffix(name) or ""


def common_domain(names: Sequence[str]) -> str:
    """The longest domain that all names are below."""
    split = [name.split(".")[1:] for name in names]
    labels: list[str] = []
    for column in zip(*(each[::-1] for each in split), strict=False):
        if len(set(column)) > 1:
            break
        labels.insert(0, column[0])
    return ".".join(labels)


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
