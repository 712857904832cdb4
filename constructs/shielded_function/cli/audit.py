"""`shielded-function audit`: the checks of a folder that `cdk synth` wrote, without running the CDK app."""

from __future__ import annotations

import json as json_module
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shielded_function.checks.assembly import AssemblyError, read_assembly
from shielded_function.checks.checking import Report, check
from shielded_function.checks.comparing import Change, compare
from shielded_function.checks.finding import Finding
from shielded_function.checks.model import LambdaFunction
from shielded_function.checks.sarif import to_sarif
from shielded_function.errors import ShieldError
from shielded_function.other_code import out_of_scope
from shielded_function.policy.dates import read_day
from shielded_function_monitoring.cfn.template import Place

from .blast_radius import as_json, radii_of
from .errors import CliError
from .radius import table_of
from .terminal import FoldingTable

_STYLES = {"error": "bold red", "warning": "yellow"}
_STDOUT = "-"
_WIDTH = 160
_NO_DAY = "no day"


def run(
    directory: Path,
    *,
    against: Path | None,
    production: Sequence[str],
    perimeter: Sequence[str] = (),
    strict: bool,
    json: bool,
    sarif: str | None,
    show_all: bool = False,
    today: str | None = None,
) -> int:
    """Checks a cloud assembly, and prints the findings.

    Args:
        directory: the folder, `cdk.out`.
        against: an earlier one, to find policies that became looser.
        production: path globs of production functions.
        perimeter: path globs of functions that a `ShieldPerimeter` must cover.
        strict: also fail on a warning.
        json: print JSON instead of tables.
        sarif: write SARIF 2.1.0 to this file; `-` prints it instead of tables.
        show_all: also list code that runs outside Lambda, and the blast radius of each function.
        today: the day of the check, `2027-01-31`; by default that of the clock, in UTC.

    Returns:
        0, or 1 when there is an error, a warning under `strict`, or something became looser.

    Raises:
        CliError: a folder is no cloud assembly, `today` is no day, or the SARIF file cannot be written.
    """
    if json and sarif == _STDOUT:
        raise CliError("--json and --sarif - both print: give --sarif a file")
    try:
        day = read_day("--today", today) if today else ""
        report = check(read_assembly(directory), production, perimeter, today=day)
        changes = compare(read_assembly(against), report.assembly) if against is not None else []
    except AssemblyError as error:
        raise CliError(str(error)) from error
    except ShieldError as error:
        raise CliError(str(error)) from error
    if sarif is not None:
        _write_sarif(sarif, to_sarif(report, changes, lambda place: _line_of(directory, place)))
    if json:
        print(json_module.dumps(_as_json(report, changes), indent=2))
    elif sarif != _STDOUT:
        _print(report, changes, against)
        if show_all:
            _print_out_of_scope(report)
            _console().print(table_of(radii_of(report.assembly)), highlight=False)
    failing = report.findings if strict else report.errors
    return 1 if failing or any(change.is_looser for change in changes) else 0


def _console() -> Console:
    # Logs of CI are wider than rich's default of 80 columns without a terminal.
    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH)


def _print(report: Report, changes: Sequence[Change], against: Path | None) -> None:
    console = _console()
    if report.findings:
        console.print(_findings_table(report.findings))
    if against is not None:
        console.print(_changes_table(changes, against) if changes else f"Nothing changed since {escape(str(against))}.")
    if report.acknowledged:
        console.print(_reasons_table("Acknowledged", [_acknowledged_row(found) for found in report.acknowledged]))
    left_out = [(function.place.path, function.left_out) for function in report.excused if not function.cdk_handler]
    left_out += [(other.place.path, other.left_out) for other in report.assembly.others if other.left_out]
    if left_out:
        console.print(_reasons_table("Left out", left_out))
    if report.temporary:
        console.print(_temporary_table(report))
    if report.note:
        console.print(report.note, highlight=False, soft_wrap=True, markup=False)
    console.print(_summary(report), highlight=False, soft_wrap=True)


def _print_out_of_scope(report: Report) -> None:
    """One row for each kind of code, for any number of its resources."""
    where: dict[str, list[str]] = {}
    for runs, place in _out_of_scope(report):
        where.setdefault(runs, []).append(place.path)
    table = FoldingTable("code", "where", title="Out of scope: code that is not on Lambda", title_justify="left")
    for runs, paths in where.items():
        table.add_row(runs, escape("\n".join(paths)))
    _console().print(table if where else "Out of scope: no known kind of code.", highlight=False)


def _out_of_scope(report: Report) -> list[tuple[str, Place]]:
    return [
        (runs, template.place(logical_id))
        for template in report.assembly.templates
        for name in template.types
        for logical_id, properties in template.of_type(name)
        if (runs := out_of_scope(name, properties))
    ]


def _summary(report: Report) -> str:
    functions = report.assembly.functions
    others = report.assembly.others
    own = [function for function in report.excused if function.cdk_handler]
    errors = len(report.errors)
    counts = [
        f"{len(functions)} functions",
        *([f"{len(others)} others that run code or bring functions"] if others else []),
        f"{len(report.shielded)} shielded",
        f"{len(report.excused) - len(own) + sum(bool(other.left_out) for other in others)} left out",
        f"{len(own)} of the CDK's own",
        f"{errors} errors",
        f"{len(report.findings) - errors} warnings",
        f"{len(report.acknowledged)} acknowledged",
    ]
    return ", ".join(counts)


def _findings_table(findings: Sequence[Finding]) -> Table:
    """One row for each problem, with all functions that share it."""
    headings = ("", "rule", "where", "problem and fix")
    table = FoldingTable(*headings, title="Findings", title_justify="left", show_lines=True)
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for found in findings:
        groups.setdefault((found.severity, found.rule, found.problem, found.fix), []).append(found.place.path)
    for (severity, rule, problem, fix), paths in groups.items():
        table.add_row(
            f"[{_STYLES[severity]}]{severity}[/]",
            escape(rule),
            escape("\n".join(paths)),
            f"{escape(problem)}\n[dim]{escape(fix)}[/]",
        )
    return table


def _changes_table(changes: Sequence[Change], against: Path) -> Table:
    table = FoldingTable("", "where", "what", title=f"Changes since {escape(str(against))}", title_justify="left")
    for change in changes:
        style = "bold red" if change.is_looser else "dim"
        table.add_row(f"[{style}]{change.kind}[/]", escape(change.place.path), escape("\n".join(change.details)))
    return table


def _reasons_table(title: str, rows: Sequence[tuple[str, str]]) -> Table:
    table = FoldingTable("where", "reason", title=title, title_justify="left")
    for where, reason in rows:
        table.add_row(escape(where), escape(reason))
    return table


def _temporary_table(report: Report) -> Table:
    """Temporary settings by end date; functions with the same settings share a row."""
    table = FoldingTable("until", "what", "where", "reason", title="To end", title_justify="left")
    groups: dict[tuple[str, str, str, bool], list[str]] = {}
    for each in report.temporary:
        key = each.until or _NO_DAY, each.what, each.reason, each.is_expired(report.today)
        groups.setdefault(key, []).append(each.place.path)
    for (until, what, reason, expired), paths in groups.items():
        day = f"[{_STYLES['warning']}]{until}, over[/]" if expired and until != _NO_DAY else until
        table.add_row(day, escape(what), escape("\n".join(paths)), escape(reason))
    return table


def _acknowledged_row(finding: Finding) -> tuple[str, str]:
    assert finding.acknowledged is not None, "only acknowledged findings are listed here"
    return f"{finding.place.path}: {finding.rule}", finding.acknowledged.reason


def _as_json(report: Report, changes: Sequence[Change]) -> dict[str, Any]:
    return {
        "assembly": report.assembly.name,
        "functions": [_function_as_json(function) for function in report.assembly.functions],
        "other_code": [
            {**vars(other.place), "problem": other.kind.why, "left_out": other.left_out or None}
            for other in report.assembly.others
        ],
        "out_of_scope": [{**vars(place), "runs": runs} for runs, place in _out_of_scope(report)],
        "findings": [_finding_as_json(finding) for finding in report.findings],
        "acknowledged": [_finding_as_json(finding) for finding in report.acknowledged],
        "radius": [as_json(each) for each in radii_of(report.assembly)],
        "temporary": [
            {
                **vars(each.place),
                "what": each.what,
                "until": each.until or None,
                "reason": each.reason or None,
                "expired": each.is_expired(report.today),
            }
            for each in report.temporary
        ],
        "changes": [
            {"kind": change.kind, "looser": change.is_looser, **vars(change.place), "details": change.details}
            for change in changes
        ],
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


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        **vars(finding.place),
        "problem": finding.problem,
        "fix": finding.fix,
        "locations": finding.locations,
        "acknowledged": vars(finding.acknowledged) if finding.acknowledged else None,
    }


def _write_sarif(target: str, content: Mapping[str, Any]) -> None:
    text = json_module.dumps(content, indent=2) + "\n"
    if target == _STDOUT:
        sys.stdout.write(text)
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(f"{target} cannot be written: {error.strerror}") from error


def _line_of(directory: Path, place: Place) -> int:
    """The line on which a resource begins; 1 where it is unknown."""
    lines = _lines(directory / place.template)
    wanted = f"{json_module.dumps(place.logical_id)}: {{"
    return next((number for number, line in enumerate(lines, 1) if line.strip() == wanted), 1)


@cache
def _lines(file: Path) -> Sequence[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()
