"""Queries Logs Insights: several queries at a time, with progress, and in halves where a result is full.

CloudWatch aggregates, and returns one row for each group. A result has at most as many rows as its query's limit:
where one is full, its time is queried in two halves, down to a second of one log group.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from shielded_function_monitoring.insights import CombinedRows, Query, Row

from .aws import call, client, error_code, explain
from .errors import CliError
from .options import Place
from .progress import Progress, size

MAX_LOG_GROUPS: Final = 50
"""Log groups of one query (StartQuery, `logGroupNames`)."""
AT_ONCE: Final = 10
"""Queries that run at once; an account may run 100
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AnalyzingLogData.html)."""
_SECONDS_TO_START: Final = 300.0
_DAY: Final = 86400
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 3.0


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

    def add(self, rows: Iterable[Row], since: int = 1) -> None:
        """Adds a result; `since`: as `CombinedRows.add` takes it."""
        if self._groups is None:
            self._lines += rows
        else:
            self._groups.add(rows, since)

    @property
    def rows(self) -> Iterable[Row]:
        """All rows, in no order, to be read once."""
        return self._lines if self._groups is None else self._groups.stream()


class _MissingError(Exception):
    """A log group does not exist; AWS then answers for none of the query's groups."""


@dataclass
class _Running:
    piece: Piece
    identity: str


class Asker:
    """Runs queries in one account and region."""

    def __init__(self, place: Place) -> None:
        self._client = client("logs", place)
        self._progress = _Queries()

    def ask(self, questions: Sequence[Sequence[tuple[Query, Batch]]], span: tuple[int, int]) -> list[Answer]:
        """The answers to questions, each of which is a query, made for each batch.

        Raises:
            CliError: AWS denied a request, or a query failed.
        """
        waiting = deque(
            Piece(number, query, batch.log_groups, *span, may_miss=bool(batch.owners))
            for number, parts in enumerate(questions)
            for query, batch in parts
        )
        answers = [Answer(parts[0][0]) for parts in questions]
        done = 0
        running: list[_Running] = []
        asked, pause = len(waiting), _FIRST_PAUSE
        try:
            while waiting or running:
                while waiting and len(running) < AT_ONCE:
                    piece = waiting.popleft()
                    try:
                        identity = self._start(piece, patient=not running)
                    except _MissingError:
                        parts = piece.parts()
                        waiting.extendleft(parts or ())
                        asked += len(parts) - 1 if parts else 0
                        if parts is None:
                            answers[piece.question].missing.update(piece.log_groups)
                            done += 1
                        continue
                    if identity is None:
                        waiting.appendleft(piece)
                        break
                    running.append(_Running(piece, identity))
                self._progress.tell(done, asked, len(running))
                moved = False
                for each in list(running):
                    rows = self._rows_of(each)
                    if rows is None:
                        continue
                    moved = True
                    running.remove(each)
                    full = each.piece.query.by and len(rows) >= each.piece.query.limit
                    smaller = (each.piece.halves() or each.piece.parts()) if full else None
                    if smaller:
                        waiting.extend(smaller)
                        asked += 1
                        continue
                    if full:
                        answers[each.piece.question].full.update(each.piece.log_groups)
                    answers[each.piece.question].add(rows, each.piece.since)
                    done += 1
                pause = _FIRST_PAUSE if moved else min(pause * 1.5, _LONGEST_PAUSE)
                if running:
                    time.sleep(pause)
        finally:
            self._progress.end()
            self._stop(running)
        return answers

    def _start(self, piece: Piece, patient: bool) -> str | None:
        """The query's id; None where others must finish first."""
        from botocore.exceptions import BotoCoreError, ClientError

        groups = ", ".join(piece.log_groups[:3]) + (", ..." if len(piece.log_groups) > 3 else "")
        deadline, wait = time.monotonic() + _SECONDS_TO_START, 1.0
        while True:
            try:
                return self._client.start_query(
                    logGroupNames=list(piece.log_groups),
                    startTime=piece.since,
                    endTime=piece.until,
                    queryString=piece.query.render(),
                    limit=piece.query.limit,
                )["queryId"]
            except ClientError as error:
                missing = error_code(error) == "ResourceNotFoundException"
                if missing and (piece.may_miss or len(piece.log_groups) > 1):
                    raise _MissingError from error
                if error_code(error) != "LimitExceededException":
                    raise CliError(f"{groups}: {explain('logs:StartQuery', error)}") from error
                if not patient:
                    return None
                if time.monotonic() > deadline:
                    raise CliError("the account runs its maximum of queries: try again later") from error
                time.sleep(wait)
                wait = min(wait * 2, 30.0)
            except BotoCoreError as error:  # no credentials, no network
                raise CliError(f"{groups}: {error}") from error

    def _rows_of(self, running: _Running) -> list[Row] | None:
        """The result of a query; None while it runs."""
        method = self._client.get_query_results
        result = call("logs:GetQueryResults", "the query", method, queryId=running.identity)
        status = result["status"]
        statistics = result.get("statistics") or {}
        self._progress.scanned(running.identity, float(statistics.get("bytesScanned", 0.0)))
        if status == "Complete":
            return [{each["field"]: each["value"] for each in row if "value" in each} for row in result["results"]]
        if status in ("Failed", "Cancelled", "Timeout", "Unknown"):
            raise CliError(f"the query ended as {status}: ask for less time, or fewer log groups")
        return None

    def _stop(self, running: Sequence[_Running]) -> None:
        """Stops queries that still run after an interrupt: they would continue, and cost money."""
        from botocore.exceptions import BotoCoreError, ClientError

        for each in running:
            try:
                self._client.stop_query(queryId=each.identity)
            except (ClientError, BotoCoreError):
                continue


class _Queries(Progress):
    """Shows how many queries are done, and how much they read."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes: dict[str, float] = {}

    def scanned(self, identity: str, count: float) -> None:
        """Records how much a query has read."""
        self._bytes[identity] = count

    def tell(self, done: int, asked: int, running: int) -> None:
        """Shows the progress."""
        scanned = sum(self._bytes.values())
        self.show(lambda: f"{done} of {asked} queries done, {running} running, {size(scanned)} scanned")
