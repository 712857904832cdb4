"""The data of a report, and its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from shielded_function_monitoring.filters import Severity
from shielded_function_monitoring.insights.queries import versions_text
from shielded_function_monitoring.learning.evidence import Evidence
from shielded_function_monitoring.urgency import severity, urgency

from ..errors import ShieldError

FORMAT: Final = "shielded-function report"
VERSION: Final = 1
NOT_WRITTEN: Final = "(counted, not written)"
"""The target of violations that a `folded` line stands for."""
STATES: Final = ("unshielded", "refused", "not seen", "armed")
"""The states of a function, the worst first."""
IDENTITY: Final = ("function", "region", "account", "policy", "target")
"""The fields of a group that are the same in the next report."""

_SEEN: Final = ("count", "first", "last", "days", "callers", "first_version", "last_version", "place")
"""The fields of a group's evidence that are in the JSON."""


class ReportError(ShieldError):
    """JSON that is no report; the text says why."""


@dataclass(frozen=True)
class Group:
    """One target of one function against one control.

    Attributes:
        function: its name; `region` and `account` are where it runs, empty where that is not known.
        policy: the violated control; `start` for a start that was refused or unshielded.
        mode: block or alert; empty for a start.
        target: of the attempt.
        evidence: how often and when it was seen, by whom.
        allow: the entry that would permit it.
        is_new: it is not in the report before; False where there is none.
        reason: `package` where it is allowed, and came through other packages than its entry names.
        written: False for violations that were counted and not written: their target is unknown.
    """

    function: str
    region: str
    account: str
    policy: str
    mode: str
    target: str
    evidence: Evidence
    allow: str = ""
    is_new: bool = False
    reason: str = ""
    written: bool = True

    @property
    def severity(self) -> Severity:
        """How severe it is."""
        return severity(self.policy, self.mode, self.target, self.reason, self.evidence.severity)

    @property
    def urgency(self) -> tuple[int, int]:
        """The most severe is the lowest."""
        return urgency(self.policy, self.mode, self.target, self.reason, self.evidence.severity)

    @property
    def order(self) -> tuple[Any, ...]:
        """The sort key: new first, then the most severe, then the most frequent."""
        return (not self.is_new, *self.urgency, -self.evidence.count, self.identity)

    @property
    def versions(self) -> str:
        """The function's versions from the first time to the last, `7 to 9`."""
        return versions_text(self.evidence.first_version, self.evidence.last_version)

    @property
    def identity(self) -> tuple[str, ...]:
        """Its identity across reports."""
        return tuple(getattr(self, name) for name in IDENTITY)


@dataclass(frozen=True)
class Period:
    """Violations in one period of one control: a bar of the timeline. `begun`: `2026-11-24 13:00:00.000`, UTC."""

    begun: str
    policy: str
    mode: str
    count: int


@dataclass(frozen=True)
class Coverage:
    """The presence of the shield in one function.

    Attributes:
        function: its name.
        armed: how often it armed, one for each cold start.
        last_armed: the last time; empty when it never did.
        refused: starts that were refused; `unshielded`: starts that went on without it.
        folded: violations that were counted and not written.
        expected: it was asked about, whether it logged or not.
        reason: the last reason of a start that was refused or unshielded.
        version: the last version that was seen.
    """

    function: str
    region: str = ""
    account: str = ""
    armed: int = 0
    last_armed: str = ""
    refused: int = 0
    unshielded: int = 0
    folded: int = 0
    expected: bool = False
    reason: str = ""
    version: str = ""

    @property
    def state(self) -> str:
        """One of `STATES`."""
        return STATES[(self.unshielded > 0, self.refused > 0, not self.armed, True).index(True)]


@dataclass(frozen=True)
class Report:
    """The whole report.

    Attributes:
        made: when it was made, UTC, as `2026-11-24T13:37:00Z`.
        since: the beginning of the time that was asked for; empty for all that there was.
        until: its end.
        sources: the inputs: log groups, files.
        groups: new ones first, then the most severe, then the most frequent; violations that were counted and not
            written are among them.
        periods: the timeline.
        coverage: by function.
        previous: when the report before was made; empty when there is none.
        notes: further remarks.
        whole: False where a limit of Logs Insights kept back some of it.
    """

    made: str
    since: str = ""
    until: str = ""
    sources: Sequence[str] = ()
    groups: Sequence[Group] = ()
    periods: Sequence[Period] = ()
    coverage: Sequence[Coverage] = ()
    previous: str = ""
    notes: Sequence[str] = ()
    whole: bool = True


class Previous(NamedTuple):
    """The report before: when it was made, and the identities of its groups."""

    made: str
    known: frozenset[tuple[str, ...]]


def report_to_json(report: Report) -> dict[str, Any]:
    """As JSON's values, which `previous_from_json` reads."""
    groups: list[dict[str, Any]] = []
    for each in report.groups:
        seen = {name: getattr(each.evidence, name) for name in _SEEN}
        own = {name: value for name, value in vars(each).items() if name != "evidence"}
        told = {"packages": each.evidence.chains, "told": each.evidence.severity}
        groups.append({"severity": each.severity, **own, **seen, **told})
    return {"format": FORMAT, "version": VERSION, **asdict(report), "groups": groups}


def previous_from_json(value: Any) -> Previous:
    """The part of a report that the next one compares with.

    Args:
        value: of `report_to_json`.

    Raises:
        ReportError: it is something else.
    """
    if not isinstance(value, Mapping) or value.get("format") != FORMAT:
        raise ReportError("`report --json` did not write it")
    if value.get("version") != VERSION:
        raise ReportError(f"its version is {value.get('version')!r}, not {VERSION}: make it again with this version")
    try:
        known = {tuple(str(each[name]) for name in IDENTITY) for each in value["groups"]}
        return Previous(str(value["made"]), frozenset(known))
    except (KeyError, TypeError) as error:
        raise ReportError(f"it is not whole: {error}") from error
