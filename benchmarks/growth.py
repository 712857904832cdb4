"""The cost of growth: what a longer list, more learned names or more open descriptors make of a call.

Each size is measured against an unshielded process as every row is; then the ratios of the sizes are compared with that
of the smallest. Flat: the ratio grew by no more than a few per cent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import mounts
from measure import Side, measure_call
from network import NAME, served
from rows import CALLS, NETWORK_CALLS, Need, Result, Row

FLAT = 1.05  # a ratio that grew by no more
_ROWS = {row.name: row for row in (*CALLS, *NETWORK_CALLS)}
_LEARNED = "*.learned.example"


@dataclass(frozen=True)
class Size:
    """One size: what the shielded side's policy says, and what the calls are told."""

    number: int
    policy: Mapping[str, str] = field(default_factory=dict[str, str])
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Growth:
    """A row at several sizes, the smallest first."""

    row: Row
    what: str
    sizes: tuple[Size, ...]

    def row_of(self, size: Size) -> Row:
        """As it stands in the report."""
        return replace(
            self.row,
            name=f"{self.row.name}_{self.what.replace(' ', '_')}_{size.number}",
            what=f"{self.row.what}, {size.number:,} {self.what}",
            target=None,
            call=self.row.call or self.row.name,
        )


def _hosts(count: int) -> Size:
    """The host that is asked for is the last of the list."""
    listed = [f"host-{n}.listed.example" for n in range(count - 1)]
    return Size(count, {"SHIELD_ALLOW_OUTBOUND": ",".join([*listed, NAME])})


def _paths(count: int) -> Size:
    listed = [f"/tmp/listed-{n}/**" for n in range(count - 1)]
    return Size(count, {"SHIELD_ALLOW_TMP": ",".join([*listed, f"{mounts.TMP}/**"])})


def _names(count: int) -> Size:
    arguments = ("--names", str(count)) if count else ()
    return Size(count, {"SHIELD_ALLOW_OUTBOUND": f"{NAME},{_LEARNED}"}, arguments)


def _descriptors(count: int) -> Size:
    return Size(count, arguments=("--descriptors", str(count)) if count else ())


_OPEN_TMP = replace(_ROWS["openat_close"], name="open_tmp", what="open in /tmp", target=None)
_SOCKET = replace(_ROWS["socket_close_threads"], name="socket_close", what="socket+close", call="", threads=1)
_HOSTS, _PATHS = (10, 100, 500), (10, 100, 128)  # a list of paths holds 128 at most: the longer one is refused
GROWTHS: tuple[Growth, ...] = (
    *(
        Growth(row, what, tuple(make(count) for count in counts))
        for what, counts, make, rows in (
            ("hosts listed", _HOSTS, _hosts, (_ROWS["connect_by_name"], _ROWS["lookup"])),
            ("paths listed", _PATHS, _paths, (_OPEN_TMP,)),
            ("names learned", (0, 1_000), _names, (_ROWS["connect_by_name"], _ROWS["lookup"])),
            ("descriptors open", (0, 1_000), _descriptors, (_ROWS["openat_close"], _SOCKET, _ROWS["spawn"])),
        )
        for row in rows
    ),
)


@dataclass(frozen=True)
class Grown:
    """A growth, measured."""

    growth: Growth
    results: tuple[Result, ...]

    @property
    def is_flat(self) -> bool:
        """Whether the greatest size costs what the smallest does."""
        first, last = self.results[0].ratio, self.results[-1].ratio
        return first is not None and last is not None and last <= first * FLAT

    @property
    def is_sure(self) -> bool:
        """Whether the ratios of the pairs of processes at either end are further apart than they vary."""
        first, last = self.results[0].spread, self.results[-1].spread
        return self.is_flat or first is None or last is None or last[0] > first[1]

    def as_json(self) -> dict[str, object]:
        """As it stands in `latest.json`."""
        return {
            "row": self.growth.row.name,
            "what": self.growth.what,
            "sizes": [size.number for size in self.growth.sizes],
            "rows": [result.as_json() for result in self.results],
            "flat": self.is_flat,
            "sure": self.is_sure,
        }


def _grow(growth: Growth, both: tuple[Side, Side], program: Path, rounds: Callable[[int], int]) -> Grown:
    unshielded, shielded = both
    results: list[Result] = []
    for size in growth.sizes:
        sides = unshielded, shielded.having(**size.policy)
        row = growth.row_of(size)
        results.append(measure_call(replace(row, rounds=rounds(row.rounds)), sides, (str(program), *size.arguments)))
    return Grown(growth, tuple(results))


def measure_growth(
    both: tuple[Side, Side],
    program: Path,
    *,
    has: Collection[Need],
    rounds: Callable[[int], int],
    wanted: Callable[[str], bool],
    report: Callable[[str], None],
) -> list[Grown]:
    """Measures every growth whose needs the place has, if the name of its row is wanted.

    Raises:
        MeasurementError: a program failed.
    """
    mounts.make_tmp()
    grown: list[Grown] = []
    with served(program.with_name("authority.pem"), has):
        for growth in _measurable(has, wanted):
            report(f"{growth.row.name}, {growth.what}")
            grown.append(_grow(growth, both, program, rounds))
    return grown


def _measurable(has: Collection[Need], wanted: Callable[[str], bool]) -> Sequence[Growth]:
    return [growth for growth in GROWTHS if growth.row.needs <= set(has) and wanted(f"grow_{growth.row.name}")]
