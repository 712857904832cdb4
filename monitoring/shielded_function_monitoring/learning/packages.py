"""The targets that each package needs: entries that name packages, and a lock to commit.

The packages are a hint (`caller.through` of the lines), which code can fake: no entry admits less or more for it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from shielded_function_monitoring.frames import NOT_TOLD, Chain

from ..errors import ShieldError
from .entries import entry_by
from .evidence import Evidence
from .function_log import FunctionKey
from .learned import Addition, Learned

FORMAT: Final = "shielded-function lock"
VERSION: Final = 1
_BY: Final = " by "
_ANEW: Final = "write it anew with `learn --lock`"
_EACH: Final = "*"
_SHAPE: Final = {_EACH: {"packages": {_EACH: {_EACH: [str]}}, "policy": {}}}
"""Of `functions`: by name, the targets that each package needs, by field, or by control where no list admits them; and
the fields of the policy."""

Locked = Mapping[str, Any]
"""The locked part of one function: its `packages` and `policy`."""


class LockError(ShieldError):
    """A file that is no lock; the text names the field and the fix."""


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


def with_packages(entry: Addition) -> Addition:
    """The entry with the chains of packages that needed it, where the lines tell of some.

    An entry with more chains than it takes stays as it is.
    """
    chains = sorted({">".join(each.through) for each in entry.evidence.packages if each.through})
    if entry.field != "allow_outbound" or not chains:
        return entry
    return replace(entry, value=entry_by(entry.value, " or ".join(chains)))


def wants_of(learned: Learned) -> list[Want]:
    """The targets that each chain of packages of a function needs, sorted."""
    wants = (
        Want(each.through or (NOT_TOLD,), name, target, each.count)
        for name, target, evidence in _targets(learned)
        for each in evidence.packages
    )
    return sorted(_summed(wants), key=lambda want: (want.field, want.target, want.packages))


def _targets(learned: Learned) -> Iterator[tuple[str, str, Evidence]]:
    for each in (*learned.entries, *learned.presets, *learned.offers):
        yield each.field, each.value.partition(_BY)[0], each.evidence
    for finding in learned.findings:
        yield finding.field or finding.policy, finding.value or finding.target, finding.evidence


def _summed(wants: Iterable[Want]) -> list[Want]:
    counts: Counter[tuple[Chain, str, str]] = Counter()
    for want in wants:
        counts[want.packages, want.field, want.target] += want.count
    return [Want(*key, count) for key, count in counts.items()]


def lock(wants: Iterable[Want], policy: Mapping[str, Any]) -> Locked:
    """The lock of a function."""
    packages: dict[str, dict[str, list[str]]] = {}
    for name, field, target in sorted({(name, want.field, want.target) for want in wants for name in want.packages}):
        packages.setdefault(name, {}).setdefault(field, []).append(target)
    return {"packages": packages, "policy": policy}


def unlocked(wants: Iterable[Want], locked: Locked | None) -> list[Want]:
    """The wants that a lock lacks, each with the packages that it lacks them for."""
    packages = locked["packages"] if locked else {}
    lacking: list[Want] = []
    for want in wants:
        new = [name for name in want.packages if want.target not in packages.get(name, {}).get(want.field, ())]
        lacking += [replace(want, packages=tuple(new))] if new else []
    return _summed(lacking)


def write_lock(functions: Mapping[FunctionKey, Locked]) -> str:
    """The lock as JSON: sorted, one target a line, the same for the same logs.

    Raises:
        LockError: two functions have one name.
    """
    names = [str(key) for key in functions]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LockError(f"two functions are called {twice[0]}: lock each region's or account's by itself")
    value = {"format": FORMAT, "version": VERSION, "functions": dict(zip(names, functions.values(), strict=True))}
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def read_lock(text: str) -> Mapping[str, Locked]:
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
    functions: Any = value.get("functions")
    _check(functions, _SHAPE, "functions")
    return functions


def _check(value: Any, shape: Mapping[str, Any] | Sequence[Any], place: str) -> None:
    """Raises LockError where a value is not of a shape: an object with these fields, or a list of texts."""
    if not isinstance(shape, dict):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise LockError(f"{place}: {value!r} is not a list of texts: {_ANEW}")
        return
    if not isinstance(value, dict):
        raise LockError(f"{place}: {'it is missing' if value is None else f'{value!r} is not an object'}: {_ANEW}")
    for name, inner in shape.items():
        for each in value if name == _EACH else [name]:
            _check(value.get(each), inner, f"{place}.{each}")
