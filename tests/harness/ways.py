"""The ways that programs of `inside/` have to do something, as their texts declare them."""

from __future__ import annotations

import ast
from collections import defaultdict

from harness.engine import INSIDE


def ways(*programs: str) -> dict[str, list[str]]:
    """The names in these programs, by decorator: of each decorated function, and of each row of
    `each(decorator, name=function, ...)`."""
    found: dict[str, list[str]] = defaultdict(list)
    for node in (node for program in programs for node in ast.parse((INSIDE / program).read_text()).body):
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                found[ast.unparse(decorator)].append(node.name)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "each":
            found[ast.unparse(node.value.args[0])] += [row.arg for row in node.value.keywords if row.arg]
    return found
