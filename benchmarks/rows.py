"""The table of what is measured: one row each, with its unit, its target and how often it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from statistics import median


class Bound(Enum):
    """What a target limits: shielded / unshielded, shielded - unshielded, or the shielded value itself."""

    RATIO = auto()
    DIFFERENCE = auto()
    VALUE = auto()


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
    """

    name: str
    what: str
    unit: str
    target: Target | None
    rounds: int
    processes: int = 5
    count: int = 1
    scale: float = 1.0


CALLS: tuple[Row, ...] = (
    Row("getppid", "getppid", "ns", Target(Bound.RATIO, 1.03), rounds=200, count=20_000),
    Row("pipe", "pipe write+read", "ns", Target(Bound.RATIO, 1.03), rounds=200, count=5_000),
    Row("openat_close", "openat+close", "ns", Target(Bound.RATIO, 1.25), rounds=200, count=2_000),
    Row("open_elsewhere", "openat+close elsewhere", "ns", None, rounds=200, count=2_000),
    Row("stat", "stat", "ns", None, rounds=200, count=2_000),
    Row("map", "mmap+munmap", "ns", None, rounds=200, count=2_000),
    Row("connect_tcp", "connect TCP", "ns", Target(Bound.RATIO, 1.05), rounds=200, count=100),
    Row("connect_udp", "connect UDP", "ns", Target(Bound.RATIO, 1.25), rounds=200, count=1_000),
    Row("spawn", "spawn /bin/true", "ms", Target(Bound.DIFFERENCE, 0.6), rounds=60, count=2, scale=1e-6),
)
# These need the network of `network.py`; a throughput's target is the same as one for the time of a request.
NETWORK_CALLS: tuple[Row, ...] = (
    Row("connect_by_name", "connect by name+close", "ns", Target(Bound.RATIO, 1.05), rounds=400, count=100),
    Row("denied_lookup", "denied lookup", "ms", Target(Bound.VALUE, 5.0), rounds=100, count=20, scale=1e-6),
    Row("http_bare", "request, bare", "us", Target(Bound.RATIO, 1.02), rounds=400, count=500, scale=1e-3),
)
CLIENTS: tuple[Row, ...] = (
    Row("fetch", "resolve+TLS+request", "us", Target(Bound.RATIO, 1.02), 2_000, processes=10, count=2, scale=1e-3),
    Row("http", "request", "us", Target(Bound.RATIO, 1.02), rounds=400, count=100, scale=1e-3),
    Row("https", "request, TLS", "us", Target(Bound.RATIO, 1.02), rounds=400, count=100, scale=1e-3),
    Row("https_bare", "request, TLS, bare", "us", Target(Bound.RATIO, 1.02), rounds=400, count=200, scale=1e-3),
    Row("grpc", "gRPC call", "us", Target(Bound.RATIO, 1.02), rounds=400, count=50, scale=1e-3),
)
IMPORT = Row("import_boto3", "import boto3", "ms", None, rounds=40)
STARTUP = Row("startup", "start-up", "ms", Target(Bound.DIFFERENCE, 3.0), rounds=60)
COLD = Row("startup_cold", "start-up, not cached", "ms", Target(Bound.DIFFERENCE, 3.0), rounds=40)
MEMORY = Row("resident_memory", "resident memory", "MB", Target(Bound.DIFFERENCE, 1.5), rounds=10)
SIZE = Row("library_size", "library size", "KB", Target(Bound.VALUE, 236), rounds=1)


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
