"""Parses a query's text, so that the evaluator runs the text that CloudWatch would run."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, cast

from .conditions import All, AnyOf, Compare, Condition, In, IsPresent, Like
from .names import QueryError
from .query import Aggregate, Column, Command, DateFloor, Fields, Filter, Limit, Query, Sort, Stats

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | `(?P<quoted>[^`]+)`
    | (?P<period>\d+[mhd]\b)
    | (?P<number>-?\d+)
    | (?P<word>@?[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)
    | (?P<sign><=|>=|!=|[=<>()\[\],|*])
    )""",
    re.VERBOSE,
)


def parse_query(text: str) -> Query:
    """The query of a text.

    Raises:
        QueryError: it is not in the subset; the text says where.

    Examples:
        >>> parse_query("filter ispresent(policy) | limit 3").render()
        'filter ispresent(policy)\\n| limit 3'
    """
    return _Reader(text).query()


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None:
                raise QueryError(f"query, character {at + 1}: {text[at : at + 20].strip()!r} is not understood")
            kind = cast(str, found.lastgroup)
            self._tokens.append((kind, found[kind]))
            at = found.end()
        self._at = 0

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "the end")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _takes(self, *words: str) -> bool:
        kind, value = self._peek()
        if kind in ("word", "sign") and value.lower() in words:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._takes(word):
            raise QueryError(f"query: expected {word}, found {self._peek()[1]}")

    def _of_kind(self, *kinds: str) -> str:
        kind, value = self._next()
        if kind not in kinds:
            raise QueryError(f"query: expected {' or '.join(kinds)}, found {value}")
        return value

    def _name(self) -> str:
        return self._of_kind("word", "quoted")

    def query(self) -> Query:
        commands = [self._command()]
        while self._takes("|"):
            commands.append(self._command())
        if self._peek()[0] != "end":
            raise QueryError(f"query: expected | or the end, found {self._peek()[1]}")
        return Query(*commands)

    def _command(self) -> Command:
        name = self._of_kind("word").lower()
        readers: dict[str, Callable[[], Command]] = {
            "fields": lambda: Fields(tuple(self._list(self._column))),
            "filter": lambda: Filter(self._disjunction()),
            "stats": self._stats,
            "sort": self._sort,
            "limit": lambda: Limit(int(self._of_kind("number"))),
        }
        if name not in readers:
            raise QueryError(f"query: {name} is not one of {', '.join(readers)}")
        return readers[name]()

    def _list(self, read: Callable[[], Any]) -> list[Any]:
        found = [read()]
        while self._takes(","):
            found.append(read())
        return found

    def _column(self) -> Column:
        value: str | DateFloor = self._name()
        if value.lower() == "datefloor" and self._takes("("):
            self._expect("@timestamp")
            self._expect(",")
            value = DateFloor(self._of_kind("period"))
            self._expect(")")
        return Column(value, self._name() if self._takes("as") else "")

    def _stats(self) -> Stats:
        aggregates = tuple(self._list(self._aggregate))
        return Stats(aggregates, tuple(self._list(self._name)) if self._takes("by") else ())

    def _aggregate(self) -> Aggregate:
        function = cast(Any, self._of_kind("word").lower())
        self._expect("(")
        field = "*" if self._takes("*") else self._name()
        self._expect(")")
        self._expect("as")
        return Aggregate(function, field, self._name())

    def _sort(self) -> Sort:
        field = self._name()
        if self._takes("asc"):
            return Sort(field, descending=False)
        self._takes("desc")
        return Sort(field)

    def _disjunction(self) -> Condition:
        found = [self._conjunction()]
        while self._takes("or"):
            found.append(self._conjunction())
        return found[0] if len(found) == 1 else AnyOf(*found)

    def _conjunction(self) -> Condition:
        found = [self._condition()]
        while self._takes("and"):
            found.append(self._condition())
        return found[0] if len(found) == 1 else All(*found)

    def _condition(self) -> Condition:
        if self._takes("("):
            inner = self._disjunction()
            self._expect(")")
            return inner
        field = self._name()
        if field.lower() == "ispresent" and self._takes("("):
            name = self._name()
            self._expect(")")
            return IsPresent(name)
        if self._takes("like"):
            return Like(field, _unquoted(self._of_kind("text")))
        if self._takes("in"):
            self._expect("[")
            values = self._list(lambda: _unquoted(self._of_kind("text")))
            self._expect("]")
            return In(field, tuple(values))
        sign = self._of_kind("sign")
        kind, value = self._next()
        if kind not in ("text", "number"):
            raise QueryError(f"query: expected a text or a number, found {value}")
        return Compare(field, sign, _unquoted(value) if kind == "text" else int(value))


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])
