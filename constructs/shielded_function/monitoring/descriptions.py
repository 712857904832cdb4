"""What an alarm says to whoever is on call. Pure.

The text of an alarm has 1,024 characters at most
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html). What is known only at
deployment counts with the longest that it can be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from shielded_function_monitoring.filters import Counted, Severity
from shielded_function_monitoring.queries import console_link, lines_query

MAX_LENGTH: Final = 1024


class Text(NamedTuple):
    """A text, and how long it can become when what it stands for is known."""

    value: str
    longest: int


@dataclass(frozen=True)
class Place:
    """Where one function and its lines are.

    Attributes:
        path: the function's construct path.
        function: its name.
        region: its region.
        log_group: its log group's name.
    """

    path: str
    function: Text
    region: Text
    log_group: Text


_ENTRY: Final = (
    "`allow` in a line is the entry that would permit it: add it to {field} only where you know what wants it."
)

# What happened, what to look at in the lines, and what settles it.
_MEANING: Final[Mapping[Counted, tuple[str, str, str]]] = {
    "outbound_connectivity": (
        "reached, or tried to reach, a host that its policy does not list",
        "details.host, details.ip, details.sni and caller",
        _ENTRY.format(field="ShieldPolicy.allow_outbound"),
    ),
    "read_write_tmp": (
        "used, or tried to use, a file under /tmp that its policy does not list",
        "details.path and caller",
        _ENTRY.format(field="ShieldPolicy.allow_tmp"),
    ),
    "create_child_process": (
        "started, or tried to start, a program that its policy does not list",
        "details.path, details.arguments and caller",
        _ENTRY.format(field="ShieldPolicy.allow_child_process"),
    ),
    "read_handler": (
        "read, or tried to read, the handler's source",
        "details.path and caller",
        'A logged exception does it too. No entry permits it, only ShieldPolicy(read_handler="allow").',
    ),
    "executable_memory": (
        "asked for memory that can be written and run",
        "details.path and caller",
        _ENTRY.format(field="ShieldPolicy.allow_executable_memory"),
    ),
    "self_protection": (
        "touched the shield itself",
        "details and caller",
        "Take it for an attack: nothing permits it.",
    ),
    "start": (
        "was refused its start, or runs without the shield",
        "event and reason",
        "What reason says is to be mended.",
    ),
}
_MODES_TELL: Final = "mode says whether it failed (block) or was only reported (alert)."


def describe_function(place: Place, policy: Counted | None, severity: Severity | None, runbook: str | None) -> Text:
    """The description of an alarm on one function.

    The link to its lines is left out where the names are so long that it might not fit.
    """
    who = f"{place.path} ({place.function.value})"
    text = _said(policy, severity, who)
    longest = len(text) - len(place.function.value) + place.function.longest
    end = f" Runbook: {runbook}" if runbook else ""
    query = lines_query(policy)
    link = f" Its lines: {console_link(place.region.value, place.log_group.value, query)}"
    stand_ins = console_link("x" * place.region.longest, "${" + "x" * (place.log_group.longest - 2), query)
    with_link = longest + len(f" Its lines: {stand_ins}") + len(end)
    if with_link <= MAX_LENGTH:
        return Text(text + link + end, with_link)
    plain = " Its lines are in its log group: filter ispresent(policy) in Logs Insights."
    return Text(text + plain + end, longest + len(plain) + len(end))


def describe_fleet(policy: Counted | None, severity: Severity | None, runbook: str | None) -> Text:
    """The description of an alarm over all functions of an account and region."""
    text = _said(policy, severity, "A function that this alarm names as a contributor")
    end = f" Runbook: {runbook}" if runbook else ""
    text += (
        " Its lines: `shielded-function alerts --since 1h`, or Logs Insights on those functions' log groups: "
        f"{lines_query(policy)}{end}"
    )
    return Text(text, len(text))


def shortest(path: str, policy: Counted | None, runbook: str | None) -> int:
    """How long the description of an alarm on one function is at least, without the link."""
    unknown = Text("", 64)
    return describe_function(Place(path, unknown, unknown, Text("", MAX_LENGTH)), policy, "critical", runbook).longest


def _said(policy: Counted | None, severity: Severity | None, who: str) -> str:
    label = f"[{severity}] " if severity else ""
    if policy is None:
        return (
            f"{label}{who}: it did, or tried, what its policy does not allow, or does not run as its policy says. "
            "Look at policy, details and caller of its lines: "
            f"{_MODES_TELL} {_ENTRY.format(field='the ShieldPolicy')}"
        )
    happened, look, settles = _MEANING[policy]
    told = "" if policy == "start" else f" {_MODES_TELL}"
    return f"{label}{who}: {policy}: it {happened}. Look at {look} of its lines.{told} {settles}"
