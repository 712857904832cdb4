"""End dates of alert mode, entries and other exceptions. They are in no variable of a function."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple, cast

from ..errors import ShieldError, ShieldPolicyError
from .fields import ENTRIES, GRANTED, MODES

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATED_REASON: Final = re.compile(
    r"until\s+(?P<day>\d[\d./-]*\d)(?P<colon>\s*:)?\W*(?P<reason>.*)", re.DOTALL | re.IGNORECASE
)
_KEYS: Final = ("entry", "until", "reason")


class Until(str):
    """A temporary entry of a list, or of `exclude`, with its end date and reason.

        ShieldPolicy(allow_outbound=[Until("old.example:443", "2027-01-31", reason="until the move is done")])

    It equals the entry's text, and admits the same. From that day, `ShieldChecks` and `shielded-function audit` have
    the finding `expired`. Nothing changes in the deployed function.

    Attributes:
        until: the first day on which it is a finding, `2027-01-31`.
        reason: the reason for the exception.
    """

    until: str
    reason: str

    def __new__(cls, entry: str, until: str | date, *, reason: str) -> Until:
        """
        Args:
            entry: the entry of the list. A construct has no text: write its host, or its path in `exclude`.
            until: a day as `YYYY-MM-DD`, or a `date`.
            reason: the reason for the exception.

        Raises:
            ShieldError: the date is malformed, the entry is no text, or the reason is empty.
        """
        if not isinstance(entry, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ShieldPolicyError("", f"Until: {entry!r} is no text; write its host, or its path in exclude=")
        if not isinstance(reason, str) or not reason.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ShieldPolicyError("", f"Until({str(entry)!r}): reason={reason!r} is no text; say why it is there")
        made = super().__new__(cls, entry)
        made.until = read_day(f"Until({str(entry)!r})", until)
        made.reason = reason.strip()
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str, str], dict[str, str]]:
        return (str(self), self.until), {"reason": self.reason}

    def __repr__(self) -> str:
        return f"Until({str(self)!r}, {self.until!r}, reason={self.reason!r})"

    def to_dict(self) -> dict[str, str]:
        """The entry in the form of a policy file."""
        return {"entry": str(self), "until": self.until, "reason": self.reason}


class Dated(NamedTuple):
    """An entry of a policy with its end date.

    Attributes:
        field: the list, `allow_outbound`.
        entry: its text.
        until: the first day on which it is a finding.
        reason: its reason.
    """

    field: str
    entry: str
    until: str
    reason: str


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


def write_reason(reason: str, until: str) -> str:
    """A reason with its date, in the form of the cloud assembly's metadata: `until 2027-01-31: reason`."""
    return f"until {until}: {reason}"


def split_reason(reason: str) -> tuple[str, str]:
    """The date of a reason that begins with `until DAY:`, and the rest; an empty date for other reasons.

    Raises:
        ShieldError: the text before the colon is a date in another form.
    """
    found = _DATED_REASON.match(reason)
    if found is None or not (found["colon"] or _DAY.fullmatch(found["day"])):
        return "", reason  # such as "until 2.10 is out"
    return read_day(reason, found["day"]), found["reason"]


def read_entries(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, with each mapping in a list (`{"entry": ..., "until": ..., "reason": ...}`) as an `Until`.

    Raises:
        ShieldPolicyError: a mapping is no entry, or a date is not possible there.
    """
    read = dict(fields)
    for field in ENTRIES:
        if isinstance(fields[field], Until):
            raise ShieldPolicyError(field, f"{str(fields[field])!r} takes no date; name a service in Until(...)")
        if isinstance(fields[field], (list, tuple)):
            read[field] = [_read_entry(field, entry) for entry in fields[field]]
    names = fields["presets"]
    if isinstance(names, (list, tuple)) and any(isinstance(name, Until) for name in names):
        raise ShieldPolicyError("presets", "a preset takes no date; list the entries that it has, each in Until(...)")
    return read


def _read_entry(field: str, entry: object) -> object:
    if not isinstance(entry, Mapping):
        if isinstance(entry, Until) and entry == GRANTED and field == "allow_aws":
            raise ShieldPolicyError(field, f"{GRANTED!r} takes no date; name a service in Until(...)")
        return entry
    given = cast("Mapping[Any, Any]", entry)
    if set(given) != set(_KEYS):
        raise ShieldPolicyError(field, f"{dict(given)!r} is no entry; write {', '.join(_KEYS)}")
    try:
        return Until(given["entry"], given["until"], reason=given["reason"])
    except ShieldError as error:
        raise ShieldPolicyError(field, str(error).removeprefix("ShieldPolicy: ")) from error


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


def keep_dates(
    fields: Mapping[str, Any], given: Mapping[str, Any], canonical: Callable[[str, object], Sequence[object]]
) -> dict[str, Any]:
    """The canonical fields of a policy, with each dated entry as an `Until`.

    Of an entry given twice, the later date holds; without a date in one, none holds.

    Args:
        fields: canonical.
        given: the original fields.
        canonical: (field, entry) -> the entry in canonical form, in a list.
    """
    kept = dict(fields)
    for field in ENTRIES:
        entries = given[field]
        if isinstance(entries, str) or not any(isinstance(entry, Until) for entry in entries or ()):
            continue
        found: dict[object, object] = {}
        for entry in entries:
            for text in canonical(field, entry):
                dated = Until(str(text), entry.until, reason=entry.reason) if isinstance(entry, Until) else text
                found[text] = later(found[text], dated) if text in found else dated
        kept[field] = tuple(found.get(text, text) for text in fields[field])
    return kept


def later(one: object, other: object) -> object:
    """The entry with the later end date."""
    return other if outlasts(until_of(other), until_of(one)) else one


def until_of(entry: object) -> str | None:
    """An entry's end date; None where it has none."""
    return entry.until if isinstance(entry, Until) else None


def outlasts(until: str | None, other: str | None) -> bool:
    """Whether a date is after another; no date means forever."""
    return other is not None and (until is None or until > other)


def dates_in(fields: Mapping[str, Any]) -> tuple[Dated, ...]:
    """The entries with an end date."""
    return tuple(
        Dated(field, str(entry), entry.until, entry.reason)
        for field in ENTRIES
        for entry in (fields[field] if isinstance(fields[field], tuple) else ())
        if isinstance(entry, Until)
    )


def mark(explained: Mapping[str, Any], dates: Sequence[Dated]) -> None:
    """Adds the end dates of entries to the explanation of `ShieldPolicy.explain`."""
    for dated in dates:
        for entry in explained[dated.field].get("entries", ()):
            if entry["entry"] == dated.entry:
                entry["meaning"] += f" (to go by {dated.until}: {dated.reason})"


def explain(until: object) -> dict[str, Any]:
    """The meaning of the field `until`, for `ShieldPolicy.explain`."""
    meaning = f"alert mode is to end by {until}; nothing changes by itself" if until else "alert mode has no end"
    return {"value": str(until or ""), "meaning": meaning}
