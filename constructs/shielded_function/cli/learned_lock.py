"""The lock of `learn`: the targets of each package, to commit and to compare with the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from shielded_function_monitoring.frames import chain_text
from shielded_function_monitoring.learning import FunctionLog
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
from .learned_files import check_valid, write_text
from .learned_output import show_lacking, unknown_targets
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
    check_valid(results)
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
    found = [(each.name, want) for each in results for want in unlocked(wants_of(each.learned), locked.get(each.name))]
    unknown = {each.name: each.learned.unknown for each in results if each.learned.unknown}
    lacks = bool(found or unknown)
    if json:
        wants = [{"function": name, **asdict(want)} for name, want in found]
        return show_lacking(lacks, notes, told={"wants": wants, "unknown": unknown})
    rows = [(chain_text(want.packages), f"{want.field} {want.target}", name, f"{want.count:,}") for name, want in found]
    title = "targets that the lock lacks"
    listings = [terminal.Listing(title, ("package", "target", "function", "times"), rows, ("times",))] if rows else []
    missing = [text for name, counts in unknown.items() for text in unknown_targets(name, counts)]
    enough = [] if lacks else [f"{len(results)} functions: the lock has every target of each package"]
    return show_lacking(lacks, notes, [*listings, *missing, *enough])
