"""`shielded-function report`: one page of violations, new ones, and shielded functions."""

from __future__ import annotations

import json as json_module
import sys
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.learning import observed_of
from shielded_function_monitoring.reporting import (
    Report,
    ReportError,
    build,
    report_from_json,
    report_to_json,
    to_html,
)

from . import radius, terminal
from .errors import NOT_WHOLE, CliError
from .log_groups import Where
from .sources import Source, source_of
from .times import iso

SINCE: Final = "7d"
INCOMPLETE: Final = 3
"""Exit status: the page is written, and some targets are unknown."""
STDOUT: Final = "-"
_HOURS_BY_THE_HOUR: Final = 72


class Options(NamedTuple):
    """The user's options.

    Attributes:
        json: write JSON.
        output: a file, or `-`; None: stdout for JSON, else `shield-report.html`.
        previous: an earlier report.
        assembly: a `cdk.out`, for the functions' blast radius.
    """

    json: bool = False
    output: str | None = None
    previous: Path | None = None
    assembly: Path | None = None


def report(where: Where, options: Options) -> int:
    """Writes the report.

    Returns:
        0; 2 where a limit of Logs Insights left out rows: the page says so; 3 where the log has only counts of some
        violations, so that their targets are unknown.

    Raises:
        CliError: something cannot be read or written.
    """
    previous = _read_previous(options.previous) if options.previous else None
    reach = radius.reach_of(options.assembly) if options.assembly else ()
    made = replace(make(source_of(where, SINCE), previous), reach=reach)
    _write(json_module.dumps(report_to_json(made), indent=2) + "\n" if options.json else to_html(made), options)
    for note in made.notes:
        terminal.note(note)
    if not made.whole:
        return NOT_WHOLE
    return INCOMPLETE if any(each.folded for each in made.coverage) else 0


def make(source: Source, previous: Report | None = None) -> Report:
    """The report of a source."""
    span = source.span
    short = span is not None and (span.until - span.since).total_seconds() <= _HOURS_BY_THE_HOUR * 3600
    found = source.ask([queries.observed, partial(queries.timeline, period="1h" if short else "1d")])
    observed = observed_of(found.rows[0])
    observed.whole &= found.whole
    since, until = source.asked
    made = build(
        observed,
        found.rows[1],
        made=iso(datetime.now(timezone.utc)),
        since=since,
        until=until,
        sources=source.names,
        expected=source.functions,
        previous=previous,
    )
    return replace(made, notes=(*made.notes, *found.notes))


def _read_previous(path: Path) -> Report:
    try:
        return report_from_json(json_module.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CliError(f"--previous {path} cannot be read: {error.strerror}") from error
    except (ReportError, ValueError) as error:
        raise CliError(f"--previous {path}: {error}") from error


def _write(text: str, options: Options) -> None:
    output = options.output or (STDOUT if options.json else "shield-report.html")
    if output == STDOUT:
        sys.stdout.write(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(f"{output} cannot be written: {error.strerror}") from error
    print(output)
