"""`shielded-function drill`: real supply-chain incidents against one function of a `cdk.out`.

Each is played twice in the emulated Lambda, unshielded and with the function's own policy. Nothing leaves the machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from shielded_function_monitoring.learning.evidence import times

from . import run as runs
from .failures import NO, CliError
from .options import Drill, OneFunction
from .progress import live
from .terminal import cell, console, note, print_json, stacked, table

if TYPE_CHECKING:
    from shielded_function_emulator.cloud_assembly import Known
    from shielded_function_emulator.incidents import Incident
    from shielded_function_emulator.incidents.drilling import Played as Told

_AT_ONCE = 4  # a sandbox waits for the disk most of the time


def run(function: OneFunction, options: Drill, *, json: bool) -> int:
    """Plays the incidents and prints their outcomes, or lists them; returns 1 where one is not as --expect names it.

    Raises:
        CliError: an incident could not be played.
        TemplateError: the template's alarms cannot be evaluated here.
    """
    if options.listing:
        return _show(json=json)
    directory, name = runs.named("drill", function)
    with runs.errors():
        from shielded_function_emulator.incidents import find, incidents

        chosen = [find(each) for each in dict.fromkeys(options.incidents or incidents())]
        expected = _expected(options.expect)
        called, told = _play(directory, name, runs.known(function), chosen)
    differences = [
        f"{each['id']}: expected {expected[each['id']]}, it is {each['outcome']}"
        for each in told
        if expected.get(each["id"], each["outcome"]) != each["outcome"]
    ]
    if json:
        print_json({"function": called, "incidents": told, "summary": summary(told), "differences": differences})
    else:
        out = console()
        rows = [
            (
                stacked([each["id"], str(each["year"] or "-")]),
                each["outcome"],
                stacked([f"{one['behaviour']}: {_outcome(one)}" for one in each["behaviours"]] or [each["differs"]]),
            )
            for each in told
        ]
        out.print(table("", ("incident", "outcome", "behaviours, and their outcomes"), rows, lines=True))
        for text in (*_lines(told), *(f"differs: {each}" for each in differences)):
            out.print(cell(text))
    return NO if differences else 0


def _show(*, json: bool) -> int:
    """Lists the incidents, with the behaviour and the source of each; always 0."""
    from shielded_function_emulator.incidents import facts_of, incidents

    known = [facts_of(each) for each in incidents().values()]
    if json:
        print_json({"incidents": known})
    else:
        rows = [(each["id"], str(each["year"] or "-"), stacked([each["did"], each["source"]])) for each in known]
        console().print(table("", ("incident", "year", "behaviour then, and source"), rows, lines=True))
    return 0


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


def _play(directory: Path, name: str, known: Known, chosen: Sequence[Incident]) -> tuple[str, list[Told]]:
    """The function's name for people, and the incidents."""
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
    told: list[Told] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for played, log in pool.map(lambda incident: play(incident, package, runtime), chosen):
            note(f"{played['id']}: {played['outcome']} ({len(told) + 1} of {len(chosen)})")
            alarms = trial.alarms_of(assembly, place, package.name, log, known.values) if log else ()
            fired = [{"alarm": each.name, "actions": each.actions} for each in alarms if each.after == "ALARM"]
            told.append({**played, "alarms": fired})
    return place.path or place.logical_id, told


def _outcome(behaviour: Told) -> str:
    """The control that stopped it, or that it happened."""
    if behaviour["stopped_by"]:
        return f"stopped by {', '.join(behaviour['stopped_by'])}"
    return f"happened, reported by {', '.join(behaviour['reported_by'])}" if behaviour["reported_by"] else "happened"


def _lines(told: Sequence[Told]) -> list[str]:
    """The lines below the table: the summary, and the alarms with their actions."""
    fired: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for each in told:
        for one in each["alarms"]:
            fired.setdefault((one["alarm"], one["actions"]), []).append(each["id"])
    quiet = [each["id"] for each in told if each["behaviours"] and not each["alarms"]]
    lines = [summary(told)]
    if any(each["behaviours"] for each in told):
        lines.append("Unshielded, each of these behaviours happened: see --json for the proof.")
    for (alarm, actions), ids in fired.items():
        lines.append(f"{alarm} fires for {', '.join(ids)}")
        lines += [f"  it calls {action}" for action in actions]
    if silent := [alarm for alarm, actions in fired if not actions]:
        lines.append(f"No action runs on {' and '.join(dict.fromkeys(silent))}: add one.")
    return lines + ([f"no alarm fires for {', '.join(quiet)}"] if quiet else [])


def summary(told: Sequence[Told]) -> str:
    """`Of 25 incidents, 23 are replayed: the shield stops 22, ... replayed as imports: 11.`"""
    real = [each for each in told if each["year"]] or told
    count = Counter(each["outcome"] for each in real)
    played = len(real) - count["not run"]
    return (
        f"Of {times(len(real), 'incident')}, {played} {'is' if played == 1 else 'are'} replayed: the shield stops "
        f"{count['stopped']}, stops {count['partly']} in part, and lets {count['passed']} pass. Originals that were "
        f"install scripts, replayed as imports: {sum(each['when'] == 'install' for each in real)}."
    )
