"""The targets that each package needs: entries that name packages, and a lock to commit.

The packages are a hint (`caller.through` of the lines), which code can fake: no entry admits less or more for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from shielded_function_monitoring.frames import NOT_TOLD, Chain

from ..errors import ShieldError
from .entries import entry_by
from .learner import Learned
from .observed import FunctionKey
from .outcomes import LearnedEntry

FORMAT: Final = "shielded-function lock"
VERSION: Final = 1
_BY: Final = " by "
_ANEW: Final = "write it anew with `learn --lock`"

Targets = Mapping[str, Sequence[str]]
"""By field, or by control where no list admits it: the targets."""


class LockError(ShieldError):
    """A file that is no lock; the text names the field and the fix."""


@dataclass(frozen=True)
class Locked:
    """The locked part of one function.

    Attributes:
        packages: the targets that each package needs, alone or through others.
        policy: the fields of its policy.
    """

    packages: Mapping[str, Targets] = field(default_factory=dict[str, Targets])
    policy: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Want:
    """A target that packages need, and that the lock lacks for them.

    Attributes:
        packages: those of the chain, from the one that made the call outward.
        field: the list, or the control where no list admits it.
        target: the entry, or the target of the attempt.
        count: how often.
    """

    packages: Chain
    field: str
    target: str
    count: int


def with_packages(entry: LearnedEntry) -> LearnedEntry:
    """The entry with the chains of packages that needed it, where the lines tell of some.

    An entry with more chains than it takes stays as it is.
    """
    chains = sorted({">".join(each.through) for each in entry.evidence.packages if each.through})
    if entry.field != "allow_outbound" or not chains:
        return entry
    return replace(entry, value=entry_by(entry.value, " or ".join(chains)))


def wants_of(learned: Learned) -> list[Want]:
    """The targets that each chain of packages of a function needs, sorted."""
    found: dict[tuple[Chain, str, str], int] = {}
    for name, target, evidence in _targets(learned):
        for each in evidence.packages:
            key = (each.through or (NOT_TOLD,), name, target)
            found[key] = found.get(key, 0) + each.count
    return [Want(*key, count) for key, count in sorted(found.items(), key=lambda item: (item[0][1:], item[0][0]))]


def _targets(learned: Learned) -> Iterator[tuple[str, str, Any]]:
    for entry in learned.entries:
        yield entry.field, entry.value.partition(_BY)[0], entry.evidence
    for preset in learned.presets:
        yield "presets", preset.name, preset.evidence
    for offer in learned.offers:
        yield offer.field, offer.value, offer.evidence
    for finding in learned.findings:
        yield finding.field or finding.policy, finding.value or finding.target, finding.evidence


def lock(wants: Iterable[Want], policy: Mapping[str, Any]) -> Locked:
    """The lock of a function."""
    packages: dict[str, dict[str, set[str]]] = {}
    for want in wants:
        for package in want.packages:
            packages.setdefault(package, {}).setdefault(want.field, set()).add(want.target)
    return Locked(
        {name: {key: sorted(targets) for key, targets in fields.items()} for name, fields in packages.items()}, policy
    )


def unlocked(wants: Iterable[Want], locked: Locked) -> list[Want]:
    """The wants that a lock lacks, each with the packages that it lacks them for."""
    found: dict[tuple[Chain, str, str], int] = {}
    for want in wants:
        new = tuple(p for p in want.packages if want.target not in locked.packages.get(p, {}).get(want.field, ()))
        if new:
            key = (new, want.field, want.target)
            found[key] = found.get(key, 0) + want.count
    return [Want(*key, count) for key, count in found.items()]


def write_lock(functions: Mapping[FunctionKey, Locked]) -> str:
    """The lock as JSON: sorted, one target a line, the same for the same logs.

    Raises:
        LockError: two functions have one name.
    """
    names = [str(key) for key in functions]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LockError(f"two functions are called {twice[0]}: lock each region's or account's by itself")
    every = {str(key): {"packages": each.packages, "policy": each.policy} for key, each in functions.items()}
    return json.dumps({"format": FORMAT, "version": VERSION, "functions": every}, indent=2, sort_keys=True) + "\n"


def read_lock(text: str) -> dict[str, Locked]:
    """The lock, by the function's name.

    Raises:
        LockError: it is none; the text names the field and the fix.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LockError(f"it is not JSON ({error}): {_ANEW}, or undo the last edit") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise LockError(f"format: it is not {FORMAT!r}: {_ANEW}")
    if value.get("version") != VERSION:
        raise LockError(f"version: {value.get('version')!r} is not {VERSION}, which this release reads: {_ANEW}")
    functions = _mapping(value, "functions", "functions")
    return {name: _locked(functions, name) for name in functions}


def _locked(functions: Mapping[str, Any], name: str) -> Locked:
    place = f"functions.{name}"
    one = _mapping(functions, name, place)
    packages = _mapping(one, "packages", f"{place}.packages")
    for package in packages:
        targets = _mapping(packages, package, f"{place}.packages.{package}")
        for key, value in targets.items():
            if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                raise LockError(f"{place}.packages.{package}.{key}: {value!r} is not a list of texts: {_ANEW}")
    return Locked(packages, _mapping(one, "policy", f"{place}.policy"))


def _mapping(value: Mapping[str, Any], name: str, place: str) -> dict[str, Any]:
    found = value.get(name)
    if not isinstance(found, dict):
        raise LockError(f"{place}: {'it is missing' if found is None else f'{found!r} is not an object'}: {_ANEW}")
    return found
