"""`shielded-function learn`: the least policy for the observed behaviour of functions.

`shielded_function_monitoring.learning` makes the decisions; this module does input and output.
"""

from __future__ import annotations

import gc
from typing import Final

from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.learning import Observed, observed_of

from . import learned_lock, terminal
from .failures import FOUND, NO, CliError
from .learned_files import write
from .learned_output import as_json, completing_commands, print_results, show_check
from .learned_policy import Choices, Result, check_accepted, make_result
from .options import Learn, Where
from .present import InAssembly, Present
from .progress import Progress
from .run import pairs
from .sources import source_of

SINCE: Final = "14d"


def run(where: Where, options: Learn, *, json: bool) -> int:
    """Learns, and prints or writes the result.

    Returns:
        0; with `check`, 1 when a present policy, or the lock, lacks an observed target; 3 when a policy is incomplete.

    Raises:
        CliError: something cannot be read, written or understood.
    """
    gc.disable()  # for the process: the log's objects have no cycles, and to look for some takes a third of the time
    present = _present(options, json=json)
    locked = learned_lock.read(options.lock) if options.check and options.lock else None
    observed, notes = _observe(where)
    logs = sorted(observed.functions.values(), key=lambda log: log.key)
    choices = Choices(options.granted, options.accept, options.packages or options.lock is not None)
    results: list[Result] = []
    with Progress() as progress:
        for log in logs:
            progress.show(lambda: f"{len(results):,} of {len(logs):,} functions")
            results.append(make_result(log, present, choices))
    check_accepted(options.accept, results)
    notes += filter(None, (present.hint(each.learned.key.function) for each in results if each.present is None))
    if locked is not None:
        return NO if learned_lock.check(locked, results, notes, json=json) else 0
    if options.check:
        return NO if show_check(results, notes, json=json) else 0
    if options.lock:
        learned_lock.write(options.lock, logs, results)
    status = 0 if all(each.is_complete for each in results) else FOUND
    if json:
        terminal.print_json({"notes": notes, "functions": list(map(as_json, results))})
        return status
    if options.form == "table" and options.output is None:
        print_results(results, every=options.every)
    else:
        write(results, options.form, options.output)
        notes += [f"{each.name}: incomplete: {reason}" for each in results for reason in each.learned.incomplete]
        notes += [f"{each.name}: {note}" for each in results for note in each.learned.notes]
        notes += [text for each in results for text in completing_commands(each)]
    terminal.note(*notes)
    return status


def _present(options: Learn, *, json: bool) -> Present:
    """The present policies. Raises CliError where options do not go together."""
    is_given = bool(options.policy or options.assembly)
    writes = "--format" if options.form != "table" else "--output" if options.output else ""
    shows = "--check" if options.check else "--json" if json else ""
    for wrong, said in (
        (writes and shows, f"{writes} formats a written policy, and {shows} writes none: remove one of them"),
        (options.policy and options.assembly, "give --policy or --assembly: not both"),
        (
            options.check and options.lock and is_given,
            "--check compares with --lock, or with --policy or --assembly: check one after the other",
        ),
        (
            options.check and not (is_given or options.lock),
            "--check compares with the present policy: give --policy FILE or --assembly cdk.out, or --lock",
        ),
        (options.places and not options.assembly, "--place names a function of --assembly"),
    ):
        if wrong:
            raise CliError(said)
    if options.assembly:
        return InAssembly(options.assembly, pairs("--place", options.places))
    return Present(options.policy)


def _observe(where: Where) -> tuple[Observed, list[str]]:
    found = source_of(where, SINCE).ask([queries.observed])
    observed, notes = observed_of(found.rows[0]), list(found.notes)
    if observed.malformed:
        notes.append(f"{observed.malformed:,} lines of the shield do not match its schema: they are left out")
    if not observed.functions:
        raise CliError("; ".join([*notes, "learn needs lines of the shield: did the functions run, shielded?"]))
    if not (observed.whole and found.whole):
        raise CliError("; ".join([*notes, "learn needs complete logs: ask for less time, or for single functions"]))
    return observed, notes
