"""`shielded-function test-filter`: tries a metric filter's pattern on lines, and prints why a line does not match."""

from __future__ import annotations

import json as json_module
from collections import Counter
from typing import Any, Final

from shielded_function_monitoring.explaining import why_not
from shielded_function_monitoring.pattern import PatternError
from shielded_function_monitoring.pattern import parse as parse_pattern
from shielded_function_monitoring.visible import visible

from . import terminal
from .errors import CliError
from .log_files import STDIN, read_lines

NONE: Final = 1
"""Exit status: no line matched. 0: one did; 2: the pattern cannot be read."""
_SHOWN: Final = 100


def try_filter(pattern: str, file: str, *, limit: int, json: bool) -> int:
    """Prints which lines match, and why the others do not.

    Args:
        pattern: as CloudWatch takes it.
        file: of lines; `-` is stdin.
        limit: lines to show; all are counted.

    Returns:
        0 when a line matches, 1 when none does.

    Raises:
        CliError: the pattern is not in the subset for JSON, or the file cannot be read.
    """
    try:
        read = parse_pattern(pattern)
        rendered = read.render()
    except PatternError as error:
        raise CliError(str(error)) from error
    if limit < 0:
        raise CliError(f"--limit {limit}: 0 or more")
    shown: list[dict[str, Any]] = []
    blamed: Counter[str] = Counter()
    lines = matched = 0
    for number, line in enumerate(read_lines([file]), 1):
        message = line.rstrip("\r\n")
        lines += 1
        if read.matches(message):
            matched += 1
            failures: tuple[Any, ...] = ()
        else:
            failures = why_not(read, message)
            blamed.update({failure.condition or failure.reason for failure in failures})
        if len(shown) < limit:
            shown.append(
                {"line": number, "matches": not failures, "why_not": list(map(str, failures)), "message": message}
            )
    sums = {"pattern": rendered, "lines": lines, "matched": matched, "blamed": dict(blamed.most_common())}
    if json:
        print(json_module.dumps({**sums, "shown": shown}, indent=2))
    else:
        _print(sums, shown, file)
    return 0 if matched else NONE


def _print(sums: dict[str, Any], shown: list[dict[str, Any]], file: str) -> None:
    screen = terminal.console()
    rows = [
        (str(each["line"]), "yes" if each["matches"] else "no", "\n".join(each["why_not"]) or _cut(each["message"]))
        for each in shown
    ]
    if rows:
        made = terminal.table("lines", ("line", "matches", "the line, or why not"), (), numbers=("line",))
        for row in rows:
            made.add_row(*(_joined(text) for text in row))
        screen.print(made)
    if sums["lines"] > len(shown):
        screen.print(f"the first {len(shown)} lines are shown")
    for condition, count in sums["blamed"].items():
        screen.print(f"{count:,} lines: {visible(condition)}", markup=False)
    where = "stdin" if file == STDIN else file
    screen.print(
        visible(f"{sums['matched']:,} of {sums['lines']:,} lines of {where} match {sums['pattern']}"),
        markup=False,
    )


def _joined(text: str) -> Any:
    """Adds our line breaks to the untrusted text of a cell."""
    from rich.text import Text

    return Text("\n").join(terminal.cell(part) for part in text.split("\n"))


def _cut(message: str) -> str:
    return message.replace("\n", " ") if len(message) <= _SHOWN else message[:_SHOWN].replace("\n", " ") + "..."
