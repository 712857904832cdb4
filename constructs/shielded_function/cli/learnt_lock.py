"""The lock of `learn`: which package wants what, written to be committed, and compared with what was seen."""

from __future__ import annotations

import json as json_module
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shielded_function_monitoring.frames import chain_text
from shielded_function_monitoring.learning.observed import FunctionLog
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
from .learnt_files import write_text
from .learnt_policy import Result, make_result
from .present import Nothing


def read(path: Path) -> dict[str, Locked]:
    """The lock of a file, by the function's name.

    Raises:
        CliError: it cannot be read, or is none.
    """
    try:
        return read_lock(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"--lock {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except LockError as error:
        raise CliError(f"--lock {path}: {error}") from error


def write(path: Path, logs: Sequence[FunctionLog], results: Sequence[Result]) -> None:
    """Writes the lock of what was seen: all of it, whatever the present policies admit.

    Raises:
        CliError: it cannot be written, or the function's policy cannot be made.
    """
    for each in results:
        if each.problem:
            raise CliError(f"{each.learnt.key}: what was learnt makes no policy: {each.problem}")
    found = {
        log.key: lock(wants_of(make_result(log, Nothing()).learnt), result.fields)
        for log, result in zip(logs, results, strict=True)
    }
    try:
        write_text(path, write_lock(found))
    except LockError as error:
        raise CliError(f"--lock {path}: {error}") from error
    terminal.note(f"{path}: {len(found)} functions locked")


def check(locked: dict[str, Locked], results: Sequence[Result], notes: Sequence[str], *, json: bool) -> bool:
    """Prints who wants what the lock does not have; whether somebody does, or may."""
    found = [
        (str(result.learnt.key), want)
        for result in results
        for want in unlocked(wants_of(result.learnt), locked.get(str(result.learnt.key), Locked()))
    ]
    unknown = {str(each.learnt.key): each.learnt.unknown for each in results if each.learnt.unknown}
    if json:
        wants: list[dict[str, Any]] = [{"function": name, **asdict(want)} for name, want in found]
        lacks = bool(found or unknown)
        print(json_module.dumps({"lacks": lacks, "wants": wants, "unknown": unknown, "notes": notes}, indent=2))
        return lacks
    screen = terminal.console()
    rows = [(chain_text(want.packages), f"{want.field} {want.target}", name, f"{want.count:,}") for name, want in found]
    if rows:
        title = "wanted, and not in the lock"
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
