"""`shielded-function learn`: the least policy for the observed behaviour of functions.

`shielded_function_monitoring.learning` makes the decisions; this module does input and output.
"""

from __future__ import annotations

import gc
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
from .learned_policy import Choices, check_accepted, make_result
from .options import Learn, Where
from .present import InAssembly, Present
from .progress import watch
from .run import pairs
from .sources import source_of

LACKING: Final = 1
"""Exit status of `--check`: a policy lacks an observed target, or may lack one. 0: none does; 2: the check failed."""
INCOMPLETE: Final = 3
"""Exit status: the policy would deny some observed violations, or some targets are unknown."""
SINCE: Final = "14d"
_NONE: Final = "learn needs lines of the shield: did the functions run, shielded?"
_PART: Final = "learn needs complete logs: ask for less time, or for single functions"


def run(where: Where, options: Learn, *, json: bool) -> int:
    """Learns, and prints or writes the result.

    Returns:
        0; with `check`, 1 when a present policy, or the lock, lacks an observed target; 3 when a policy is incomplete.

    Raises:
        CliError: something cannot be read, written or understood.
    """
    gc.disable()  # a log is read into objects without cycles: to look for some takes a third of the time
    try:
        return _run(where, options, json=json)
    finally:
        gc.enable()


def _run(where: Where, options: Learn, *, json: bool) -> int:
    present = _present(options, json=json)
    locked = learned_lock.read(options.lock) if options.check and options.lock else None
    observed, notes = _observe(where)
    logs = sorted(observed.functions.values(), key=lambda log: log.key)
    choices = Choices(options.granted, options.accept, options.packages or options.lock is not None)
    results = [make_result(log, present, choices) for log in watch(logs, "functions")]
    check_accepted(options.accept, results)
    unknown = [present.hint(each.learned.key.function) for each in results if each.present is None]
    if options.form == "diff" and any(unknown):
        raise CliError("; ".join(unknown))
    notes += [*filter(None, unknown), *_offer_assembly(where, options)]
    if locked is not None:
        return LACKING if learned_lock.check(locked, results, notes, json=json) else 0
    if options.check:
        return LACKING if show_check(results, notes, json=json) else 0
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
        notes += [f"{each.name}: incomplete: {reason}" for each in results for reason in each.learned.incomplete]
        notes += [f"{each.name}: {note}" for each in results for note in each.learned.notes]
        notes += [text for each in results for text in completing_commands(each)]
    for note in notes:
        terminal.note(note)
    return status


def _present(options: Learn, *, json: bool) -> Present:
    """The present policies. Raises CliError where options do not go together."""
    is_given = bool(options.policy or options.assembly)
    wrong = {
        "give --policy or --assembly: not both": options.policy and options.assembly,
        "--check compares with --lock, or with --policy or --assembly: check one after the other": (
            options.check and options.lock and is_given
        ),
        "--check compares with the present policy: give --policy FILE or --assembly cdk.out, or --lock": (
            options.check and not (is_given or options.lock)
        ),
        "--format diff compares with the present policy: give --policy FILE or --assembly cdk.out": (
            options.form == "diff" and not is_given
        ),
        "--place names a function of --assembly": options.places and not options.assembly,
    }
    writes = [name for name, given in (("--format", options.form != "table"), ("--output", options.output)) if given]
    shows = [name for name, given in (("--check", options.check), ("--json", json)) if given]
    if writes and shows:
        raise CliError(f"{writes[0]} formats a written policy, and {shows[0]} writes none: remove one of them")
    for text in (text for text, applies in wrong.items() if applies):
        raise CliError(text)
    if options.assembly:
        return InAssembly(options.assembly, pairs("--place", options.places))
    return Present(options.policy)


def _offer_assembly(where: Where, options: Learn) -> list[str]:
    """The option for a `cdk.out` beside a log, or in the current folder: it is not used unasked, as it may be old."""
    if options.policy or options.assembly or options.granted or options.lock:
        return []
    folders = dict.fromkeys([*(Path(file).parent for file in where.files if file != STDIN), Path()])
    found = [each / "cdk.out" for each in folders if (each / "cdk.out" / "manifest.json").is_file()]
    return [f"{found[0]} has the present policies: add --assembly {shlex.quote(str(found[0]))}"] if found else []


def _observe(where: Where) -> tuple[Observed, list[str]]:
    found = source_of(where, SINCE).ask([queries.observed])
    observed, notes = observed_of(found.rows[0]), list(found.notes)
    if observed.malformed:
        notes.append(f"{observed.malformed:,} lines of the shield do not match its schema: they are left out")
    if not observed.functions:
        raise CliError("; ".join([*notes, _NONE]))
    if not (observed.whole and found.whole):
        raise CliError("; ".join([*notes, _PART]))
    return observed, notes
