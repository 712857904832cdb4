"""The lock of `learn`: the targets that each package needs, to commit and to compare with the log.

The packages are a hint (`caller.through` of the lines), which code can fake: no entry admits less or more for it.
"""

from __future__ import annotations

import json as json_module
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from shielded_function.policy.texts import without_packages
from shielded_function_monitoring.frames import UNKNOWN_PACKAGE, Chain, chain_text
from shielded_function_monitoring.learning import FunctionLog, Learned
from shielded_function_monitoring.learning.learned import unknown_targets

from . import terminal
from .failures import CliError, read_file, write_file
from .learned_files import check_valid
from .learned_output import show_lacking
from .learned_policy import Result, make_result
from .present import Present

_FORMAT: Final = "shielded-function lock"
_VERSION: Final = 1
_ANEW: Final = "write it anew with `learn --lock`"
_EACH: Final = "*"
_SHAPE: Final = {_EACH: {"packages": {_EACH: {_EACH: [str]}}, "policy": {}}}
"""Of `functions`: by name, the targets that each package needs, by field, or by control where no list admits them; and
the fields of the policy."""

Wants = Counter[tuple[str, str, Chain]]
"""How often packages needed a target: the list, or the control where no list admits it; the entry, or the target of
the attempt; and the packages of the chain, from the one that made the call outward."""


def read(path: Path) -> Mapping[str, Any]:
    """The locks in a file, by function name: the `packages` and `policy` of each.

    Raises:
        CliError: it cannot be read, or is no lock; the text names the field and the fix.
    """
    try:
        value = json_module.loads(read_file(f"--lock {path}", str(path)))
    except (ValueError, RecursionError) as error:
        raise CliError(f"--lock {path}: it is not JSON ({error}): {_ANEW}, or undo the last edit") from error
    found, problem = value if isinstance(value, dict) else {}, ""
    if found.get("format") != _FORMAT:
        problem = f"format: it is not {_FORMAT!r}"
    elif found.get("version") != _VERSION:
        problem = f"version: {found.get('version')!r} is not {_VERSION}, which this release reads"
    if problem := problem or _problem(found.get("functions"), _SHAPE, "functions"):
        raise CliError(f"--lock {path}: {problem}: {_ANEW}")
    return found["functions"]


def _problem(value: Any, shape: Mapping[str, Any] | Sequence[Any], place: str) -> str:
    """Why a value is not of a shape, an object with these fields or a list of texts; empty where it is."""
    if not isinstance(shape, dict):
        is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return "" if is_list else f"{place}: {value!r} is not a list of texts"
    if not isinstance(value, dict):
        return f"{place}: it is missing" if value is None else f"{place}: {value!r} is not an object"
    parts = ((each, inner) for name, inner in shape.items() for each in (value if name == _EACH else [name]))
    return next(filter(None, (_problem(value.get(each), inner, f"{place}.{each}") for each, inner in parts)), "")


def write(path: Path, logs: Sequence[FunctionLog], results: Sequence[Result]) -> None:
    """Writes a lock of all observed targets, regardless of the present policies: one target a line, and sorted.

    Raises:
        CliError: it cannot be written, a function has no valid policy, or two functions have one name.
    """
    check_valid(results)
    functions: dict[str, Any] = {}
    for log, result in zip(logs, results, strict=True):
        if result.name in functions:
            raise CliError(
                f"--lock {path}: two functions are called {result.name}: lock each region's or account's by itself"
            )
        wants = _wants_of(make_result(log, Present()).learned)
        packages: dict[str, dict[str, list[str]]] = {}
        for name, field, target in sorted({(name, *want) for *want, chain in wants for name in chain}):
            packages.setdefault(name, {}).setdefault(field, []).append(target)
        functions[result.name] = {"packages": packages, "policy": result.fields}
    value = {"format": _FORMAT, "version": _VERSION, "functions": functions}
    write_file(str(path), json_module.dumps(value, indent=2, sort_keys=True) + "\n")
    terminal.note(f"{path}: {len(functions)} functions locked")


def check(locked: Mapping[str, Any], results: Sequence[Result], notes: Sequence[str], *, json: bool) -> bool:
    """Prints targets that the lock lacks; True if it lacks one, or may lack one."""
    found = [
        {"function": each.name, "packages": chain, "field": field, "target": target, "count": count}
        for each in results
        for (field, target, chain), count in sorted(_unlocked(each, locked.get(each.name)).items())
    ]
    unknown = {each.name: each.learned.unknown for each in results if each.learned.unknown}
    lacks = bool(found or unknown)
    if json:
        return show_lacking(lacks, notes, told={"wants": found, "unknown": unknown})
    rows = [
        (chain_text(each["packages"]), f"{each['field']} {each['target']}", each["function"], f"{each['count']:,}")
        for each in found
    ]
    title = "targets that the lock lacks"
    listings = [terminal.Listing(title, ("package", "target", "function", "times"), rows, ("times",))] if rows else []
    missing = [f"{name}: {text}" for name, counts in unknown.items() for text in unknown_targets(counts)]
    enough = [] if lacks else [f"{len(results)} functions: the lock has every target of each package"]
    return show_lacking(lacks, notes, [*listings, *missing, *enough])


def _unlocked(result: Result, locked: Mapping[str, Any] | None) -> Wants:
    """The wants that a lock lacks, each with the packages that it lacks them for."""
    packages = locked["packages"] if locked else {}
    lacking: Wants = Counter()
    for (field, target, chain), count in _wants_of(result.learned).items():
        if new := tuple(name for name in chain if target not in packages.get(name, {}).get(field, ())):
            lacking[field, target, new] += count
    return lacking


def _wants_of(learned: Learned) -> Wants:
    """The targets that each chain of packages of a function needs."""
    additions = (*learned.entries, *learned.presets, *learned.offers)
    targets = [(each.field, without_packages(each.value), each.evidence) for each in additions]
    targets += [(each.field or each.policy, each.value or each.target, each.evidence) for each in learned.findings]
    wants: Wants = Counter()
    for field, target, evidence in targets:
        for each in evidence.packages:
            wants[field, target, each.through or (UNKNOWN_PACKAGE,)] += each.count
    return wants
