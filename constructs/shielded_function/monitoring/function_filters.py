"""The metric filters of a stack: each counts the lines of the functions that it names, and of no others.

What a function prints may look like a line of the shield, with any name in it. CloudWatch may disable a filter that
sees 1,000 different values of its dimensions within an hour
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html): a filter that believed
any name would be put out of action by whoever has a thousand lines printed, and every alarm with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
import jsii

from shielded_function_monitoring.pattern import MAX_LENGTH

if TYPE_CHECKING:
    from aws_cdk import aws_logs as logs

    from .watches import Counter

MAX_NAME: Final = 64
"""Characters of a function's name; one that is known only at deployment may have as many."""


def of_functions(pattern: str, names: Sequence[str]) -> str:
    """A filter pattern that holds for the lines of these functions alone.

    >>> of_functions('{ ($.count >= 1) && ($.policy = "*") }', ["checkout"])
    '{ ($.function = "checkout") && ($.count >= 1) && ($.policy = "*") }'
    """
    named = [f'($.function = "{name}")' for name in names]
    condition = named[0] if len(named) == 1 else f"({' || '.join(named)})"
    return f"{{ {condition} && {pattern.removeprefix('{ ')}"


def longest_of_functions(pattern: str, names: Sequence[str]) -> int:
    """The characters of the pattern of `of_functions`, when the names are known."""
    return len(of_functions(pattern, ["x" * MAX_NAME if "${" in name else name for name in names]))


class FunctionFilters:
    """The metric filters of a stack.

    Functions that share a log group share its filters, as many as fit: CloudWatch takes 100 filters on a log group.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, tuple[str, ...], str], list[tuple[list[str], logs.MetricFilter]]] = {}

    def filter_of(
        self,
        log_group_name: str,
        counter: Counter,
        function_name: str,
        make: Callable[[str], logs.MetricFilter],
        *,
        alone: bool,
    ) -> logs.MetricFilter:
        """The filter that counts a function's lines.

        Args:
            log_group_name: the log group's name, maybe a token.
            counter: what is to be counted.
            function_name: the function's name, maybe a token.
            make: makes a filter with a pattern.
            alone: no other function can log there.
        """
        if alone:
            return make(of_functions(counter.pattern, [function_name]))
        made = self._made.setdefault((log_group_name, counter.metric, tuple(counter.dimensions), counter.pattern), [])
        for names, found in made:
            if longest_of_functions(counter.pattern, [*names, function_name]) <= MAX_LENGTH:
                names.append(function_name)
                return found
        names = [function_name]
        made.append((names, make(cdk.Lazy.uncached_string(_Named(counter.pattern, names)))))
        return made[-1][1]


@jsii.implements(cdk.IStringProducer)
class _Named:
    """Asked when every function of the log group is known."""

    def __init__(self, pattern: str, names: Sequence[str]) -> None:
        self._pattern = pattern
        self._names = names

    def produce(self, context: cdk.IResolveContext) -> str:
        """Called by the CDK."""
        del context
        return of_functions(self._pattern, self._names)
