"""The log groups to query: by name, function or stack, or all with the shield's metric filters."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from shielded_function_monitoring.filters import COUNTED, NAMESPACE, SEVERITIES, metric_name

from .asking import MAX_LOG_GROUPS, Batch
from .aws import call, client
from .failures import CliError
from .options import Place, Where

OF_LAMBDA: Final = "/aws/lambda/"
"""The prefix of a function's log group, unless its configuration names another."""
_OF_FUNCTION: Final = re.compile(r'\$\.function = "([^"]+)"')


def find_batches(where: Where) -> tuple[list[Batch], tuple[str, ...]]:
    """The log groups to query, in batches of one query, and the requested functions.

    Named log groups are queried directly. The log group of a function comes from its configuration; lines of other
    functions in it are left out. Without names, all log groups with a metric filter of the shield are queried.

    Raises:
        CliError: AWS denies a request, a stack has no function, --stack is beside --log-group, or there is no filter.
    """
    named = list(dict.fromkeys(where.functions))
    if not (named or where.log_groups or where.stacks):
        return _all_batches(where.place)
    if where.log_groups and where.stacks:
        raise CliError("give --log-group or --stack: not both")
    for name in where.stacks:
        found = list(_functions_of(client("cloudformation", where.place), name))
        if not found:
            raise CliError(f"the stack {name} has no function")
        named += [function for function in found if function not in named]
    if where.log_groups:
        groups = tuple(dict.fromkeys(where.log_groups))
        return [Batch(part, tuple(named)) for part in _parts(groups)], tuple(named)
    functions = client("lambda", where.place)
    by_group: dict[str, list[str]] = {}
    for name in named:
        configuration = call(functions, "lambda:GetFunctionConfiguration", name, FunctionName=name)
        group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"{OF_LAMBDA}{configuration['FunctionName']}"
        by_group.setdefault(group, []).append(configuration["FunctionName"])
    return batches_of(by_group)


def batches_of(by_group: Mapping[str, Collection[str]]) -> tuple[list[Batch], tuple[str, ...]]:
    """The batches for functions by log group; all lines of a log group whose functions are unknown."""
    owners = {group: frozenset(names) for group, names in by_group.items() if names}
    shared = [group for group, names in by_group.items() if len(names) > 1]
    batches = [Batch((group,), part, {group: owners[group]}) for group in shared for part in _parts(by_group[group])]
    for count in (1, 0):
        for part in _parts([group for group, names in by_group.items() if len(names) == count]):
            names = tuple(name for group in part for name in by_group[group])
            batches.append(Batch(part, names, {group: owners[group] for group in part} if count else {}))
    return batches, tuple(sorted(name for names in by_group.values() for name in names))


def _all_batches(place: Place) -> tuple[list[Batch], tuple[str, ...]]:
    logs = client("logs", place)
    by_group: dict[str, dict[str, None]] = {}
    for metric in (metric_name(), *(metric_name(name) for name in (*SEVERITIES, *COUNTED))):
        asked = {"metricName": metric, "metricNamespace": NAMESPACE}
        for found in call(logs, "logs:DescribeMetricFilters", "the metric filters", "metricFilters", **asked):
            names = dict.fromkeys(_OF_FUNCTION.findall(found.get("filterPattern", "")))
            by_group.setdefault(found["logGroupName"], {}).update(names)
    if not by_group:
        raise CliError(f"no log group here has a metric filter of {NAMESPACE}; name a source: files, -g, -n or -s")
    return batches_of(by_group)  # a foreign filter names no function


def _parts(names: Collection[str]) -> Iterator[tuple[str, ...]]:
    for at in range(0, len(names), MAX_LOG_GROUPS):
        yield tuple(names)[at : at + MAX_LOG_GROUPS]


def _functions_of(stack: Any, name: str) -> Iterator[str]:
    """The functions of a stack and of those nested in it."""
    action, subject = "cloudformation:ListStackResources", f"the stack {name}"
    for resource in call(stack, action, subject, "StackResourceSummaries", StackName=name):
        kind, identity = resource["ResourceType"], resource.get("PhysicalResourceId")
        if identity and kind == "AWS::Lambda::Function":
            yield identity
        elif identity and kind == "AWS::CloudFormation::Stack":
            yield from _functions_of(stack, identity)
