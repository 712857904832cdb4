"""`shielded-function audit`: the checks of a folder that `cdk synth` wrote, without running the CDK app."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from json import dumps
from linecache import getlines
from pathlib import Path
from typing import Any

from rich.text import Text

from shielded_function.checks.checking import Report, check
from shielded_function.checks.cloud_assembly import read_assembly
from shielded_function.checks.differences import Change, compare
from shielded_function.checks.sarif import to_sarif
from shielded_function.checks.templates import LambdaFunction
from shielded_function.perimeter.walls import summary_of
from shielded_function.policy.dates import read_day
from shielded_function.reading.other_code import out_of_scope
from shielded_function_monitoring.cfn.template import Place
from shielded_function_monitoring.visible import visible

from .blast_radius import as_json, radii_of, table_of
from .failures import NO, STDOUT, CliError, write_file
from .options import Audit
from .terminal import Cells, console, flat, print_json, stacked, table


def run(options: Audit, *, json: bool = False) -> int:
    """Checks a cloud assembly, and prints the findings.

    Returns:
        0, or 1 when there is an error, a warning under `strict`, or something became looser.

    Raises:
        ShieldError: a folder is no cloud assembly, `today` is no day, or the SARIF file cannot be written.
    """
    if json and options.sarif == STDOUT:
        raise CliError("--json and --sarif - both print: give --sarif a file")
    day = read_day("--today", options.today) if options.today else ""
    report = check(read_assembly(options.directory), options.production, options.perimeter, today=day)
    changes = compare(read_assembly(options.against), report.assembly) if options.against is not None else []
    if options.sarif is not None:
        sarif = to_sarif(report, changes, partial(_line_of, options.directory))
        write_file(options.sarif, dumps(sarif, indent=2) + "\n")
    if json:
        print_json(_as_json(report, changes))
    elif options.sarif != STDOUT:
        _print(report, changes, options)
    failing = report.findings if options.strict else report.errors
    return NO if failing or any(change.is_looser for change in changes) else 0


def _print(report: Report, changes: Sequence[Change], options: Audit) -> None:
    screen = console()
    changed = [(change.kind, change.place.path, stacked(change.details)) for change in changes]
    of_rule = ((f"{each.place.path}: {each.rule}", each.acknowledged) for each in report.acknowledged)
    accepted = [(rule, acknowledged.reason) for rule, acknowledged in of_rule if acknowledged]
    tables: list[tuple[str, Sequence[str], list[Cells]]] = [
        ("Findings", ("", "rule", "where", "problem and fix"), list(_findings(report))),
        (f"Changes since {options.against}", ("", "where", "what"), [*changed]),
        ("Acknowledged", ("where", "reason"), [*accepted]),
        ("Left out", ("where", "reason"), [(each.place.path, each.left_out) for each in _left_out(report)]),
        ("To end", ("until", "what", "where", "reason"), list(_temporary(report))),
    ]
    for title, headings, rows in tables:
        if rows:
            screen.print(table(title, headings, rows, lines=title == "Findings"))
    if options.against is not None and not changes:
        screen.print(Text(f"Nothing changed since {options.against}."))
    for text in filter(None, (report.note, _summary(report))):
        screen.print(Text(text), soft_wrap=True)
    if options.every:
        other = list(_together((runs, place.path) for runs, place in _out_of_scope(report)))
        title = "Out of scope: code that is not on Lambda"
        screen.print(table(title, ("code", "where"), other) if other else "Out of scope: no known kind of code.")
        radii = radii_of(report.assembly)
        screen.print(table_of(radii))
        for text in summary_of({each.place.path: each.wall for each in radii}):
            screen.print(Text(text))


def _together(rows: Iterable[tuple[Hashable, str]]) -> Iterator[tuple[Any, Text]]:
    """Each text of several places once, with their paths in one cell."""
    paths: dict[Hashable, list[str]] = {}
    for what, path in rows:
        paths.setdefault(what, []).append(path)
    return ((what, stacked(found)) for what, found in paths.items())


def _findings(report: Report) -> Iterator[Cells]:
    rows = (((each.severity, each.rule, each.problem, each.fix), each.place.path) for each in report.findings)
    for (severity, rule, problem, fix), where in _together(rows):
        yield severity, rule, where, stacked((problem, Text(visible(fix), "dim")))


def _temporary(report: Report) -> Iterator[Cells]:
    """Temporary settings by end date; functions with the same settings share a row."""
    rows = (
        ((each.until, each.what, each.reason, each.is_expired(report.today)), each.place.path)
        for each in report.temporary
    )
    for (until, what, reason, expired), where in _together(rows):
        day = Text(f"{until}, over", "yellow") if expired and until else until or "no day"
        yield day, what, where, reason


def _left_out(report: Report) -> list[Any]:
    functions = [function for function in report.excused if not function.cdk_handler]
    return [*functions, *(other for other in report.assembly.others if other.left_out)]


def _out_of_scope(report: Report) -> list[tuple[str, Place]]:
    return [
        (runs, template.place(logical_id))
        for template in report.assembly.templates
        for name in template.types
        for logical_id, properties in template.of_type(name)
        if (runs := out_of_scope(name, properties))
    ]


def _summary(report: Report) -> str:
    others, errors = len(report.assembly.others), len(report.errors)
    counts = (
        f"{len(report.assembly.functions)} functions",
        f"{others} others that run code or bring functions" if others else "",
        f"{len(report.shielded)} shielded",
        f"{len(_left_out(report))} left out",
        f"{sum(bool(function.cdk_handler) for function in report.excused)} of the CDK's own",
        f"{errors} errors",
        f"{len(report.findings) - errors} warnings",
        f"{len(report.acknowledged)} acknowledged",
    )
    return ", ".join(filter(None, counts))


def _as_json(report: Report, changes: Sequence[Change]) -> dict[str, Any]:
    findings, acknowledged = (
        [flat(each, acknowledged=vars(each.acknowledged) if each.acknowledged else None) for each in found]
        for found in (report.findings, report.acknowledged)
    )
    return {
        "assembly": report.assembly.name,
        "functions": [_function_as_json(function) for function in report.assembly.functions],
        "other_code": [
            {**vars(other.place), "problem": other.kind.why, "left_out": other.left_out or None}
            for other in report.assembly.others
        ],
        "out_of_scope": [{**vars(place), "runs": runs} for runs, place in _out_of_scope(report)],
        "findings": findings,
        "acknowledged": acknowledged,
        "radius": [as_json(each) for each in radii_of(report.assembly)],
        "temporary": [
            flat(each, until=each.until or None, reason=each.reason or None, expired=each.is_expired(report.today))
            for each in report.temporary
        ],
        "changes": [flat(change, looser=change.is_looser) for change in changes],
    }


def _function_as_json(function: LambdaFunction) -> dict[str, Any]:
    policy = function.policy.policy
    settings: Mapping[str, str] | None = policy.to_env() if policy and function.is_shielded else None
    return {
        **vars(function.place),
        "runtime": function.runtime or ("container image" if function.is_image else None),
        "shielded": function.is_shielded,
        "policy": settings,
        "known_at_deployment": function.policy.late,
        "left_out": function.left_out or None,
        "cdk_handler": function.cdk_handler or None,
    }


def _line_of(directory: Path, place: Place) -> int:
    """The line on which a resource begins; 1 where it is unknown."""
    wanted = f"{dumps(place.logical_id)}: {{"
    lines = enumerate(getlines(str(directory / place.template)), 1)
    return next((number for number, line in lines if line.strip() == wanted), 1)
