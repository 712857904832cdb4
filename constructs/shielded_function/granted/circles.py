"""Removes entries whose resources depend on the function, as its environment cannot refer to them.

A grant is in a policy, which may be separate from the function: that usually avoids a circular dependency. An entry is
in the function itself. The function depends on its role's grants anyway (`Function` depends on its role and the
policies in it), so most entries need no check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ..reading.batching import circles_of
from .actions import parse_action
from .entries import Entry, Finding, Grants, Source
from .planes import planes_of
from .resources import l2_path

__all__ = ["Holder", "break_circles"]

_ID: Final = "shielded-function:granted"


@dataclass(frozen=True)
class Holder:
    """A function whose environment holds the entries.

    Attributes:
        resource: its L1.
        role: construct path of its role.
        waits: whether it depends on the policies within its role, as a `Function` does.
    """

    resource: Any
    role: str
    waits: bool


def break_circles(grants: Mapping[str, Grants], holders: Mapping[str, Holder]) -> dict[str, Grants]:
    """The grants without circular entries: every bucket in place of a bucket, and no host.

    Args:
        grants: by the function's path.
        holders: the functions, by their paths.
    """
    asked = [(path, entry) for path, each in grants.items() for entry in each.entries if _is_new(entry, holders[path])]
    found = circles_of([(holders[path].resource, entry.text) for path, entry in asked])
    circles: dict[str, dict[Entry, list[str]]] = {}
    for (path, entry), circle in zip(asked, found, strict=True):
        if circle:
            circles.setdefault(path, {})[entry] = circle
    return {path: _without(each, circles[path]) if path in circles else each for path, each in grants.items()}


def _is_new(entry: Entry, holder: Holder) -> bool:
    """Whether an entry may refer to a resource on which the function does not depend yet."""
    return "${Token[" in entry.text and not any(_is_dependency(source, holder) for source in entry.sources)


def _is_dependency(source: Source, holder: Holder) -> bool:
    if source.role or any(t.type.startswith("AWS::Lambda::") for r in source.resources for t in r.targets):
        return False  # a function's entry is the host of its URL
    return source.policy == holder.role or (holder.waits and source.policy.startswith(f"{holder.role}/"))


def _without(grants: Grants, circles: Mapping[Entry, list[str]]) -> Grants:
    warnings = dict.fromkeys(
        Finding(f"{_ID}Circle", text) for entry, circle in circles.items() for text in _describe_circle(entry, circle)
    )
    entries = [entry for entry in grants.entries if entry not in circles]
    if any(entry.kind == "bucket" for entry in circles):
        buckets = [entry for entry in grants.entries if entry.kind == "bucket"]
        opened = [entry for entry in entries if entry.kind == "service" and entry.text == "s3"]
        sources = tuple(source for entry in (*opened, *buckets) for source in entry.sources)
        entries = [entry for entry in entries if entry.kind != "bucket" and entry not in opened]
        entries.append(Entry("service", "s3", "s3", sources=tuple(dict.fromkeys(sources))))
    return replace(grants, entries=tuple(entries), warnings=(*grants.warnings, *warnings))


def _describe_circle(entry: Entry, circle: list[str]) -> Iterator[str]:
    way = " -> ".join(map(l2_path, circle))
    for source in entry.sources:
        if entry.kind == "bucket":
            part = "name"
            write = (
                "so every bucket is admitted, an attacker's too: give the bucket a name (bucket_name), or list the "
                "buckets in allow_buckets"
            )
        else:
            actions = filter(None, map(parse_action, source.action.split(", ")))
            written = next(
                (plane.write for action in actions for plane in planes_of(action) if plane.write), "its host"
            )
            part, write = "host", f"so it is not admitted: list in allow_outbound, as text, {written}"
        yield (
            f"{source}: its {part} would be in the function's environment, and it depends on the function already "
            f"({way}), {write}"
        )
