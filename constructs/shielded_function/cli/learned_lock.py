"""The lock of `learn`: the targets of each package, to commit and to compare with the log."""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shielded_function_monitoring.frames import chain_text
from shielded_function_monitoring.learning.function_log import FunctionLog
from shielded_function_monitoring.learning.packages import (
    Locked,
    LockError,
    lock,
    read_lock,
    unlocked,
    wants_of,
    write_lock,
)

from . import terminal
from .errors import CliError
from .learned_files import write_text
from .learned_policy import Result, make_result
from .present import Present


def read(path: Path) -> Mapping[str, Locked]:
    """The locks in a file, by function name.

    Raises:
        CliError: it cannot be read, or is no lock.
    """
    try:
        return read_lock(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"--lock {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except LockError as error:
        raise CliError(f"--lock {path}: {error}") from error


def write(path: Path, logs: Sequence[FunctionLog], results: Sequence[Result]) -> None:
    """Writes a lock of all observed targets, regardless of the present policies.

    Raises:
        CliError: it cannot be written, or a function has no valid policy.
    """
    for each in results:
        if each.problem:
            raise CliError(f"{each.learned.key}: the learned entries make no valid policy: {each.problem}")
    found = {
        log.key: lock(wants_of(make_result(log, Present()).learned), result.fields)
        for log, result in zip(logs, results, strict=True)
    }
    try:
        write_text(path, write_lock(found))
    except LockError as error:
        raise CliError(f"--lock {path}: {error}") from error
    terminal.note(f"{path}: {len(found)} functions locked")


def check(locked: Mapping[str, Locked], results: Sequence[Result], notes: Sequence[str], *, json: bool) -> bool:
    """Prints targets that the lock lacks; True if it lacks one, or may lack one."""
    found = [
        (str(result.learned.key), want)
        for result in results
        for want in unlocked(wants_of(result.learned), locked.get(str(result.learned.key)))
    ]
    unknown = {str(each.learned.key): each.learned.unknown for each in results if each.learned.unknown}
    if json:
        wants: list[dict[str, Any]] = [{"function": name, **asdict(want)} for name, want in found]
        lacks = bool(found or unknown)
        print(json_module.dumps({"lacks": lacks, "wants": wants, "unknown": unknown, "notes": notes}, indent=2))
        return lacks
    screen = terminal.console()
    rows = [(chain_text(want.packages), f"{want.field} {want.target}", name, f"{want.count:,}") for name, want in found]
    if rows:
        title = "targets that the lock lacks"
        screen.print(terminal.Listing(title, ("package", "target", "function", "times"), rows, ("times",)))
    for name, policies in unknown.items():
        for policy, count in policies.items():
            text = f"{name}: {count:,} violations of {policy} were counted and not written: their targets are unknown"
            screen.print(terminal.cell(text))
    if not (rows or unknown):
        screen.print(f"{len(results)} functions: the lock has every target of each package")
    for note in notes:
        terminal.note(note)
    return bool(rows or unknown)
