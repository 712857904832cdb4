"""Keeps observations that do not fit into memory in a temporary file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shielded_function_monitoring.insights import Table

from .evidence import Evidence, PackageCount
from .observation import Observation


@dataclass
class Share:
    """The rest against one control in one mode: the numbers of targets and violations, and their time."""

    targets: int
    violations: int
    first: str
    last: str


class Rest:
    """The targets of one function that were seen least often.

    Attributes:
        shares: by control and mode.
    """

    def __init__(self) -> None:
        self.shares: dict[tuple[str, str], Share] = {}
        self._table = Table(("seen",))

    def add(self, every: Iterable[Observation]) -> None:
        """Adds observations.

        Raises:
            TableError: the temporary file cannot be written.
        """
        self._table.add((json.dumps(self._noted(each)),) for each in every)

    def _noted(self, seen: Observation) -> list[Any]:
        evidence = seen.evidence
        share = self.shares.setdefault((seen.policy, seen.mode), Share(0, 0, evidence.first, evidence.last))
        share.targets += 1
        share.violations += evidence.count
        share.first, share.last = min(share.first, evidence.first), max(share.last, evidence.last)
        return _packed(seen)

    def __iter__(self) -> Iterator[Observation]:
        return (_unpacked(json.loads(seen)) for (seen,) in self._table.select("SELECT seen FROM rows"))


def _packed(seen: Observation) -> list[Any]:
    evidence = seen.evidence
    packages = [(each.count, each.through, each.object) for each in evidence.packages]
    return [*seen.target, evidence.count, evidence.first, evidence.last, evidence.days, evidence.callers, packages]


def _unpacked(value: Sequence[Any]) -> Observation:
    policy, mode, host, ip, port, protocol, sni, path, allow, denied, *times = value
    count, first, last, days, callers, packages = times
    told = tuple(PackageCount(times, tuple(through), name) for times, through, name in packages)
    evidence = Evidence(count, first, last, days, tuple(callers), told)
    return Observation(policy, mode, evidence, host, ip, int(port), protocol, sni, path, allow, bool(denied))
