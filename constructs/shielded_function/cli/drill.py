"""`shielded-function drill`: real supply-chain incidents against one function of a `cdk.out`.

Each is played twice in the emulated Lambda, unshielded and with the function's own policy. Nothing leaves the machine.
"""

from __future__ import annotations

import json as json_module
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import run as runs
from .errors import CliError
from .options import Drill, OneFunction
from .progress import live
from .terminal import FoldingTable, cell, note

if TYPE_CHECKING:
    from shielded_function_emulator.cloud_assembly import CloudAssembly, FunctionPlace, Known
    from shielded_function_emulator.incidents import Incident
    from shielded_function_emulator.incidents.drilling import Played, Step

DIFFERS = 1
"""Exit status: an outcome is not the one that --expect names. 0: none differs; 2: an incident could not be played."""
_AT_ONCE = 4  # a sandbox waits for the disk most of the time
_STYLES = {"stopped": "green", "partly": "yellow", "passed": "red"}


class Alarmed(NamedTuple):
    """An alarm that would fire, and the actions that it calls."""

    alarm: str
    actions: tuple[str, ...]


class Result(NamedTuple):
    """The outcome of one incident."""

    played: Played
    alarms: tuple[Alarmed, ...]


def run(function: OneFunction, options: Drill, *, json: bool) -> int:
    """Plays the incidents and prints their outcomes, or lists them; returns the exit status.

    Raises:
        CliError: an incident could not be played.
    """
    if options.listing:
        return _show(json=json)
    directory, name = runs.named("drill", function)
    with runs.errors():
        chosen = _chosen(options.incidents)
        expected = _expected(options.expect)
        place, results = _play(directory, name, runs.known(function), chosen)
    differences = [
        f"{result.played.incident.id}: expected {expected[result.played.incident.id]}, it is {result.played.outcome}"
        for result in results
        if expected.get(result.played.incident.id, result.played.outcome) != result.played.outcome
    ]
    if json:
        print(json_module.dumps(to_json(place, results, differences), indent=2))
    else:
        console = _console()
        console.print(table_of(results))
        for text in (*lines_of(results), *(f"differs: {each}" for each in differences)):
            console.print(cell(text))
    return DIFFERS if differences else 0


def _show(*, json: bool) -> int:
    """Lists the incidents, with the behaviour and the source of each; always 0."""
    from shielded_function_emulator.incidents import incidents

    known = list(incidents().values())
    if json:
        print(json_module.dumps({"incidents": [_facts(each) for each in known]}, indent=2))
        return 0
    table = FoldingTable("incident", "year", "behaviour then, and source", show_lines=True)
    for each in known:
        table.add_row(cell(each.id), cell(year(each)), _lines(each.did, each.source))
    _console().print(table)
    return 0


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else 80)


def year(incident: Incident) -> str:
    """The year of the incident; a dash where it has none."""
    return str(incident.year or "-")


def _chosen(wanted: Sequence[str]) -> list[Incident]:
    from shielded_function_emulator.incidents import find, incidents

    return [find(each) for each in dict.fromkeys(wanted or incidents())]


def _expected(file: Path | None) -> Mapping[str, str]:
    """The expected outcomes by incident; an unknown incident or outcome is an error."""
    from shielded_function_emulator.incidents import find, read_toml
    from shielded_function_emulator.incidents.drilling import OUTCOMES

    found = read_toml(file) if file else {}
    for incident, outcome in found.items():
        find(incident)
        if outcome not in OUTCOMES:
            raise CliError(f"{file}: {incident}: {outcome!r} is not one of {', '.join(OUTCOMES)}")
    return found


def _play(directory: Path, name: str, known: Known, chosen: Sequence[Incident]) -> tuple[FunctionPlace, list[Result]]:
    from shielded_function_emulator import interface_emulator, trial
    from shielded_function_emulator.cloud_assembly import CloudAssembly
    from shielded_function_emulator.incidents.drilling import play
    from shielded_function_emulator.incidents.staging import language_of

    assembly = CloudAssembly(directory)
    place = assembly.find(name)
    package = assembly.package(place, known)
    language_of(package.runtime)
    if not trial.is_shielded(package):
        raise CliError(f"{place} has no shield: there is nothing to drill")
    interface_emulator.provide(note)
    runtime = trial.runtime_for(package.runtime, note, live())
    results: list[Result] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for number, played in enumerate(pool.map(lambda incident: play(incident, package, runtime), chosen), 1):
            note(f"{played.incident.id}: {played.outcome} ({number} of {len(chosen)})")
            results.append(Result(played, _alarms(assembly, place, known.values, played)))
    return place, results


def _alarms(
    assembly: CloudAssembly, place: FunctionPlace, values: Mapping[str, str], played: Played
) -> tuple[Alarmed, ...]:
    """The alarms of the app, in any stack, that the shielded run sets off."""
    from shielded_function.errors import ShieldError
    from shielded_function.simulation import simulate_cloudwatch
    from shielded_function_monitoring.simulated.log_events import LogEvent

    if not played.log:
        return ()
    stack = assembly.resolver(place.stack)
    try:
        cloudwatch = simulate_cloudwatch(assembly.directory, account=stack.account, region=stack.region, values=values)
    except ShieldError as error:
        raise CliError(f"the template's alarms cannot be evaluated here: {error}") from error
    wanted = place.path or place.logical_id
    groups = [one.log_group for one in cloudwatch.functions if wanted in (one.place.path, one.place.logical_id)]
    if not groups:
        raise CliError(f"{place}: the template's alarms cannot be evaluated here: its log group's name is unknown")
    at = played.log[-1].time
    cloudwatch.evaluate(at)
    cloudwatch.put_log_events(groups[0], [LogEvent(line.time, line.message) for line in played.log])
    fired = [change for change in cloudwatch.evaluate(at) if change.state == "ALARM" and not change.contributor]
    return tuple(Alarmed(change.alarm.name, tuple(call.action for call in change.notifications)) for change in fired)


def to_json(place: FunctionPlace, results: Sequence[Result], differences: Sequence[str]) -> dict[str, Any]:
    """The stable JSON form: the function and the facts of each incident."""
    from shielded_function_emulator.incidents import BEHAVIOURS

    return {
        "function": place.path or place.logical_id,
        "incidents": [
            {
                **_facts(played.incident),
                "outcome": played.outcome,
                "behaviours": [
                    {
                        "behaviour": step.behaviour.title,
                        "unshielded": f"happened: {BEHAVIOURS[step.behaviour.do].proof}",
                        "shielded": "happened" if step.happened else "stopped",
                        "stopped_by": step.stopped_by,
                        "reported_by": step.reported_by,
                    }
                    for step in played.steps
                ],
                "alarms": [alarmed._asdict() for alarmed in alarms],
            }
            for played, alarms in results
        ],
        "summary": summary(results),
        "differences": list(differences),
    }


def _facts(incident: Incident) -> dict[str, Any]:
    names = ("id", "name", "year", "ecosystem", "package", "did", "source", "differs")
    return {name: getattr(incident, name) or None for name in names}


def table_of(results: Sequence[Result]) -> Table:
    """A row for each incident: its behaviours, and the control that stopped each."""
    table = FoldingTable("incident", "outcome", "behaviours, and their outcomes", show_lines=True)
    for played, _ in results:
        texts = [f"{step.behaviour.title}: {outcome_of(step)}" for step in played.steps] or [played.incident.differs]
        outcome = cell(played.outcome)
        outcome.stylize(_STYLES.get(played.outcome, ""))
        table.add_row(_lines(played.incident.id, year(played.incident)), outcome, _lines(*texts))
    return table


def _lines(*texts: str) -> Text:
    return Text("\n", overflow="fold").join(map(cell, texts))


def outcome_of(step: Step) -> str:
    """The control that stopped it, or that it happened."""
    if not step.happened:
        return f"stopped by {', '.join(step.stopped_by)}"
    return f"happened, reported by {', '.join(step.reported_by)}" if step.reported_by else "happened"


def lines_of(results: Sequence[Result]) -> list[str]:
    """The lines below the table: the summary, and the alarms with their actions."""
    fired: dict[Alarmed, list[str]] = {}
    for played, alarms in results:
        for alarmed in alarms:
            fired.setdefault(alarmed, []).append(played.incident.id)
    quiet = [played.incident.id for played, alarms in results if played.steps and not alarms]
    lines = [summary(results)]
    if any(played.steps for played, _ in results):
        lines.append("Unshielded, each of these behaviours happened: see --json for the proof.")
    for (alarm, actions), ids in fired.items():
        lines.append(f"{alarm} fires for {', '.join(ids)}")
        lines += [f"  it calls {action}" for action in actions] or ["  it has no action: add one"]
    return lines + ([f"no alarm fires for {', '.join(quiet)}"] if quiet else [])


def summary(results: Sequence[Result]) -> str:
    """`Of 12 incidents, 11 are replayed: the shield stops 9, stops 1 in part, and lets 1 pass.`"""
    real = [played for played, _ in results if played.incident.year] or [played for played, _ in results]
    count = Counter(played.outcome for played in real)
    text = (
        f"Of {len(real)} incidents, {len(real) - count['not run']} are replayed: the shield stops {count['stopped']}, "
    )
    return text + f"stops {count['partly']} in part, and lets {count['passed']} pass."
