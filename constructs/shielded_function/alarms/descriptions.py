"""The name of an alarm, and its text for the person on call. Pure.

The text of an alarm has 1,024 characters at most
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html). A value known only at
deployment counts with its greatest length. Each command in the text can be copied and run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from shielded_function_monitoring.filters import Counted, Severity
from shielded_function_monitoring.queries import alarm_link, function_link

from ..tokens import has_token

if TYPE_CHECKING:
    from .alarm_options import AlarmOptions
    from .watches import Watch

MAX_LENGTH: Final = 1024
PREFIX: Final = "shield"
"""The default prefix of alarms' names."""
_MAX_PLACE: Final = 60
"""Characters of a construct path in a name, which has 255 with the stack's name of 128 and the rest."""
_MAX_FUNCTION_NAME: Final = 64
_MAX_REGION: Final = 16


def _if_intended(step: str) -> str:
    return f"If it is intended, {step}; otherwise treat it as an incident"


# The word in an alarm's name, the event, and the last step.
_MEANING: Final[Mapping[Counted, tuple[str, str, str]]] = {
    "outbound_connectivity": (
        "outbound",
        "it reached, or tried to reach, an unlisted host",
        _if_intended("add `allow` to allow_outbound (`deny_outbound` lines have none)"),
    ),
    "read_write_tmp": (
        "tmp",
        "it used, or tried to use, an unlisted file of /tmp",
        _if_intended("add `allow` to allow_tmp"),
    ),
    "create_child_process": (
        "program",
        "it started, or tried to start, an unlisted program",
        _if_intended("add `allow` to allow_child_process"),
    ),
    "read_handler": (
        "handler",
        "its source was read; a logged exception does that too",
        _if_intended('set read_handler="allow"'),
    ),
    "executable_memory": (
        "memory",
        "it asked for memory that can be written and run",
        _if_intended("add `allow` to allow_executable_memory"),
    ),
    "self_protection": (
        "self-protection",
        "it touched the shield itself",
        "Treat it as an attack: no setting permits it",
    ),
    "start": (
        "start",
        "its start was refused, or it runs without the shield",
        "Fix the cause in `reason`; if it is unexpected, treat it as an incident",
    ),
}
_SEVERAL: Final[Mapping[str | None, str]] = {
    "ERROR": "an unlisted connection or program was tried, the shield was touched, or a start went wrong",
    "WARN": "something else was blocked, or let through and reported",
    None: "it did, or tried, something outside its policy",
}
_MODES: Final = "Read `mode`: block means that it failed, alert that it went through"
_STARTS: Final = (
    "Read `event`: refused means that it did not start, unshielded that it runs without the shield, as nothing is "
    "blocked or on_failure allows it"
)


def alarm_name(
    prefix: str, kind: str, stack: str, place: str, policy: Counted | None, suffix: Callable[[], str]
) -> str:
    """The name that a pager shows: unique in an account and region, by the stack's name.

    >>> alarm_name("shield", "critical", "Shop", "Api/Checkout", "outbound_connectivity", str)
    'shield-critical-Shop-Api-Checkout-outbound'

    Args:
        prefix: its prefix.
        kind: its severity or class.
        stack: the stack's name, possibly a token.
        place: the construct path within the stack.
        policy: the control of the alarm, if any.
        suffix: returns the end that distinguishes constructs whose cut paths are equal.
    """
    path = place.replace("/", "-")
    if len(path) > _MAX_PLACE:
        end = f"-{suffix()}"
        path = f"{path[: _MAX_PLACE - len(end)]}{end}"
    parts = [prefix, kind, stack, path, *([_MEANING[policy][0]] if policy else [])]
    return "-".join(parts)


def watch_name(watch: Watch, severity: Severity | None, stack: str, place: str, suffix: Callable[[], str]) -> str:
    """The default name of a watch's alarm; other arguments as for `alarm_name`."""
    kind = watch.of_class or severity or "violations"
    return alarm_name(watch.alarms.name or PREFIX, kind, stack, place, watch.policy, suffix)


def describe_function(path: str, function: str, region: str, watch: Watch, severity: Severity | None) -> str:
    """The description of an alarm on one function.

    The link to the function, in the console, is omitted where long names might exceed the limit.

    Args:
        path: the function's construct path.
        function: its name, possibly a token.
        region: its region, possibly a token; empty where unknown.
        watch: the alarm.
        severity: its severity; None where the line decides.
    """

    def write(function: str, region: str, *, is_linked: bool) -> str:
        where = f" --region {region}" if region else ""
        command = f"`shielded-function alerts --function {function}{where} --since 1h`"
        return _write(path, command, watch, severity, function_link(region, function) if is_linked and region else "")

    known = (function, _MAX_FUNCTION_NAME), (region, _MAX_REGION)
    longest = ("x" * most if has_token(text) else text for text, most in known)
    return write(function, region, is_linked=len(write(*longest, is_linked=True)) <= MAX_LENGTH)


def describe_fleet(watch: Watch, region: str, name: str) -> str:
    """The description of an alarm over all functions of an account and region.

    Args:
        watch: the alarm.
        region: the region, possibly a token.
        name: the alarm's name; its page in the console names the functions that raise it.
    """
    is_named = watch.alarms.contributors
    who = "A function that it names as a contributor" if is_named else "A function of this account and region"
    command = f"`shielded-function alerts --by function --region {region} --since 1h`"
    return _write(who, command, watch, watch.severity, alarm_link(region, name))


def problems_of(alarms: AlarmOptions, watches: Sequence[Watch], path: str) -> list[str]:
    """Why CloudWatch would reject the filters and alarms of a function, with the fixes.

    Args:
        alarms: the options.
        watches: the alarms of the options.
        path: the function's construct path.
    """
    if not watches:
        return []
    found = [watch.counter.problem for watch in watches if watch.counter.problem]
    names = "x" * _MAX_FUNCTION_NAME, "x" * _MAX_REGION
    longest = max(len(describe_function(path, *names, watch, "critical")) for watch in watches)
    if alarms.enabled and alarms.granularity != "fleet" and longest > MAX_LENGTH:
        found.append(
            f"alarms.runbook: an alarm's description would have {longest:,} characters, of which CloudWatch takes "
            f"{MAX_LENGTH:,}: shorten it"
        )
    return list(dict.fromkeys(found))


def _write(who: str, command: str, watch: Watch, severity: Severity | None, link: str) -> str:
    """The severity, the function and the event first, as a phone shows the first 200 characters; the link last."""
    label = f"[{severity}] " if severity else ""
    if watch.policy is None:
        event, last_step = _SEVERAL[watch.level], _if_intended("add `allow` to its policy")
    else:
        _, happened, last_step = _MEANING[watch.policy]
        event = f"{watch.policy}: {happened}"
    lines = [
        f"{label}{who}: {event}.",
        f"1. Run {command}",
        f"2. {_STARTS if watch.policy == 'start' else _MODES}.",
        "3. Compare `version` and the first time with the last deployment.",
        f"4. {last_step}.",
    ]
    told = (("Owner: ", watch.alarms.owner), ("Runbook: ", watch.option("runbook")), ("", link))
    return "\n".join([*lines, *(f"{label}{text}" for label, text in told if text)])
