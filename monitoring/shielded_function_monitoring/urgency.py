"""The order of violations: the most severe first, then by control."""

from __future__ import annotations

from typing import Final

from .alert import START
from .filters import COUNTED, SEVERITIES, Severity, severity_of

_ORDER: Final = (
    START,
    "self_protection",
    "outbound_connectivity",
    "create_child_process",
    "executable_memory",
    "read_write_tmp",
    "read_handler",
)


def severity(policy: str, mode: str, path: str = "", reason: str = "", told: str = "") -> Severity:
    """How severe a violation is: as its line tells, or else by the control, the program's path and the line's reason.

    A control that this version does not know is the worst.

    >>> severity("self_protection", "alert"), severity("read_write_tmp", "block"), severity("new_policy", "block")
    ('critical', 'notice', 'critical')
    >>> severity("outbound_connectivity", "alert"), severity("outbound_connectivity", "alert", told="critical")
    ('warning', 'critical')
    """
    if told in SEVERITIES:
        return told
    return severity_of(policy, mode, path, reason) if policy in COUNTED else "critical"


def urgency(policy: str, mode: str, path: str = "", reason: str = "", told: str = "") -> tuple[int, int]:
    """The sort key: the lowest is read first.

    >>> urgency("self_protection", "block"), urgency("outbound_connectivity", "alert"), urgency("read_handler", "alert")
    ((0, 1), (1, 2), (1, 6))
    """
    rank = _ORDER.index(policy) if policy in _ORDER else -1
    return SEVERITIES.index(severity(policy, mode, path, reason, told)), rank
