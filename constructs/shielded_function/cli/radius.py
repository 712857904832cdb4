"""The blast radius of a malicious package in each function, as a table for `audit --all`, and for the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from shielded_function.checks.assembly import AssemblyError, read_assembly
from shielded_function_monitoring.reporting import Reach

from .blast_radius import WIDTHS, Radius, Reached, radii_of
from .errors import CliError
from .terminal import FoldingTable


def reach_of(directory: Path) -> list[Reach]:
    """The rows of a report for a cloud assembly, the widest first.

    Raises:
        CliError: the folder is no cloud assembly.
    """

    try:
        radii = radii_of(read_assembly(directory))
    except AssemblyError as error:
        raise CliError(str(error)) from error

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
        for each in radii
    ]


def table_of(radii: Sequence[Radius]) -> Table:
    """A row for each function, with its rank."""
    table = FoldingTable("", "blast radius of a malicious package", show_lines=True)
    table.title, table.title_justify = "Blast radius, the widest first", "left"
    for rank, radius in enumerate(radii, start=1):
        lines = [f"[dim]{what}:[/] {escape(text)}" for what, text in _lines(radius)]
        table.add_row(str(rank), "\n".join([f"[bold]{escape(radius.place.path)}[/]", *lines]))
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
