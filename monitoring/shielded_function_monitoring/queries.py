"""The Logs Insights queries that dashboards show and ShieldMonitoring saves: all of them, as data.

Each filters by `policy` or `event` with `=` or `in`, so that a field index on these spares the scan of other lines
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatchLogs-Field-Indexing.html). Only the shield's own
lines with a possible count are counted: a forged line with a negative or a huge count would hide other lines. Only
events, and reads of the handler, stand for several violations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import quote

from .alert import MAX_COUNT, POLICIES, START

INDEXED: Final = ("policy", "event", "function")
"""The fields whose index spares the scan of other lines."""
FUNCTION_VARIABLE: Final = "FUNCTION_NAME"
"""The text that a dashboard's variable replaces by the selected function."""


class Query(NamedTuple):
    """One query in Logs Insights' own language, and its heading."""

    title: str
    text: str


def list_of(names: Sequence[str]) -> str:
    """Names as a query has them behind `in`."""
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


OURS: Final = """@message like '"function_shield":true'"""
"""The beginning of each of the shield's own lines."""
# A separate filter, as AWS does not document whether an index serves a filter with `or`.
_COUNTED: Final = (
    f"`count` >= 1 and `count` <= {MAX_COUNT} and {OURS} "
    '| filter (`count` = 1 or ispresent(event) or policy = "read_handler")'
)


def counted(policies: Sequence[str]) -> str:
    """The violations of controls, as a filter."""
    return f"filter policy in {list_of(policies)} and {_COUNTED}"


_NOISE: Final = ("read_handler",)
"""Python does it whenever it logs an exception."""
_ANY: Final = counted((*POLICIES, START))
_WORTH: Final = counted(tuple(p for p in (*POLICIES, START) if p not in _NOISE))
_FIELDS: Final = (
    "version, policy, mode, `count`, details.host, details.ip, details.port, details.path, allow, "
    "caller.package, caller.file, caller.line, caller.object, @logStream"
)
_NEWEST: Final = "sort @timestamp desc | limit 100"
_SUM: Final = "sum(`count`) as violations"
_SEEN: Final = (
    f"{_SUM}, earliest(timestamp) as first_seen, latest(timestamp) as last_seen, "
    "earliest(version) as first_version, latest(version) as last_version"
)
_ALL: Final = 10_000
"""Rows of starts, so that no function is missing: "If you omit `limit`, the query defaults to returning up to 10,000
log events. You can specify a `limit` value of up to 100,000."
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Limit.html)."""
_PLACE: Final = "latest(caller.file) as last_file, latest(caller.line) as last_line"


QUERIES: Final[Mapping[str, Query]] = {
    "lines": Query("Latest violations", f"fields @timestamp, function, {_FIELDS} | {_ANY} | {_NEWEST}"),
    "by_function": Query(
        "Violations by function (without reads of the handler)",
        f"{_WORTH} | stats {_SEEN} by function, policy, mode | sort violations desc | limit 50",
    ),
    "hosts": Query(
        "Hosts (mode alert: it went through)",
        f'filter policy = "outbound_connectivity" and ispresent(details.host) and {_COUNTED} '
        f"| stats {_SEEN}, {_PLACE} by details.host, function, mode | sort violations desc | limit 50",
    ),
    "starts": Query(
        "Starts (unshielded and refused ones first)",
        f'filter event in ["armed", "refused", "unshielded"] and {OURS} '
        "| stats count(*) as starts, latest(timestamp) as last_seen, latest(version) as last_version "
        f"by event, function, reason | sort event desc | limit {_ALL}",
    ),
    "one_function": Query(
        "Latest violations of the selected function",
        f'fields @timestamp, {_FIELDS} | {_ANY} and function = "{FUNCTION_VARIABLE}" | {_NEWEST}',
    ),
}
"""By name. `one_function` is for dashboards with a variable: FUNCTION_NAME stands for the function."""


def alarm_link(region: str, name: str) -> str:
    """A link to an alarm's page in the console. `region` and `name` may be tokens."""
    shown = quote(name, safe="${}")
    return f"https://{region}.{_domain(region)}/cloudwatch/home?region={region}#alarmsV2:alarm/{shown}"


def function_link(region: str, name: str) -> str:
    """A link to a function's page in the console, with its metrics and logs. Both may be tokens.

    >>> function_link("eu-west-1", "checkout")
    'https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/checkout?tab=monitoring'
    """
    return f"https://{region}.{_domain(region)}/lambda/home?region={region}#/functions/{name}?tab=monitoring"


def _domain(region: str) -> str:
    if region.startswith("us-gov-"):
        return "console.amazonaws-us-gov.com"
    return "console.amazonaws.cn" if region.startswith("cn-") else "console.aws.amazon.com"
