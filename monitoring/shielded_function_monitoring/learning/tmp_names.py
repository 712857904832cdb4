"""Sorts the observed names in /tmp: entries as they are, globs for random names, and offers.

A glob is an entry, so that the policy admits the next name too, where a well-known library gives such names, or where
two or more were seen; one component of it is wild, and it is never `/tmp/*`. Any other glob is offered, and the name
itself is no entry: it never comes again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from shielded_function_runtime import core

from .alike import TMP, globs_of, random_part
from .wildcards import MANY_PATHS, Form, crowded, directory_of, form_of, probe_of, repository_of, uses_tempfile

_WILD: Final = frozenset("*?")
_WILDCARDS: Final = {"*": "[^/]*", "?": "[^/]"}
_LEAST_PREFIX: Final = 3
"""Characters before the random part of a name right in /tmp, as in `alike`."""
_MOST_GLOBS: Final = 256
"""Globs that are tried on every path, those that cover most: a policy takes 128."""
_FIRST: Final = 2
"""Where a path's first component below /tmp is."""


@dataclass(frozen=True)
class Plan:
    """Globs for paths; a path in neither is an entry by itself.

    Attributes:
        taken: by path, the glob that is an entry, and why.
        offered: by path, the glob that the user may want, and why.
    """

    taken: Mapping[str, Form] = field(default_factory=dict[str, Form])
    offered: Mapping[str, Form] = field(default_factory=dict[str, Form])


def plan(paths: Iterable[str], tempfile: bool | None = None) -> Plan:
    """Decides about the paths in /tmp that one function used: **a random name is never an entry by itself**.

    Args:
        paths: that it used.
        tempfile: whether Python's tempfile made some of them; None where nothing else than the paths tells.
    """
    every = sorted(set(paths))
    offered = _in_repositories(every)
    seen = [path for path in every if path not in offered]
    tempfile = uses_tempfile(seen) if tempfile is None else tempfile
    forms = {path: form for path in seen if (form := form_of(path) or (probe_of(path) if tempfile else None))}
    together: dict[str, int] = {}
    for form in forms.values():
        together[form.glob] = together.get(form.glob, 0) + 1
    taken = {
        path: Form(form.glob, f"the name is random ({form.why})")
        for path, form in forms.items()
        if is_narrow(form.glob) and (form.is_known or together[form.glob] > 1)
    }
    alike = globs_of(path for path in seen if path not in taken)
    taken |= {path: Form(glob, "they differ in a random part") for path, glob in alike.items() if is_narrow(glob)}
    taken = _widest(seen, taken)
    forms |= {path: form for path in seen if path not in forms and path not in taken and (form := _alone(path))}
    offered |= {
        path: Form(form.glob, f"the name is random ({form.why}): it will not come again")
        for path, form in forms.items()
        if path not in taken
    }
    left = [path for path in seen if path not in taken and path not in offered]
    for folder, inside in crowded(((directory_of(path), path) for path in left), MANY_PATHS).items():
        if folder != TMP:
            offered |= dict.fromkeys(inside, Form(f"{folder}/*", f"{len(inside)} different files in the directory"))
    return _with_whole_folders(Plan(taken, offered))


def _in_repositories(paths: Sequence[str]) -> dict[str, Form]:
    """The names of git's files are hashes, or random: the whole repository is offered."""
    roots = sorted({root for path in paths if (root := repository_of(path))})
    return {
        path: Form(f"{root}/**", "git names its files by their content: the whole repository, however deep")
        for root in roots
        for path in paths
        if f"{path}/".startswith(f"{root}/")
    }


def _alone(path: str) -> Form | None:
    """The glob for a random name that matches no known library and no other name."""
    components = path.split("/")
    for at, component in enumerate(components[_FIRST:], _FIRST):
        part = None if _WILD & set(component) or "," in component else random_part(component)
        if part:
            wild = "*" if part[0].isdigit() and part.start() >= _LEAST_PREFIX else "?" * len(part[0])
            components[at] = f"{component[: part.start()]}{wild}{component[part.end() :]}"
            return Form("/".join(components), "one such name was seen")
    return None


def _with_whole_folders(made: Plan) -> Plan:
    """In place of many globs below one folder of a random name, the offer of all that is in such a folder."""
    every = {**made.offered, **made.taken}
    globs = {form.glob: "/".join(form.glob.split("/")[: _FIRST + 1]) for form in every.values()}
    many = crowded(((folder, glob) for glob, folder in globs.items() if _WILD & set(folder)), MANY_PATHS)
    whole = {path: globs[form.glob] for path, form in every.items() if globs[form.glob] in many}
    why = "a folder of a random name, with many files in it: all of it, however deep"
    return Plan(
        {path: form for path, form in made.taken.items() if path not in whole},
        {**made.offered, **{path: Form(f"{folder}/**", why) for path, folder in whole.items()}},
    )


def _widest(seen: Iterable[str], taken: Mapping[str, Form]) -> dict[str, Form]:
    """Each path with the glob that covers most paths, so that no superfluous glob is left. The core tried each."""
    counts: dict[str, int] = {}
    for form in taken.values():
        counts[form.glob] = counts.get(form.glob, 0) + 1
    forms = {form.glob: form for form in taken.values()}
    found: dict[str, Form] = {}
    left = list(seen)
    for glob in sorted(forms, key=lambda glob: (-counts[glob], glob))[:_MOST_GLOBS]:
        # The core has the last word, and takes longer.
        likely = re.compile("".join(_WILDCARDS.get(each, re.escape(each)) for each in glob), re.DOTALL).fullmatch
        covered = {path for path in left if likely(path) and admits(glob, path)}
        found |= dict.fromkeys(sorted(covered), forms[glob])
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
    policy = _policy(glob)
    try:
        return policy is not None and policy.decide("tmp", path).allowed
    except core.TargetError:
        return False


@lru_cache(maxsize=1024)
def _policy(entry: str) -> core.Policy | None:
    """None where a list would read the entry as something else."""
    if not entry.isprintable() or entry != entry.strip() or "," in entry:
        return None
    try:
        return core.parse(f"SHIELD_ALLOW_AWS=none\nSHIELD_ALLOW_TMP={entry}\n")
    except core.PolicyError:
        return None
