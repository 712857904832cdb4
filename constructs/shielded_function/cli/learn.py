"""`shielded-function learn`: the least policy for the observed behaviour of functions.

`shielded_function_monitoring.learning` makes the decisions; this module does input and output.
"""

from __future__ import annotations

import json as json_module
import shlex
from pathlib import Path
from typing import Final

from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.learning import Observed, observed_of

from . import learned_lock, terminal
from .errors import STDIN, CliError
from .learned_files import write
from .learned_output import as_json, completing_commands, print_results, show_check
from .learned_policy import check_accepted, make_result
from .options import Learn, Where
from .present import InAssembly, OneFile, Present
from .progress import watch
from .run import pairs
from .sources import source_of

LACKING: Final = 1
"""Exit status of `--check`: a policy lacks an observed target, or may lack one. 0: none does; 2: the check failed."""
INCOMPLETE: Final = 3
"""Exit status: the policy would deny some observed violations, or some targets are unknown."""
SINCE: Final = "14d"
_PART: Final = "learn needs complete logs: ask for less time, or for single functions"


def run(where: Where, options: Learn, *, json: bool) -> int:
    """Learns, and prints or writes the result.

    Returns:
        0; with `check`, 1 when a present policy, or the lock, lacks an observed target; 3 when a policy is incomplete.

    Raises:
        CliError: something cannot be read, written or understood.
    """
    _check_options(options, json=json)
    present = _present(options)
    locked = learned_lock.read(options.lock) if options.check and options.lock else None
    observed, notes = _observe(where)
    if not observed.functions:
        raise CliError("; ".join([*notes, "learn needs lines of the shield: did the functions run, shielded?"]))
    if not observed.whole:
        raise CliError("; ".join([*notes, _PART]))
    logs = sorted(observed.functions.values(), key=lambda log: log.key)
    results = [
        make_result(
            log,
            present,
            granted=options.granted,
            accept=options.accept,
            packages=options.packages or options.lock is not None,
        )
        for log in watch(logs, "functions")
    ]
    check_accepted(options.accept, results)
    unknown = [present.hint(each.learned.key.function) for each in results if each.present is None]
    if options.form == "diff" and any(unknown):
        raise CliError("; ".join(unknown))
    notes += [*filter(None, unknown), *_offer_assembly(where, options)]
    if locked is not None:
        return LACKING if learned_lock.check(locked, results, notes, json=json) else 0
    if options.check:
        return LACKING if show_check(results, notes, whole=True, json=json) else 0
    if options.lock:
        learned_lock.write(options.lock, logs, results)
    status = 0 if all(each.is_complete for each in results) else INCOMPLETE
    if json:
        print(json_module.dumps({"notes": notes, "functions": [as_json(each) for each in results]}, indent=2))
        return status
    if options.form == "table" and options.output is None:
        print_results(results, every=options.every)
    else:
        write(results, options.form, options.output)
        notes += [f"{each.learned.key}: incomplete: {reason}" for each in results for reason in each.learned.incomplete]
        notes += [f"{each.learned.key}: {note}" for each in results for note in each.learned.notes]
        notes += [text for each in results for text in completing_commands(each)]
    for note in notes:
        terminal.note(note)
    return status


def _check_options(options: Learn, *, json: bool) -> None:
    writes = [name for name, given in (("--format", options.form != "table"), ("--output", options.output)) if given]
    shows = [name for name, given in (("--check", options.check), ("--json", json)) if given]
    if writes and shows:
        raise CliError(f"{writes[0]} formats a written policy, and {shows[0]} writes none: remove one of them")


def _present(options: Learn) -> Present:
    if options.policy and options.assembly:
        raise CliError("give --policy or --assembly: not both")
    if options.check and options.lock and (options.policy or options.assembly):
        raise CliError("--check compares with --lock, or with --policy or --assembly: check one after the other")
    if options.check and not (options.policy or options.assembly or options.lock):
        raise CliError("--check compares with the present policy: give --policy FILE or --assembly cdk.out, or --lock")
    if options.form == "diff" and not (options.policy or options.assembly):
        raise CliError("--format diff compares with the present policy: give --policy FILE or --assembly cdk.out")
    if options.assembly:
        return InAssembly(options.assembly, pairs("--place", options.places))
    if options.places:
        raise CliError("--place names a function of --assembly")
    return OneFile(options.policy) if options.policy else Present()


def _offer_assembly(where: Where, options: Learn) -> list[str]:
    """The option for a `cdk.out` beside a log, or in the current folder: it is not used unasked, as it may be old."""
    if options.policy or options.assembly or options.granted or options.lock:
        return []
    folders = dict.fromkeys([*(Path(file).parent for file in where.files if file != STDIN), Path()])
    found = [each / "cdk.out" for each in folders if (each / "cdk.out" / "manifest.json").is_file()]
    return [f"{found[0]} has the present policies: add --assembly {shlex.quote(str(found[0]))}"] if found else []


def _observe(where: Where) -> tuple[Observed, list[str]]:
    found = source_of(where, SINCE).ask([queries.observed])
    observed = observed_of(found.rows[0])
    observed.whole &= found.whole
    notes = list(found.notes)
    if observed.malformed:
        notes.append(f"{observed.malformed:,} lines of the shield do not match its schema: they are left out")
    return observed, notes
