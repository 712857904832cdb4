"""Queries Logs Insights: several queries at a time, with progress, and in halves where a result is full.

CloudWatch aggregates, and returns one row for each group. A result has at most as many rows as its query's limit:
where one is full, its time is queried in two halves, down to a second of one log group.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from rich.filesize import decimal

from shielded_function_monitoring.insights import CombinedRows, Query, Row

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
_SECONDS_TO_START: Final = 300.0
_DAY: Final = 86400
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 3.0
_DONE: Final = object()


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

    def parts(self) -> tuple[Piece, Piece] | None:
        """The two halves of its log groups; None for a single one."""
        at = len(self.log_groups) // 2
        if not at:
            return None
        return replace(self, log_groups=self.log_groups[:at]), replace(self, log_groups=self.log_groups[at:])

    def halves(self) -> tuple[Piece, Piece] | None:
        """The two halves of its time, split at a midnight (UTC) within it; None for a single second."""
        if self.since >= self.until:
            return None
        middle = (self.since + self.until + 1) // 2
        midnight = middle - middle % _DAY
        middle = next((at for at in (midnight, midnight + _DAY) if self.since < at <= self.until), middle)
        return replace(self, until=middle - 1), replace(self, since=middle)


class Answer:
    """The rows of one question.

    Attributes:
        full: the log groups that have more rows in one second than a result may have: some of those are left out.
        missing: the log groups that do not exist.
    """

    def __init__(self, query: Query) -> None:
        self.full: set[str] = set()
        self.missing: set[str] = set()
        self._lines: list[Row] = []
        self._groups = CombinedRows(query.aggregates, query.by) if query.by else None

    def add(self, rows: Iterable[Row], since: int) -> None:
        """Adds a result; `since`: as `CombinedRows.add` takes it."""
        if self._groups is None:
            self._lines += rows
        else:
            self._groups.add(rows, since)

    @property
    def rows(self) -> Iterable[Row]:
        """All rows, in no order, to be read once."""
        return self._lines if self._groups is None else self._groups.stream()


class Asker:
    """Runs queries in one account and region: each piece is a generator, which yields while it waits.

    `own`: leaves out rows, whose log group is in the field `LOG`.
    """

    def __init__(self, place: Place, own: Callable[[Iterable[Row]], Iterable[Row]]) -> None:
        self._client, self._own = client("logs", place), own
        self._progress = Progress()
        self._waiting: deque[Iterator[None]] = deque()
        self._active: list[Iterator[None]] = []
        self._running: set[str] = set()
        self._scanned: dict[str, float] = {}
        self._asked = 0
        self._answers: list[Answer] = []

    def ask(self, questions: Sequence[Sequence[tuple[Query, Batch]]], span: tuple[int, int]) -> list[Answer]:
        """The answers to questions, each of which is a query, made for each batch.

        Raises:
            CliError: AWS denied a request, or a query failed.
        """
        self._answers = [Answer(parts[0][0]) for parts in questions]
        for number, parts in enumerate(questions):
            self._add(
                Piece(number, query.apart_by(LOG), batch.log_groups, *span, bool(batch.owners))
                for query, batch in parts
            )
        pause = _FIRST_PAUSE
        try:
            while self._active or self._waiting:
                while self._waiting and len(self._active) < AT_ONCE:
                    self._active.append(self._waiting.popleft())
                left = [each for each in self._active if next(each, _DONE) is not _DONE]
                pause = min(pause * 1.5, _LONGEST_PAUSE) if len(left) == len(self._active) else _FIRST_PAUSE
                self._active = left
                self._progress.show(self._told)
                if left:
                    time.sleep(pause)
        finally:
            self._progress.end()
            self._stop()
        return self._answers

    def _told(self) -> str:
        done = self._asked - len(self._waiting) - len(self._active)
        scanned = decimal(int(sum(self._scanned.values())))
        return f"{done} of {self._asked} queries done, {len(self._running)} running, {scanned} scanned"

    def _add(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._asked += 1
            self._waiting.append(self._run(piece))

    def _run(self, piece: Piece) -> Iterator[None]:
        """Runs the query of a piece, and of its parts where one of its log groups is missing, or its result is full."""
        answer, deadline = self._answers[piece.question], time.monotonic() + _SECONDS_TO_START
        groups = ", ".join(piece.log_groups[:3]) + (", ..." if len(piece.log_groups) > 3 else "")
        start = partial(call, self._client, "logs:StartQuery", groups)
        while True:
            try:
                identity = start(
                    logGroupNames=list(piece.log_groups),
                    startTime=piece.since,
                    endTime=piece.until,
                    queryString=piece.query.render(),
                    limit=piece.query.limit,
                )["queryId"]
                break
            except CliError as error:
                code = error_code(error.__cause__)
                if code == "ResourceNotFoundException" and (piece.may_miss or len(piece.log_groups) > 1):
                    parts = piece.parts()  # AWS answers for none of the query's groups
                    self._add(parts or ())
                    answer.missing.update(() if parts else piece.log_groups)
                    return
                if code != "LimitExceededException":
                    raise
                if self._running:
                    deadline = time.monotonic() + _SECONDS_TO_START
                if time.monotonic() > deadline:
                    raise CliError("the account runs its maximum of queries: try again later") from error
            yield
        self._running.add(identity)
        yield
        while (rows := self._rows_of(identity)) is None:
            yield
        self._running.remove(identity)
        full = bool(piece.query.by) and len(rows) >= piece.query.limit
        smaller = (piece.halves() or piece.parts()) if full else None
        if smaller:
            self._add(smaller)
            return
        answer.full.update(piece.log_groups if full else ())
        answer.add(self._own(rows), piece.since)

    def _rows_of(self, identity: str) -> list[Row] | None:
        """The result of a query; None while it runs."""
        result = call(self._client, "logs:GetQueryResults", "the query", queryId=identity)
        status = result["status"]
        self._scanned[identity] = float((result.get("statistics") or {}).get("bytesScanned", 0.0))
        if status == "Complete":
            return [{each["field"]: each["value"] for each in row if "value" in each} for row in result["results"]]
        if status in ("Failed", "Cancelled", "Timeout", "Unknown"):
            raise CliError(f"the query ended as {status}: ask for less time, or fewer log groups")
        return None

    def _stop(self) -> None:
        """Stops queries that still run after an interrupt: they would continue, and cost money."""
        for identity in self._running:
            with suppress(CliError):
                call(self._client, "logs:StopQuery", "the query", queryId=identity)
