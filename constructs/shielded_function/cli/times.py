"""Parses times: `2h`, `7d`, `2026-11-24`, `2026-11-24T13:37:00Z`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple

from .errors import CliError

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO: Final = re.compile(r"(\d+)([smhdw])")


class Span(NamedTuple):
    """A time span in UTC."""

    since: datetime
    until: datetime

    @property
    def seconds(self) -> tuple[int, int]:
        """Seconds since the epoch, for Logs Insights: both ends are included."""
        return int(self.since.timestamp()), int(self.until.timestamp())


def parse_time(option: str, text: str, now: datetime) -> datetime:
    """A moment in UTC: an age, or an ISO 8601 date or time, which is UTC by default.

    Raises:
        CliError: it is neither.
    """
    try:
        if ago := _AGO.fullmatch(text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        # Python 3.10 does not know Z.
        moment = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text))
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise CliError(f"{option} {text}: write 30m, 12h, 7d, or a time such as 2026-11-24T13:37:00Z") from error


def span_of(since: str, until: str | None, now: datetime | None = None) -> Span:
    """The time from `--since` to `--until`, which is now when it is not given.

    Raises:
        CliError: a text is no time, or the end comes before the beginning.
    """
    now = now or datetime.now(timezone.utc)
    begin = parse_time("--since", since, now)
    end = parse_time("--until", until, now) if until else now
    if end <= begin:
        raise CliError(f"--until {until} is not after --since {since}" if until else f"--since {since} is not over yet")
    return Span(begin, end)


def iso(moment: datetime) -> str:
    """The format of times in lines, to the second: `2026-11-24T13:37:00Z`."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
