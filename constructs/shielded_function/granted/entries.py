"""The grants of a role as policy entries: `Grants`, and findings about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from ..policy.explanation import Explanation
from .resources import Resource

__all__ = ["BUCKET_LENGTH", "Entry", "Finding", "Grants", "LeftOut", "Source", "changed"]

Kind = Literal["service", "bucket", "host"]

_FIELDS: Final[dict[Kind, str]] = {"service": "allow_aws", "bucket": "allow_buckets", "host": "allow_outbound"}
BUCKET_LENGTH: Final = 63
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""


@dataclass(frozen=True)
class Source:
    """The grant that an entry comes from.

    Attributes:
        policy: construct path of the policy or role that holds the statement, or the name of an AWS managed policy.
        statement: its Sid, or `#2` for the second.
        action: as in the statement: `s3:GetObject*`.
        resource: in words; constructs by their paths: `Shop/Orders.Arn/*`. Reading it requests these from the CDK.
        role: construct path of the assumed role; empty for the function's own role.
        resources: the resources in `resource`.
        but: the statement has NotResource.
    """

    policy: str
    statement: str
    action: str
    resources: tuple[Resource, ...] = ()
    role: str = ""
    but: bool = False

    @property
    def resource(self) -> str:
        names = ", ".join(dict.fromkeys(resource.name for resource in self.resources))
        return f"all but {names}" if self.but else names or "*"

    def __str__(self) -> str:
        assumed = f", as {self.role}" if self.role else ""
        return f"{self.policy}, statement {self.statement}: {self.action} on {self.resource}{assumed}"


@dataclass(frozen=True)
class Entry:
    """A granted service, bucket or host.

    Attributes:
        kind: its list: `allow_aws`, `allow_buckets` or `allow_outbound`.
        text: the entry, possibly with tokens.
        name: a stable name: a token's construct path, otherwise the text.
        longest: the most characters after deployment; None when the text is counted.
        sources: its grants.
        on_behalf: whether Lambda or a service uses each of them on the function's behalf, so that the code may not.
    """

    kind: Kind
    text: str
    name: str
    longest: int | None = field(default=None, compare=False)
    sources: tuple[Source, ...] = field(default=(), compare=False)
    on_behalf: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class LeftOut:
    """A grant that Lambda, a service or no operation uses, and the reason: `Lambda polls it`."""

    source: Source
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


@dataclass(frozen=True)
class Finding:
    """A note that tells a user about a needed decision or change.

    Attributes:
        id: the rule's id, for `Annotations.acknowledge_warning`.
        message: the problem, its meaning, and the fix.
    """

    id: str
    message: str


@dataclass(frozen=True)
class Grants:
    """The AWS hosts that the role's grants admit.

    Attributes:
        entries: services, buckets and hosts, each with its sources.
        problems: errors that make "granted" meaningless.
        warnings: facts that are unknown or cannot be expressed; each can be acknowledged.
        left_out: grants that add no entry, as the code does not use them.
        on_behalf: grants that add their entries, and that Lambda or a service uses on the function's behalf.
    """

    entries: tuple[Entry, ...] = ()
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    on_behalf: tuple[LeftOut, ...] = ()

    @property
    def services(self) -> tuple[str, ...]:
        """The services for `allow_aws`, without s3 where `buckets` are named."""
        return self._texts("service")

    @property
    def buckets(self) -> tuple[str, ...]:
        """The names for `allow_buckets`, possibly tokens. None where a grant names no single bucket."""
        return self._texts("bucket")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of data planes for `allow_outbound`, possibly with tokens."""
        return self._texts("host")

    @property
    def sources(self) -> dict[str, tuple[Source, ...]]:
        """The grants of each entry, by its text."""
        return {entry.text: entry.sources for entry in self.entries}

    def explain(self) -> tuple[Explanation, ...]:
        """Each entry with its grants, and each grant that is not, or not only, for the code."""
        return (
            *(Explanation(_FIELDS[each.kind], each.name, "; ".join(map(str, each.sources))) for each in self.entries),
            *(Explanation("allow_aws", "", f"left out: {grant}") for grant in self.left_out),
            *(Explanation("allow_aws", "", f"used on the function's behalf: {grant}") for grant in self.on_behalf),
        )

    def _texts(self, kind: Kind) -> tuple[str, ...]:
        return tuple(entry.text for entry in self.entries if entry.kind == kind)


def changed(before: Grants, after: Grants) -> list[str]:
    """The changes of a function's grants after its policy was created: a sentence for each entry.

    Args:
        before: the grants of its policy.
        after: the grants at the end of the synthesis.
    """
    old, new = _by_name(before.entries), _by_name(after.entries)
    known = {*before.problems, *before.warnings}
    return [
        *(
            f"allow_aws: {entry.kind} {entry.name} was granted after the policy was made ({entry.sources[0]}): grant "
            "it before the aspects run, or give the aspect that grants it a priority below the shield's"
            for name, entry in new.items()
            if name not in old
        ),
        *(
            f"allow_aws: {entry.kind} {entry.name} was granted when the policy was made ({entry.sources[0]}) and is "
            "no more: take it away before the aspects run"
            for name, entry in old.items()
            if name not in new
        ),
        *(
            f"allow_aws: since the policy was made, {finding.message}"
            for finding in (*after.problems, *after.warnings)
            if finding not in known
        ),
    ]


def _by_name(entries: Sequence[Entry]) -> dict[tuple[str, str], Entry]:
    return {(entry.kind, entry.name): entry for entry in entries}
