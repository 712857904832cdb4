"""The ways that programs of `inside/` have to do something, as their texts declare them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence

from harness.engine import INSIDE

_TABLES = ("each", "effects")


def declared(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Decorator and name: of each decorated function, and of each row of `each(decorator, name=function, ...)`."""
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield from ((ast.unparse(decorator), node.name) for decorator in node.decorator_list)
        elif (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in _TABLES
        ):
            yield from ((ast.unparse(node.value.args[0]), row.arg) for row in node.value.keywords if row.arg)


def ways(*programs: str) -> dict[str, list[str]]:
    """The names in these programs, by decorator."""
    found: dict[str, list[str]] = defaultdict(list)
    for program in programs:
        for decorator, name in declared(ast.parse((INSIDE / program).read_text()).body):
            found[decorator].append(name)
    return found
