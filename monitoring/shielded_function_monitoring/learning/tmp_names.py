"""Sorts the observed names in /tmp: entries as they are, patterns that are entries, and one decision about the rest.

A name is an entry as it is where it is made of words, or where two starts show it. A varying name is no entry: a
pattern covers the next one too where its form is certain (a UUID, Java's number, `/tmp/tmp????????`). All others are
one decision: the patterns that are offered for them, or `read_write_tmp="allow"` with `clear_tmp`.
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from . import questions
from .evidence import Evidence
from .hosts import crowded
from .questions import Question
from .tmp_patterns import TMP, Pattern, is_fixed, pattern_of

MAX_TMP: Final = 128
"""Entries of allow_tmp that a policy takes (MAX_TMP of the core)."""
MOST_OFFERS: Final = 8
"""Patterns that are offered: of more, a person cannot judge each."""
MANY_PATHS: Final = 20
"""Different files in one folder: with more, none of them becomes an entry by itself."""
_FIRST: Final = 2
"""Where a path's first component below /tmp is."""
_LEAST_PREFIX: Final = 3
"""Characters that precede the wildcard of an entry right in /tmp."""
_WILD: Final = frozenset("*?")
_MOST_GLOBS: Final = 256
"""Patterns that are tried on every path: forged names must not take hours."""
_NUMBER: Final = re.compile(r"\d+")


class Plan(NamedTuple):
    """Patterns for paths; a path in neither is an entry by itself.

    Attributes:
        taken: by path, the pattern that is an entry.
        offered: by path that the decision is about, the offered pattern, or one without a glob.
    """

    taken: Mapping[str, Pattern]
    offered: Mapping[str, Pattern]


def plan(seen: Mapping[str, Evidence], accepted: Collection[str] = (), room: int = MAX_TMP) -> Plan:
    """Decides about the paths in /tmp that one function used.

    Args:
        seen: each path with its evidence.
        accepted: offered patterns that are entries now.
        room: how many entries the policy still takes.
    """
    seen = {path: seen[path] for path in sorted(seen) if path.startswith(f"{TMP}/")}
    own = {path: pattern for path in seen if (pattern := _own_pattern(path))}
    again = {path for path in own if has_two_starts(seen[path]) and not _is_of_the_moment(path, seen[path])}
    once = {pattern.glob for path, pattern in own.items() if path not in again}
    varying = {path: pattern for path, pattern in own.items() if path not in again or pattern.glob in once}
    taken = _covered(seen, {path: pattern for path, pattern in varying.items() if pattern.is_certain})
    offered = {path: _offer_for(path) for path in varying if path not in taken}
    left = [path for path in seen if path not in taken and path not in offered]
    entries = len(left) + len({pattern.glob for pattern in taken.values()})
    folders = crowded(((_folder_of(path), path) for path in left), 0)
    for folder, inside in sorted(folders.items(), key=lambda item: len(item[1]), reverse=True):
        if entries > room or sum(not has_two_starts(seen[path]) for path in inside) > MANY_PATHS:
            glob = f"{folder}/**" if folder != TMP else ""
            offered |= dict.fromkeys(inside, Pattern(glob, True, f"{len(inside)} different files in {folder}"))
            entries -= len(inside)
    offered = _merged(offered)
    taken |= _covered(seen, {path: pattern for path, pattern in offered.items() if pattern.glob in accepted})
    return Plan(taken, {path: pattern for path, pattern in offered.items() if path not in taken})


_VARYING: Final = "the name may come from a function that makes temporary names, or has a number: it may not come again"


def has_two_starts(evidence: Evidence) -> bool:
    """Whether two starts of the function had the same name."""
    return len(evidence.starts) > 1


def _is_of_the_moment(path: str, evidence: Evidence) -> bool:
    """Whether a number in a name is the process's, or the day's."""
    numbers = _NUMBER.findall(path)
    day = evidence.first[:10].replace("-", "")
    return (evidence.pid > 0 and str(evidence.pid) in numbers) or day in "".join(numbers)


def _below_tmp(path: str) -> list[str]:
    return path.split("/")[_FIRST:]


def _folder_of(path: str) -> str:
    """The folder right below /tmp that a path is in; /tmp itself."""
    return "/".join(path.split("/")[: _FIRST + 1]) if path.count("/") > _FIRST else TMP


def _own_pattern(path: str) -> Pattern | None:
    """The path with patterns for its varying components, certain if a policy may take it unasked; None without one."""
    names = _below_tmp(path)
    patterns = {name: pattern_of(name) for name in names if not is_fixed(name)}
    if not patterns:
        return None
    glob = "/".join([TMP, *((patterns[name].glob or "*") if name in patterns else name for name in names)])
    is_certain = all(each.is_certain for each in patterns.values()) and is_narrow(glob)
    return Pattern(glob, is_certain, "the name is random")


def _offer_for(path: str) -> Pattern:
    """The pattern that is offered for a path: all that is in a folder whose name stays, or the name's own pattern."""
    first, *below = _below_tmp(path)
    found = Pattern(first, True) if is_fixed(first) else pattern_of(first)
    glob = found.glob and f"{TMP}/{found.glob}{'/**' if below else ''}"
    return Pattern(glob, found.is_certain, _VARYING)


def _merged(offered: Mapping[str, Pattern]) -> dict[str, Pattern]:
    """A folder's pattern covers the folder too. Of too many patterns, none is offered."""
    globs = {each.glob for each in offered.values()} - {""}
    merged = {glob: f"{glob}/**" if f"{glob}/**" in globs else glob for glob in globs}
    if len({*merged.values()}) > MOST_OFFERS:
        merged = {}
    return {path: each._replace(glob=merged.get(each.glob, "")) for path, each in offered.items()}


def _covered(seen: Iterable[str], patterns: Mapping[str, Pattern]) -> dict[str, Pattern]:
    """Each path with the pattern that covers most, so that no superfluous one is left. The core tried each."""
    counts = Counter(each.glob for each in patterns.values())
    by_glob = {each.glob: each for each in patterns.values()}
    found: dict[str, Pattern] = {}
    left = list(seen)
    for glob in sorted(by_glob, key=lambda glob: (-counts[glob], glob))[:_MOST_GLOBS]:
        # It admits no less than the core, which has the last word, and takes longer.
        likely = re.compile(fnmatch.translate(glob.replace("[", "[[]").replace("/**", "*"))).match
        covered = {path for path in left if likely(path) and admits(glob, path)}
        found |= dict.fromkeys(sorted(covered), by_glob[glob])
        left = [path for path in left if path not in covered]
    return found


def is_narrow(glob: str) -> bool:
    """Whether one component alone is wild; right in /tmp, a few fixed characters must precede the wildcard."""
    parts = glob.split("/")
    wild = [at for at, part in enumerate(parts) if _WILD & set(part)]
    if len(wild) != 1 or "**" in glob:
        return False
    part = parts[wild[0]]
    fixed = min(part.find(character) for character in _WILD & set(part))
    return wild[0] > _FIRST or fixed >= _LEAST_PREFIX


def admits(glob: str, path: str) -> bool:
    """Whether an entry of allow_tmp admits a path, as the core reads both."""
    if not glob.isprintable() or glob != glob.strip() or "," in glob:
        return False  # a list would read the entry as something else
    return questions.admits(f"SHIELD_ALLOW_AWS=none\nSHIELD_ALLOW_TMP={glob}\n", Question("tmp", path))
