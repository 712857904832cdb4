"""The result of a check: one finding about one construct."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

PLUGIN = "shielded-function"
"""The name of the CDK plugin, and so the first part of what is acknowledged: `shielded-function::<rule>`."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Place:
    """Where in the cloud assembly something is.

    Attributes:
        path: the construct path, `Shop/Checkout`; of a template without a construct tree, the logical id.
        logical_id: the resource's logical id; empty for what is not one resource.
        template: the template's file, relative to the cloud assembly; empty for a template that is no file.
    """

    path: str
    logical_id: str = ""
    template: str = ""


@dataclass(frozen=True)
class Acknowledgement:
    """A stated reason why a finding is accepted.

    Attributes:
        path: the construct that it was said at; it holds for all below.
        reason: why.
    """

    path: str
    reason: str


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        rule: the stable id of the rule, `not-shielded`.
        severity: "error" stops a synthesis and fails an audit; "warning" is shown.
        place: the construct.
        problem: a clause without the construct's path.
        fix: what to do.
        locations: the properties of the resource, `Properties.Layers`.
        acknowledged: why it is accepted; empty where it is not.
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
        """The finding in one sentence: who, what, and what to do."""
        return f"{self.place.path}: {self.problem}: {self.fix}" if self.place.path else f"{self.problem}: {self.fix}"
