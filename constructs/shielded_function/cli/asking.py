"""Queries Logs Insights: several queries at a time, with progress, and in halves where a result is full.

CloudWatch aggregates, and returns one row for each group. A result has at most as many rows as its query's limit:
where one is full, its time is queried in two halves, down to a second of one log group.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from rich.filesize import decimal

from shielded_function_monitoring.insights.combining import CombinedRows
from shielded_function_monitoring.insights.queries import Query, Row

from .aws import call, client, error_code
from .failures import CliError
from .options import Place
from .progress import Progress

LOG: Final = "@log"
MAX_LOG_GROUPS: Final = 50
"""Log groups of one query (StartQuery, `logGroupNames`)."""
AT_ONCE: Final = 10
"""Queries that run at once; an account may run 100
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AnalyzingLogData.html)."""
_DAY: Final = 86400
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 3.0


QueryFor = Callable[[tuple[str, ...]], Query]
"""Makes a query for functions by name."""


@dataclass(frozen=True)
class Batch:
    """The log groups of one query.

    Attributes:
        log_groups: their names.
        functions: the functions whose lines to read; all when empty.
        owners: by log group, the functions that log there, where known. Such a log group may not exist yet: Lambda
            creates it at the function's first run.
    """

    log_groups: tuple[str, ...]
    functions: tuple[str, ...] = ()
    owners: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]], hash=False)


@dataclass(frozen=True)
class Piece:
    """A query over a batch and a time: seconds since the epoch, both ends included."""

    question: int
    query: Query
    log_groups: tuple[str, ...]
    since: int
    until: int
    may_miss: bool = False
    """Whether one of its log groups may be missing."""

    def parts(self) -> Sequence[Piece]:
        """The two halves of its log groups; empty for a single one."""
        at = len(self.log_groups) // 2
        return [replace(self, log_groups=each) for each in (self.log_groups[:at], self.log_groups[at:])] if at else ()

    def halves(self) -> Sequence[Piece]:
        """The two halves of its time, split at a midnight (UTC) within it; empty for a single second."""
        if self.since >= self.until:
            return ()
        middle = (self.since + self.until + 1) // 2
        midnight = middle - middle % _DAY
        middle = next((at for at in (midnight, midnight + _DAY) if self.since < at <= self.until), middle)
        return replace(self, until=middle - 1), replace(self, since=middle)


class Asker:
    """Runs queries in one account and region.

    Attributes:
        full: the log groups that have more rows in one second than a result may have: some of those are left out.
        missing: the log groups that do not exist.
    """

    def __init__(self, place: Place, batches: Sequence[Batch], own: Callable[[Iterable[Row]], Iterable[Row]]) -> None:
        """`own`: leaves out rows, whose log group is in the field `LOG`."""
        self._client, self._batches, self._own = client("logs", place), batches, own
        self.full, self.missing = set[str](), set[str]()
        self._waiting: deque[Piece] = deque()
        self._running: dict[str, Piece] = {}
        self._scanned: dict[str, float] = {}
        self._answers: list[CombinedRows | list[Row]] = []

    def ask(self, queries: Sequence[QueryFor], since: int, until: int) -> list[Iterable[Row]]:
        """The rows of queries, each made for each batch: in no order, to be read once.

        Raises:
            CliError: AWS denied a request, or a query failed.
        """
        for number, query_for in enumerate(queries):
            asked = query_for(())
            self._answers.append(CombinedRows(asked.aggregates, asked.by) if asked.by else [])
            for batch in self._batches:
                query = query_for(batch.functions).apart_by(LOG)
                self._waiting.append(Piece(number, query, batch.log_groups, since, until, bool(batch.owners)))
        pause = _FIRST_PAUSE
        with Progress() as progress:
            try:
                while self._waiting or self._running:
                    while self._waiting and len(self._running) < AT_ONCE:
                        self._start(self._waiting.popleft())
                    time.sleep(pause)
                    left = {identity: each for identity, each in self._running.items() if not self._took(identity)}
                    pause = min(pause * 1.5, _LONGEST_PAUSE) if len(left) == len(self._running) else _FIRST_PAUSE
                    self._running = left
                    progress.show(self._told)
            finally:  # queries that still run after an interrupt would continue, and cost money
                for identity in self._running:
                    with suppress(CliError):
                        call(self._client, "logs:StopQuery", "the query", queryId=identity)
        return [each if isinstance(each, list) else each.stream() for each in self._answers]

    def _told(self) -> str:
        done, left = len(self._scanned) - len(self._running), len(self._running) + len(self._waiting)
        scanned = decimal(int(sum(self._scanned.values())))
        return f"{done} of {done + left} queries done, {len(self._running)} running, {scanned} scanned"

    def _start(self, piece: Piece) -> None:
        """Starts the query of a piece, or of its parts where one of its log groups is missing."""
        groups = ", ".join(piece.log_groups[:3]) + (", ..." if len(piece.log_groups) > 3 else "")
        asked = {"startTime": piece.since, "endTime": piece.until, "logGroupNames": list(piece.log_groups)}
        asked |= {"queryString": piece.query.render(), "limit": piece.query.limit}
        try:
            self._running[call(self._client, "logs:StartQuery", groups, **asked)["queryId"]] = piece
        except CliError as error:
            is_missing = error_code(error.__cause__) == "ResourceNotFoundException"
            if not (is_missing and (piece.may_miss or len(piece.log_groups) > 1)):
                raise
            parts = piece.parts()  # AWS answers for none of the query's groups
            self._waiting += parts
            self.missing.update(() if parts else piece.log_groups)

    def _took(self, identity: str) -> bool:
        """Takes the result of a query, or asks for its parts where it is full; False while the query runs."""
        result = call(self._client, "logs:GetQueryResults", "the query", queryId=identity)
        status, piece = result["status"], self._running[identity]
        self._scanned[identity] = float((result.get("statistics") or {}).get("bytesScanned", 0.0))
        if status in ("Failed", "Cancelled", "Timeout", "Unknown"):
            raise CliError(f"the query ended as {status}: ask for less time, or fewer log groups")
        if status != "Complete":
            return False
        rows = [{each["field"]: each["value"] for each in row if "value" in each} for row in result["results"]]
        full = bool(piece.query.by) and len(rows) >= piece.query.limit
        smaller = (piece.halves() or piece.parts()) if full else ()
        self._waiting += smaller
        if not smaller:
            self.full.update(piece.log_groups if full else ())
            answer = self._answers[piece.question]
            answer.extend(self._own(rows)) if isinstance(answer, list) else answer.add(self._own(rows), piece.since)
        return True
