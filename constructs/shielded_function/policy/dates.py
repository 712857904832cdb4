"""End dates of alert mode and of acknowledgements. They are in no variable of a function."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from ..errors import ShieldError, ShieldPolicyError
from .fields import MODES

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATED_REASON: Final = re.compile(
    r"until\s+(?P<day>\d[\d./-]*\d)(?P<colon>\s*:)?\W*(?P<reason>.*)", re.DOTALL | re.IGNORECASE
)


def read_day(where: str, value: object) -> str:
    """Reads a date as `YYYY-MM-DD`.

    Args:
        where: its place, for the error.
        value: a text, or a `date`.

    Raises:
        ShieldError: it is no date.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise ShieldError(where, [f"{value!r} is no day; write it as 2027-01-31"])


def split_reason(reason: str) -> tuple[str, str]:
    """The date of a reason that begins with `until DAY:`, and the rest; an empty date for other reasons.

    Raises:
        ShieldError: the text before the colon is a date in another form.
    """
    found = _DATED_REASON.match(reason)
    if found is None or not (found["colon"] or _DAY.fullmatch(found["day"])):
        return "", reason  # such as "until 2.10 is out"
    return read_day(reason, found["day"]), found["reason"]


def read_until(fields: Mapping[str, Any]) -> str | None:
    """The end date of alert mode.

    Raises:
        ShieldPolicyError: it is no date, or nothing is in alert mode.
    """
    if fields["until"] is None:
        return None
    try:
        day = read_day("the day of alert mode", fields["until"])
    except ShieldError as error:
        raise ShieldPolicyError("until", str(error)) from error
    if not any(fields[field] == "alert" for field in MODES):
        raise ShieldPolicyError("until", f"{day}: no mode is alert, so nothing ends that day; leave it out")
    return day


def outlasts(until: str | None, other: str | None) -> bool:
    """Whether a date is after another; no date means forever."""
    return other is not None and (until is None or until > other)
