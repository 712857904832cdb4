"""The result of a check: one finding about one construct."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from shielded_function_monitoring.cfn.template import Place

PLUGIN = "shielded-function"
"""The name of the CDK plugin, and the first part of an acknowledged id: `shielded-function::<rule>`."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Acknowledgement:
    """A stated reason why a finding is accepted.

    Attributes:
        path: the acknowledged construct; it also holds for the constructs below.
        reason: the reason.
    """

    path: str
    reason: str


@dataclass(frozen=True)
class Finding:
    """A problem of a construct.

    Attributes:
        rule: the stable id of the rule, `not-shielded`.
        severity: "error" stops a synthesis and fails an audit; "warning" is shown.
        place: the construct.
        problem: a clause without the construct's path.
        fix: the change that solves it.
        locations: the properties of the resource, `Properties.Layers`.
        acknowledged: the reason for accepting it; empty for an open one.
    """

    rule: str
    severity: Severity
    place: Place
    problem: str
    fix: str
    locations: tuple[str, ...] = field(default=())
    acknowledged: Acknowledgement | None = None

    @property
    def message(self) -> str:
        """The finding in one sentence: construct, problem and fix."""
        return f"{self.place.path}: {self.problem}: {self.fix}" if self.place.path else f"{self.problem}: {self.fix}"
