"""The table of what is measured: one row each, with its unit, its target and how often it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from statistics import median


class MeasurementError(Exception):
    """Something could not be measured; one line says what."""


class Bound(Enum):
    """What a target limits: shielded / unshielded, shielded - unshielded, or the shielded value itself."""

    RATIO = auto()
    DIFFERENCE = auto()
    VALUE = auto()


class Need(Enum):
    """What a row's calls need of the place; a row is left out where it is missing."""

    NETWORK = "a network namespace"
    MOUNTS = "a mount namespace"


@dataclass(frozen=True)
class Target:
    """At most `limit`, in the row's unit unless it is a ratio."""

    bound: Bound
    limit: float

    def __str__(self) -> str:
        """`<= 1.03x`, `<= +0.6`, `<= 128`: in the row's unit unless it is a ratio."""
        sign, unit = {Bound.RATIO: ("", "x"), Bound.DIFFERENCE: ("+", ""), Bound.VALUE: ("", "")}[self.bound]
        return f"<= {sign}{self.limit:g}{unit}"


@dataclass(frozen=True)
class Row:
    """One thing to measure.

    Attributes:
        name: stable, as it stands in `latest.json`.
        what: for the reader of the table.
        unit: of both values.
        target: None where nothing was promised.
        count: calls in one round (for those timed by a process that stays).
        rounds: rounds on each side, of all processes together.
        processes: on each side, for those timed by a process that stays. Where one of them happens to lie in memory is
            worth some per cent: the more there are, the less it counts.
        scale: from nanoseconds to the unit (for those timed by a process that stays).
        call: its name in `calls.c`, where that is not the row's own.
        threads: how many make the calls at once.
        needs: of the place.
    """

    name: str
    what: str
    unit: str
    target: Target | None
    rounds: int
    processes: int = 5
    count: int = 1
    scale: float = 1.0
    call: str = ""
    threads: int = 1
    needs: frozenset[Need] = frozenset()

    @property
    def request(self) -> str:
        """The line that asks a process that stays for one round."""
        return f"{self.call or self.name} {self.count} {self.threads}"


THREADS = 4
_MOUNTS = frozenset({Need.MOUNTS})
_NETWORK = frozenset({Need.NETWORK})


def _ratio(limit: float) -> Target:
    return Target(Bound.RATIO, limit)


def _call(name: str, what: str, limit: float | None, count: int = 2_000, needs: frozenset[Need] = frozenset()) -> Row:
    return Row(name, what, "ns", None if limit is None else _ratio(limit), 200, count=count, needs=needs)


def _with_threads(row: Row, limit: float | None) -> Row:
    """The same call by four threads at once; the name differs, so that the two rows are not confused."""
    return replace(
        row,
        name=f"{row.name}_threads",
        what=f"{row.what}, {THREADS} threads",
        target=None if limit is None else _ratio(limit),
        call=row.name,
        threads=THREADS,
    )


_OPEN = _call("openat_close", "openat+close", 1.08)
# The ways to name a regular file, and the targets for one thread and four.
_WAYS = {
    "open": ("open of {}", 1.20, 1.25),
    "relative": ("open of {}, relative", 1.6, 1.8),
    "at": ("openat of {}", 1.6, 1.8),
}
_PLACES = {"layer": "a layer's file", "task": "the task's file"}
_OPENS = tuple(
    row
    for way, (what, one, more) in _WAYS.items()
    for place, thing in _PLACES.items()
    for plain in (_call(f"{way}_{place}", what.format(thing), one, needs=_MOUNTS),)
    for row in (plain, _with_threads(plain, more))
)
# Devices are opened by every program that starts another, and are never regular files: another way in the engine.
_DEVICE = _call("open_device", "open of a device", None)
_SOCKET = _with_threads(_call("socket_close", "socket+close", None), 1.15)
_DUP = _with_threads(_call("dup_close", "dup+close", None), 2.0)
CALLS: tuple[Row, ...] = (
    _call("getppid", "getppid", 1.02, count=20_000),
    _call("pipe", "pipe write+read", 1.03, count=5_000),
    _call("stat", "stat", 1.02),
    _OPEN,
    _with_threads(_OPEN, 1.12),
    *_OPENS,
    _DEVICE,
    _SOCKET,
    _DUP,
    _call("map", "mmap+munmap", None),
    _call("connect_tcp", "connect TCP", 1.03, count=100),
    _call("connect_udp", "connect UDP", 1.10, count=1_000),
    Row("spawn", "spawn /bin/true", "ms", Target(Bound.DIFFERENCE, 0.4), rounds=60, count=2, scale=1e-6),
)
# A throughput's target is the same as one for the time of a request.
NETWORK_CALLS: tuple[Row, ...] = (
    Row("connect_by_name", "connect by name+close", "ns", _ratio(1.05), rounds=400, count=100, needs=_NETWORK),
    Row("lookup", "lookup", "us", None, rounds=100, count=20, scale=1e-3, needs=_NETWORK),
    Row(
        "denied_lookup",
        "denied lookup",
        "ms",
        Target(Bound.VALUE, 5.0),
        rounds=100,
        count=20,
        scale=1e-6,
        needs=_NETWORK,
    ),
    Row("http_bare", "request, bare", "us", _ratio(1.02), rounds=400, count=500, scale=1e-3, needs=_NETWORK),
    Row(
        "everything",
        "all of it, 16 threads",
        "ms",
        _ratio(1.10),
        rounds=60,
        count=16,
        scale=1e-6,
        threads=16,
        needs=_NETWORK | _MOUNTS,
    ),
)
CLIENTS: tuple[Row, ...] = (
    Row(
        "fetch",
        "resolve+TLS+request",
        "us",
        _ratio(1.015),
        2_000,
        processes=10,
        count=2,
        scale=1e-3,
        needs=_NETWORK,
    ),
    Row("http", "request", "us", _ratio(1.02), rounds=400, count=100, scale=1e-3, needs=_NETWORK),
    Row("https", "request, TLS", "us", _ratio(1.02), rounds=400, count=100, scale=1e-3, needs=_NETWORK),
    Row("https_bare", "request, TLS, bare", "us", _ratio(1.02), rounds=400, count=200, scale=1e-3, needs=_NETWORK),
    Row("grpc", "gRPC call", "us", _ratio(1.02), rounds=400, count=50, scale=1e-3, needs=_NETWORK),
    Row(
        "connect_by_package",
        "connect by a package's entry",
        "us",
        Target(Bound.DIFFERENCE, 8.0),
        rounds=400,
        count=200,
        scale=1e-3,
        needs=_NETWORK,
    ),
)
IMPORT = Row("import_boto3", "import boto3 from a layer", "ms", _ratio(1.015), rounds=40, needs=_MOUNTS)
STARTUP = Row("startup", "start-up", "ms", Target(Bound.DIFFERENCE, 1.7), rounds=60)
COLD = Row("startup_cold", "start-up, not cached", "ms", Target(Bound.DIFFERENCE, 2.0), rounds=40)
MEMORY = Row("resident_memory", "resident memory", "MB", Target(Bound.DIFFERENCE, 0.30), rounds=10)
SIZE = Row("library_size", "library size", "KB", Target(Bound.VALUE, 170), rounds=1)


@dataclass(frozen=True)
class Result:
    """A measured row: medians of both sides, and what came of the target.

    Attributes:
        spread: the least and the greatest ratio that one pair of processes had; None where there was one process
            for each value.
        interval: where what the target bounds, the ratio or the difference, lies in 95 % of a bootstrap; None where it
            was not asked for.
    """

    row: Row
    unshielded: float
    shielded: float
    note: str = ""
    spread: tuple[float, float] | None = None
    interval: tuple[float, float] | None = None

    @classmethod
    def of(cls, row: Row, unshielded: Sequence[float], shielded: Sequence[float], note: str = "") -> Result:
        """From the rounds of both sides."""
        return cls(row, median(unshielded), median(shielded), note)

    @property
    def ratio(self) -> float | None:
        """None where there is nothing to compare with."""
        return self.shielded / self.unshielded if self.unshielded else None

    @property
    def difference(self) -> float:
        """In the row's unit."""
        return self.shielded - self.unshielded

    @property
    def met(self) -> bool | None:
        """None: there is no target."""
        target = self.row.target
        if target is None:
            return None
        bounded = {Bound.RATIO: self.ratio, Bound.DIFFERENCE: self.difference, Bound.VALUE: self.shielded}[target.bound]
        return bounded is not None and bounded <= target.limit

    @property
    def is_sure(self) -> bool:
        """Whether a target is met or missed by more than the measurement varies by, where that was asked for."""
        target, interval = self.row.target, self.interval
        return target is None or interval is None or not interval[0] <= target.limit < interval[1]

    def as_json(self) -> dict[str, object]:
        """The row of `latest.json`."""
        return {
            "name": self.row.name,
            "unit": self.row.unit,
            "unshielded": round(self.unshielded, 4),
            "shielded": round(self.shielded, 4),
            "ratio": None if self.ratio is None else round(self.ratio, 4),
            "difference": round(self.difference, 4),
            "target": str(self.row.target) if self.row.target else None,
            "met": self.met,
            "sure": self.is_sure if self.interval else None,
            "spread": self.spread and [round(ratio, 4) for ratio in self.spread],
            "interval": self.interval and [round(bound, 4) for bound in self.interval],
            "note": self.note,
        }
