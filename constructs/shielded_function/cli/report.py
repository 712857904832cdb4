"""`shielded-function report`: one page of violations, new ones, and shielded functions."""

from __future__ import annotations

import json as json_module
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Final

from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.learning import observed_of
from shielded_function_monitoring.reporting import Previous, Report, build, previous_from_json, report_to_json, to_html

from . import terminal
from .failures import FOUND, NOT_WHOLE, STDOUT, CliError, read_file, write_file
from .options import Page, Where
from .sources import iso, source_of

SINCE: Final = "7d"
_HOURS_BY_THE_HOUR: Final = 72


def report(where: Where, options: Page, *, json: bool) -> int:
    """Writes the report.

    Returns:
        0; 2 where a limit of Logs Insights left out rows: the page says so; 3 where the log has only counts of some
        violations, so that their targets are unknown.

    Raises:
        CliError: something cannot be read or written.
    """
    previous = _read_previous(options.previous) if options.previous else None
    source = source_of(where, SINCE)
    span = source.span
    short = span is not None and (span.until - span.since).total_seconds() <= _HOURS_BY_THE_HOUR * 3600
    found = source.ask([queries.observed, partial(queries.timeline, period="1h" if short else "1d")])
    observed = observed_of(found.rows[0])
    observed.whole &= found.whole
    head = Report(iso(datetime.now(timezone.utc)), *source.asked, source.names, notes=found.notes)
    made = build(head, observed, found.rows[1], expected=source.functions, previous=previous)
    output = options.output or (STDOUT if json else "shield-report.html")
    write_file(output, json_module.dumps(report_to_json(made), indent=2) + "\n" if json else to_html(made))
    if output != STDOUT:
        print(output)
    terminal.note(*made.notes)
    if not made.whole:
        return NOT_WHOLE
    return FOUND if any(each.folded for each in made.coverage) else 0


def _read_previous(path: Path) -> Previous:
    text = read_file(f"--previous {path}", str(path))
    try:
        return previous_from_json(json_module.loads(text))
    except ValueError as error:
        raise CliError(f"--previous {path}: {error}") from error
