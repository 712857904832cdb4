"""`shielded-function radius`: the blast radius of a malicious package in each function, as a table or as JSON."""

from __future__ import annotations

import json as json_module
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shielded_function.checks.assembly import AssemblyError, read_assembly
from shielded_function.globs import covers
from shielded_function_monitoring.reporting import Reach

from .blast_radius import WIDTHS, Radius, Reached, as_json, radii_of
from .errors import CliError
from .terminal import FoldingTable

SOME = 10
"""Functions that are shown; `--all` shows every one."""

REMAINS = (
    "Any code can read the role's credentials in the function's environment, and send them wherever data can go. "
    "An attacker with them has all grants of the role, regardless of the policy.",
    "The shield sees the name of an allowed host, not the requests to it.",
    "AWS services, except buckets, have one host for all accounts; endpoint policies (ShieldPerimeter) tell them "
    "apart.",
)
"""Limits that no policy can narrow."""


def run(directory: Path, *, functions: Sequence[str], json: bool, show_all: bool) -> int:
    """Prints the blast radius of each function in a cloud assembly, the widest first; always 0.

    Args:
        directory: the folder, `cdk.out`.
        functions: construct paths, or globs; by default all.
        json: print JSON instead of tables.
        show_all: show every function.

    Raises:
        CliError: the folder is no cloud assembly, or one of `functions` names none.
    """
    radii = _read(directory)
    for glob in functions:
        if not any(covers(glob, each.place.path) for each in radii):
            raise CliError(f"--function {glob}: no function of {directory} has this path")
    chosen = [each for each in radii if not functions or any(covers(glob, each.place.path) for glob in functions)]
    if json:
        result = {"functions": [as_json(each) for each in chosen], "not_narrowed": list(REMAINS)}
        print(json_module.dumps(result, indent=2))
        return 0
    console = Console()
    console.print(table_of(chosen if show_all or functions else chosen[:SOME], radii))
    if len(chosen) > SOME and not (show_all or functions):
        console.print(f"... and {len(chosen) - SOME} more: --all shows them.")
    console.print("\nLimits that no policy can narrow:")
    for each in REMAINS:
        console.print(f"- {each}", highlight=False)
    return 0


def _read(directory: Path) -> list[Radius]:
    try:
        return radii_of(read_assembly(directory))
    except AssemblyError as error:
        raise CliError(str(error)) from error


def reach_of(directory: Path) -> list[Reach]:
    """The rows of a report for a cloud assembly, the widest first.

    Raises:
        CliError: the folder is no cloud assembly.
    """

    def named(resources: Sequence[Reached]) -> list[str]:
        return [f"{each.kind} {each.name}" for each in resources]

    return [
        Reach(
            each.place.path,
            WIDTHS[each.width],
            named([found for found in each.in_reach if found.reads]),
            named([found for found in each.in_reach if found.writes]),
            [f"{found.what}: {found.why}" for found in each.receivers],
            each.narrower,
        )
        for each in _read(directory)
    ]


def table_of(shown: Sequence[Radius], ranked: Sequence[Radius]) -> Table:
    """A row for each of some functions, with its rank among all."""
    table = FoldingTable("", "blast radius of a malicious package", show_lines=True)
    table.title, table.title_justify = "Blast radius, the widest first", "left"
    for radius in shown:
        lines = [f"[dim]{what}:[/] {escape(text)}" for what, text in _lines(radius)]
        rank = str(ranked.index(radius) + 1)
        table.add_row(rank, "\n".join([f"[bold]{escape(radius.place.path)}[/]", *lines]))
    return table


def _lines(radius: Radius) -> Iterator[tuple[str, str]]:
    yield "data can go to", WIDTHS[radius.width]
    if radius.shielded:
        yield "hosts", _shown(radius.hosts)
        yield "AWS", _shown(radius.services)
    yield from _of_role("reads", [each for each in radius.in_reach if each.reads])
    yield from _of_role("writes", [each for each in radius.in_reach if each.writes])
    yield from _of_role("describes", [each for each in radius.in_reach if not (each.reads or each.writes)])
    yield from _of_role("granted, and not admitted", [each for each in radius.resources if not each.admitted])
    for why in radius.untold:
        yield "unknown grants", why
    yield "programs", _shown(radius.programs)
    yield "files in /tmp", _shown(radius.files)
    for each in radius.receivers if radius.shielded else ():
        yield "anybody's data", f"{each.what}: {each.why}"
    for text in radius.narrower:
        yield "narrower", text


def _of_role(what: str, resources: Sequence[Reached]) -> Iterator[tuple[str, str]]:
    if resources:
        yield what, ", ".join(f"{each.kind} {each.name}" for each in resources)


def _shown(entries: Sequence[str]) -> str:
    return "any" if "*" in entries else ", ".join(entries) or "none"
