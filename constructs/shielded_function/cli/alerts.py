"""`shielded-function alerts`: violations, as groups, as lines, or live."""

from __future__ import annotations

import json as json_module
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import chain
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from shielded_function_monitoring import Alert, AlertError, ShieldEvent, parse_line
from shielded_function_monitoring.frames import chain_text
from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.insights.queries import MAX_ROWS, Row
from shielded_function_monitoring.insights.records import Record, Tally, record_of, records
from shielded_function_monitoring.learning.questions import entry_of
from shielded_function_monitoring.learning.rows import observation_of
from shielded_function_monitoring.visible import visible

from . import terminal
from .alert_groups import Group, describe_attempt, groups_of, listing, ways_to_allow
from .aws import call, client, error_code
from .failures import FOUND, NOT_WHOLE, CliError
from .learned_presets import presets_for
from .listed_hosts import ListedHosts
from .log_files import check_files, read_lines
from .log_groups import find_batches
from .options import Alerts, Where
from .sources import Source, notes_of, source_of, span_of
from .terminal import cell

SINCE: Final = "24h"
_PATTERN: Final = "{ $.function_shield IS TRUE }"
_LATE: Final = timedelta(seconds=30)
_PAUSE_SECONDS: Final = 2.0


def alerts(where: Where, options: Alerts, *, json: bool) -> int:
    """Prints the violations.

    Returns:
        0 when there was no violation, 3 when there was one; 2 where a limit of Logs Insights left out rows, or where no
        host of a list was found, and the targets of some violations are unknown.

    Raises:
        CliError: an option is wrong, or the logs cannot be read.
    """
    if options.limit is not None and options.every:
        raise CliError("--limit and --all: give one of them")
    if options.limit is not None and not 1 <= options.limit <= MAX_ROWS:
        raise CliError(f"--limit {options.limit}: 1 to {MAX_ROWS}")
    if options.hosts and (options.group != "target" or options.lines or options.follow):
        raise CliError("--hosts shows groups by target: remove --by, --lines and --follow")
    if options.follow:
        return _follow(where, json=json)
    source = source_of(where, SINCE)
    if options.lines:
        return _show_lines(source, MAX_ROWS if options.every else options.limit or terminal.MOST, json=json)
    return _show_groups(source, options, json=json)


# Groups


def _show_groups(source: Source, options: Alerts, *, json: bool) -> int:
    listed = ListedHosts(options.hosts) if options.hosts else None
    found = source.ask([partial(queries.alerts_by, options.group)])
    rows = listed.choose(found.rows[0]) if listed else found.rows[0]
    most = None if options.every else options.limit or (None if json else terminal.MOST)
    groups, kinds, total = groups_of(options.group, rows, most)
    notes = [*found.notes, *(listed.notes if listed else ())]
    whole = found.whole and not (listed and listed.unknown)
    since, until = source.asked
    if json:
        header = {"since": since, "until": until, "sources": list(source.names), "violations": total}
        header |= {"whole": whole, "notes": notes, "kinds": kinds}
        _print_groups(header, groups)
    else:
        screen = terminal.console()
        if kinds:
            screen.print(listing(options.group, groups, kinds))
        time_asked = f" from {since} to {until}" if since else ""
        at_least = "" if whole else "at least "
        screen.print(f"{at_least}{total:,} violations of {kinds:,} kinds{time_asked}")
        terminal.note(*notes)
    return NOT_WHOLE if not found.whole or not (total or whole) else FOUND if total else 0


def _print_groups(header: dict[str, Any], groups: Iterable[Group]) -> None:
    """Prints one JSON object, a group on each line, as the groups may not fit into memory."""
    print(json_module.dumps(header, indent=2).removesuffix("\n}"), end=',\n  "groups": [')
    between = ""
    for group in groups:
        print(between, f"    {json_module.dumps(group)}", sep="\n", end="")
        between = ","
    print("\n  ]\n}" if between else "]\n}")


# Lines


def _show_lines(source: Source, limit: int, *, json: bool) -> int:
    found = source.lines(partial(queries.lines, rows=limit), limit)
    rows = list(found.rows[0])
    screen = terminal.console()
    for row in rows:
        if (record := record_of(row.get("@message", ""))) is not None:
            _print_line(screen, record, json=json, stream=row.get("@logStream", ""))
    if len(rows) == limit:
        terminal.note(f"the newest {limit:,} lines" + (": --limit shows more" if limit < MAX_ROWS else ""))
    terminal.note(*found.notes)
    return NOT_WHOLE if not found.whole else FOUND if rows else 0


def _print_line(screen: Console, record: Record, *, json: bool, stream: str = "") -> bool:
    """Prints one line; True if it is a violation. `stream`: its log stream, where known."""
    message = record.pop("@message")
    if stream:
        record["log_stream"] = stream
    if json:
        try:
            print(json_module.dumps(record), flush=True)  # JSON escapes control characters
        except RecursionError:
            terminal.note("a forged line was left out: it nests deeper than any line of the shield")
            return False
        return "policy" in record
    try:
        line = parse_line(message)
    except AlertError as error:
        screen.print(Text(f"not a line of the shield ({visible(str(error))})", "red"), soft_wrap=True)
        return False
    if line is None:
        return False
    text = _line(line)
    if stream:
        text.append(f"  [stream: {visible(stream)}]", "dim")
    screen.print(text, soft_wrap=True)
    return line.policy is not None


def _line(line: Alert | ShieldEvent) -> Text:
    is_alert = isinstance(line, Alert)
    text = Text(f"{line.timestamp:%Y-%m-%d %H:%M:%S}  ", "dim")
    text.append(visible(line.function or "-"), "bold").append("  ").append(cell(line.mode if is_alert else line.event))
    if is_alert:
        text.append(f"  {line.policy}  {visible(describe_attempt(line.details))}")
        if line.caller:
            text.append(f"  by {visible(line.caller)}", "dim")
        chain = line.frame.chain if line.frame else ()
        if line.frame and (origin := " at ".join(filter(None, (chain_text(chain) if chain else "", line.frame.place)))):
            text.append(f"  for {visible(origin)}", "dim")
        seen = observation_of(_row(line))
        if settles := ways_to_allow(entry_of(seen, chain), presets_for(seen, chain)):
            text.append(f"  [allow: {visible(settles)}]", "dim")
    else:
        text.append(f"  {line.policy or ''} {visible(_describe_event(line))}".rstrip())
    if line.count > 1:
        text.append(f"  ({line.count} times)", "yellow")
    return text


def _describe_event(event: ShieldEvent) -> str:
    """An event in a few words."""
    if event.event == "native":
        bridges, objects = (event.fields.get(name, ()) for name in ("bridges", "objects"))
        return ", ".join(str(name) for name in (*bridges, *objects))
    if event.event == "kernel":
        off = ", ".join(f"no {name}: {why}" for name, why in event.fields.get("kernel_off", {}).items())
        return off or ", ".join(event.fields["kernel"])
    if "details" in event.fields:
        return f"the last: {describe_attempt(event.fields['details'])}"
    return str(event.fields.get("reason", ""))


def _row(alert: Alert) -> Row:
    """An alert as a row of a query."""
    details = {f"details.{name}": str(value) for name, value in alert.details.items()}
    outcome = {"allow": alert.allow or "", "last_reason": alert.reason or ""}
    return {**details, **outcome, "policy": alert.policy, "mode": alert.mode}


# Follow


def _follow(where: Where, *, json: bool) -> int:
    """Prints new lines until it is interrupted, or stdin ends."""
    if where.until or (where.files and where.since):
        raise CliError("--follow shows lines as they come: --until, and --since of files, are not possible")
    check_files(where)
    screen, found = terminal.console(), False
    functions = frozenset(where.functions)
    tallies = {name: Tally() for name in where.files}
    of_files = chain.from_iterable(records(read_lines(name, quiet=True), tally) for name, tally in tallies.items())
    of_aws = filter(None, map(record_of, () if where.files else _new_messages(where)))
    try:
        for record in of_files if where.files else of_aws:
            if not functions or record.get("function") in functions:
                found |= _print_line(screen, record, json=json)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    terminal.note(*notes_of(tallies))
    return FOUND if found else 0


def _new_messages(where: Where, pause: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """New lines of the shield in log groups, from now or from `--since`, each once.

    Lines may arrive late, so the last half minute is read again.
    """
    begin = span_of(where.since, None).since if where.since else datetime.now(timezone.utc)
    batches, functions = find_batches(where)
    # A log group may be shared with other functions, and any code can name another function.
    groups = {group: batch.owners.get(group, functions) for batch in batches for group in batch.log_groups}
    later = {group for batch in batches for group in batch.owners}  # Lambda creates it at the function's first run
    logs = client("logs", where.place)
    seen: dict[str, int] = {}
    while True:
        asked_at = datetime.now(timezone.utc)
        for group, wanted in groups.items():
            for event in _events(logs, group, begin, may_miss=group in later):
                if event["eventId"] not in seen:
                    seen[event["eventId"]] = event["timestamp"]
                    record = record_of(event["message"])
                    if record is not None and (not wanted or record.get("function") in wanted):
                        yield event["message"]
        begin = max(begin, asked_at - _LATE)
        oldest = int(begin.timestamp() * 1000)
        seen = {identity: at for identity, at in seen.items() if at >= oldest}
        pause(_PAUSE_SECONDS)


def _events(logs: Any, group: str, begin: datetime, *, may_miss: bool) -> list[dict[str, Any]]:
    since = int(begin.timestamp() * 1000)
    asked = {"logGroupName": group, "startTime": since, "filterPattern": _PATTERN}
    try:
        return call(logs, "logs:FilterLogEvents", group, "events", **asked)
    except CliError as error:
        if may_miss and error_code(error.__cause__) == "ResourceNotFoundException":
            return []
        raise
