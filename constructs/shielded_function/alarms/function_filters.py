"""The metric filters on log groups that functions share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
from constructs import Construct

from shielded_function_monitoring.filters import longest_of_functions, of_functions
from shielded_function_monitoring.pattern import MAX_LENGTH

from ..reading.late import late_text

if TYPE_CHECKING:
    from aws_cdk import aws_logs as logs

    from .watches import Counter

_ID: Final = "ShieldedLogGroups"
NO_FUNCTION: Final = "-"
"""Stands in a pattern for a function that its condition leaves out."""


class SharedFilters:
    """The metric filters of a stack on log groups that functions share, or may share later.

    A filter counts as many functions as fit into its pattern, as CloudWatch allows 100 filters on a log group. It is
    outside the functions, so that one function may depend on another with all its resources.
    """

    def __init__(self, stack: cdk.Stack) -> None:
        self._stack = stack
        self._made: dict[tuple[str, str], list[tuple[str, list[str], logs.MetricFilter]]] = {}
        """By log group and counter: patterns, the names of their functions, and the filters."""

    def filter_of(
        self,
        log_group: logs.ILogGroup,
        log_group_name: str,
        counter: Counter,
        function_name: str,
        make: Callable[[Construct, str], logs.MetricFilter],
    ) -> logs.MetricFilter:
        """The filter that counts a function's lines.

        Args:
            log_group: the function's log group.
            log_group_name: its name, possibly a token.
            counter: the violations to count.
            function_name: the function's name, possibly a token.
            make: creates a filter in a construct, with a pattern.
        """
        made = self._made.setdefault((log_group_name, counter.key), [])
        for pattern, names, found in made:
            if pattern == counter.pattern and longest_of_functions(pattern, [*names, function_name]) <= MAX_LENGTH:
                names.append(function_name)
                return found
        names = [function_name]
        found = make(self._scope(log_group, len(made)), late_text(partial(of_functions, counter.pattern, names)))
        made.append((counter.pattern, names, found))
        return found

    def rename(self, function_name: str, name: str) -> None:
        """Replaces a function's name in all patterns."""
        for _, names, _ in (each for made in self._made.values() for each in made):
            names[:] = [name if each == function_name else each for each in names]

    def _scope(self, log_group: logs.ILogGroup, number: int) -> Construct:
        """Named by the log group's address, so that the order of functions does not change the filter's logical id."""
        parent: Any = self._stack.node.try_find_child(_ID) or Construct(self._stack, _ID)
        name = f"{log_group.node.addr[-8:]}{number or ''}"
        return parent.node.try_find_child(name) or Construct(parent, name)
