"""The groups that `alerts` shows: from the rows of its query to JSON values and to the cells of a table."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from struct import pack
from typing import Any, Final, NamedTuple

from shielded_function_monitoring.alert import DENIED
from shielded_function_monitoring.filters import PACKAGE
from shielded_function_monitoring.frames import UNKNOWN_PACKAGE, chain_text, outermost
from shielded_function_monitoring.insights import queries
from shielded_function_monitoring.insights.combining import CombinedRows
from shielded_function_monitoring.insights.queries import Row, number_of
from shielded_function_monitoring.insights.table import Table
from shielded_function_monitoring.learning.questions import entry_of, is_by_others
from shielded_function_monitoring.learning.rows import observation_of
from shielded_function_monitoring.urgency import severity, urgency

from .learned_presets import PREFIX, presets_for
from .terminal import Listing

Group = dict[str, Any]

_Ordered = tuple[tuple[int, ...], Row]

_WIDEST: Final = 10**18
_NAMES: Final = ("function", "region", "account", "event", "policy", "mode", "listed")


class Groups(NamedTuple):
    """The shown groups, and the totals."""

    shown: Iterable[Group]
    kinds: int
    violations: int


def groups_of(by: str, rows: Iterable[Row], most: int | None) -> Groups:
    """The groups, sorted by severity, then control, then frequency. Where not all are shown, each control is.

    Args:
        by: a key of `queries.GROUPS`.
        rows: of `queries.alerts_by`, to be read once.
        most: how many are shown; None for all, from a temporary file, to be read once.

    Raises:
        ShieldError: the temporary file cannot be used.
    """
    kinds = violations = 0

    def counted() -> Iterator[_Ordered]:
        nonlocal kinds, violations
        for row in _packages(rows) if by == "package" else rows:
            order = _order(row)
            kinds, violations = kinds + 1, violations - order[-1]
            yield order, row

    shown = _sorted(counted()) if most is None else _choose(counted(), most)
    return Groups(map(_group, shown), kinds, violations)


def _sorted(rows: Iterable[_Ordered]) -> Iterator[Row]:
    """The rows in their order, by bytes that are in the order of the numbers."""
    table = Table(("place", "row"))
    table.add((pack(f">{len(order)}Q", *(_WIDEST + each for each in order)), marshal.dumps(row)) for order, row in rows)
    return (marshal.loads(row) for (row,) in table.select("SELECT row FROM rows ORDER BY place, rowid"))


def _choose(rows: Iterable[_Ordered], most: int) -> Iterator[Row]:
    """The first rows in their order, of which each control has its share: a forged one fills no table alone."""
    kept: dict[str, list[_Ordered]] = {}
    for each in rows:
        mine = kept.setdefault(each[1].get("policy", ""), [])
        mine.append(each)
        if len(mine) > 2 * most:
            mine[:] = sorted(mine, key=itemgetter(0))[:most]
    share = most // max(len(kept), 1)
    of_each = [sorted(mine, key=itemgetter(0)) for mine in kept.values()]
    ranked = [(number >= share, *each) for mine in of_each for number, each in enumerate(mine)]
    first = sorted(ranked, key=itemgetter(0, 1))[:most]
    return (row for _, _, row in sorted(first, key=itemgetter(1)))


def _order(row: Row) -> tuple[int, ...]:
    violations = int(number_of(row.get("violations", "0")))
    if "policy" not in row:
        return (-violations,)
    return (*urgency(row["policy"], row.get("mode", ""), told=_severity(row)), -violations)


def _severity(row: Row) -> str:
    """Without the path of a folded line, which has only the last of several."""
    path = "" if row.get("event") == "folded" else row.get("details.path", "")
    reason = PACKAGE if row["policy"] == "outbound_connectivity" and is_by_others(observation_of(row)) else ""
    return severity(row["policy"], row.get("mode", ""), path, reason, told=row.get("severity", ""))


def _packages(rows: Iterable[Row]) -> Iterator[Row]:
    """A package's calls are one group, from any shared object; calls without a package are grouped by object."""
    together = CombinedRows(queries.SEEN, queries.GROUPS["package"])
    together.add(
        {name: value for name, value in row.items() if name != "caller.object" or not queries.chain_of_row(row)}
        for row in rows
    )
    return together.stream()


def _group(row: Row) -> Group:
    target: dict[str, Any] = {name.removeprefix("details."): row[name] for name in queries.TARGET if name in row}
    if not target and "last_syscall" in row:
        target = {"syscall": row["last_syscall"]}
    group: Group = {name: row[name] for name in _NAMES if name in row}
    seen, chain = observation_of(row), queries.chain_of_row(row)
    if is_by_others(seen):
        group["reason"] = PACKAGE
    if "policy" in group:
        group = {"severity": _severity(row), **group}
    if allow := entry_of(seen, chain):
        group["allow"] = allow
    if seen.denied:
        group["reason"] = DENIED
    if presets := presets_for(seen, chain):
        group["presets"] = presets
    if target:
        if "port" in target:
            target |= {"port": int(number_of(target["port"]))}
        group["details"] = target
    if "caller.object" in row:
        group["caller"] = row["caller.object"]
    if chain:
        group |= {"package": outermost(chain), "through": list(chain)}
    for name in ("violations", "lines", "days"):
        group[name] = int(number_of(row.get(name, "0")))
    group["first_seen"], group["last_seen"] = row.get("first_seen", ""), row.get("last_seen", "")
    group |= {name: row[name] for name in ("first_version", "last_version") if name in row}
    if place := queries.place_of_row(row):
        group["place"] = place
    return group


def _none(group: Group) -> str:
    return f"none: {group['reason']}" if "reason" in group else ""


def ways_to_allow(allow: str, presets: Sequence[str]) -> str:
    """The ways to allow it: the entry, and the presets that have it."""
    return " or ".join([*([allow] if allow else []), *(PREFIX + name for name in presets)])


_EVENTS: Final = {"folded": "not written", "repeated": "again", "refused": "refused", "unshielded": "unshielded"}
_ENTRY: Final = "the entry that would allow it"
_CELLS: Final[Mapping[str, Callable[[Group], str]]] = {
    "severity": lambda each: each.get("severity", ""),
    "function": lambda each: each.get("function", ""),
    "policy": lambda each: each.get("policy", ""),
    "mode": lambda each: each.get("mode", ""),
    "times": lambda each: f"{each['violations']:,}",
    "what": lambda each: _describe_target(each),
    "package": lambda each: chain_text(tuple(each["through"])) if "through" in each else UNKNOWN_PACKAGE,
    "object": lambda each: each.get("caller", ""),
    "who": lambda each: _describe_caller(each),
    "version": lambda each: queries.versions_text(each.get("first_version", ""), each.get("last_version", "")),
    "days": lambda each: f"{each['days']:,}",
    "first": lambda each: _minute(each["first_seen"]),
    "last": lambda each: _minute(each["last_seen"]),
    _ENTRY: lambda each: ways_to_allow(each.get("allow", ""), each.get("presets", ())) or _none(each),
}
_COLUMNS: Final = {
    "function": ("function", "times", "days", "first", "last", "version"),
    "policy": ("severity", "function", "policy", "mode", "times", "days", "first", "last", "version"),
    "package": ("severity", "package", "object", "function", "policy", "mode", "times", "first", "last", "version"),
    "target": ("severity", "function", "policy", "mode", "times", "what", "who", "first", "last", "version", _ENTRY),
    "run": ("policy", "mode", "times", "what", "who", _ENTRY),
}


def listing(by: str, groups: Iterable[Group], kinds: int = 0) -> Listing:
    """The table, of so many kinds; `by`: as for `groups_of`, or `run`."""
    names = _COLUMNS[by]
    rows = [[_CELLS[name](group) for name in names] for group in groups]
    rest = f"the most {'frequent' if by == 'function' else 'severe'} are shown; --all shows all"
    return Listing("alerts", names, rows, ("times", "days"), rest=rest, of=kinds)


def _describe_target(group: Group) -> str:
    target = describe_attempt(group.get("details", {}))
    event = _EVENTS.get(group.get("event", ""), "")
    return f"{event}, the last: {target}" if event and target else event or target


def _describe_caller(group: Group) -> str:
    """The packages and the line of code; where unknown, the shared object."""
    who = chain_text(tuple(group["through"])) if "through" in group else group.get("caller", "")
    return f"{who} at {group['place']}" if "place" in group else who


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")


def describe_attempt(details: Mapping[str, Any]) -> str:
    """The target in a few words: `evil.example:443 (203.0.113.7), tcp`; a system call where there is none."""
    left = {name: value for name, value in details.items() if name != "syscall"}
    target = left.pop("host", None) or left.pop("path", None) or left.pop("sni", None)
    address = left.pop("ip", None)
    if target is None:
        target, address = address, None
    port, arguments = left.pop("port", None), left.pop("arguments", None)
    words = [f"{target}:{port}" if port else str(target)] if target is not None else []
    if address:
        words[0] += f" ({address})"
    if arguments:
        words = [" ".join(arguments)] if arguments[0] == target else [*words, " ".join(arguments)]
    return ", ".join([*words, *(str(value) for value in left.values())]) or str(details.get("syscall", ""))
