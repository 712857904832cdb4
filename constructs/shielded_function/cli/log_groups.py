"""Which log groups to ask: by name, by function, by stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from .asking import MAX_LOG_GROUPS, Batch
from .aws import Place, call, client
from .errors import CliError

OF_LAMBDA: Final = "/aws/lambda/"
"""What a function's own log group begins with, before its name, unless its configuration says another."""
_ACTION: Final = "lambda:GetFunctionConfiguration"


class Where(NamedTuple):
    """What the user said.

    Attributes:
        files: to read; `-` is stdin. With any, nothing is asked of AWS.
        log_groups: by name.
        functions: by name; of files and log groups, only their lines.
        stacks: of CloudFormation: all their functions, those of nested stacks too.
        since: as `parse_time` takes it; None is all of the files, and the command's own default of log groups.
        until: the same; None is now.
        place: which account and region.
    """

    files: Sequence[str] = ()
    log_groups: Sequence[str] = ()
    functions: Sequence[str] = ()
    stacks: Sequence[str] = ()
    since: str | None = None
    until: str | None = None
    place: Place = Place()


def find_batches(where: Where) -> tuple[list[Batch], tuple[str, ...]]:
    """The log groups to ask, in batches that one query takes, and the functions that were asked about.

    Log groups that are named are asked as they are. A function's own is what its configuration says; lines of other
    functions in it are left out.

    Raises:
        CliError: AWS refuses, or a stack has no function.
    """
    named = list(dict.fromkeys(where.functions))
    if where.log_groups:
        if where.stacks:
            raise CliError("give --log-group or --stack: not both")
        groups = tuple(dict.fromkeys(where.log_groups))
        return [Batch(part, tuple(named)) for part in _parts(groups)], tuple(named)
    if where.stacks:
        stack = client("cloudformation", where.place)
        for name in where.stacks:
            found = list(_functions_of_stack(stack, name))
            if not found:
                raise CliError(f"the stack {name} has no function")
            named += [function for function in found if function not in named]
    functions = client("lambda", where.place)
    by_group: dict[str, list[str]] = {}
    for name in named:
        configuration = call(_ACTION, name, functions.get_function_configuration, FunctionName=name)
        group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"{OF_LAMBDA}{configuration['FunctionName']}"
        by_group.setdefault(group, []).append(configuration["FunctionName"])
    batches: list[Batch] = []
    owners = {group: frozenset(names) for group, names in by_group.items()}
    shared = {group: names for group, names in by_group.items() if len(names) > 1}
    for group, names in shared.items():
        batches += [Batch((group,), part, {group: owners[group]}) for part in _parts(tuple(names))]
    for part in _parts(tuple(group for group in by_group if group not in shared)):
        functions_of_part = tuple(by_group[group][0] for group in part)
        batches.append(Batch(part, functions_of_part, {group: owners[group] for group in part}))
    return batches, tuple(sorted(name for names in by_group.values() for name in names))


def _parts(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for at in range(0, len(names), MAX_LOG_GROUPS):
        yield names[at : at + MAX_LOG_GROUPS]


def _functions_of_stack(stack: Any, name: str) -> Iterator[str]:
    todo, seen = [name], set[str]()
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        for resource in _resources(stack, current):
            kind, identity = resource["ResourceType"], resource.get("PhysicalResourceId", "")
            if kind == "AWS::Lambda::Function" and identity:
                yield identity
            elif kind == "AWS::CloudFormation::Stack" and identity:
                todo.append(identity)


def _resources(stack: Any, name: str) -> list[dict[str, Any]]:
    def read(StackName: str) -> list[dict[str, Any]]:
        pages = stack.get_paginator("list_stack_resources").paginate(StackName=StackName)
        return [each for page in pages for each in page["StackResourceSummaries"]]

    return call("cloudformation:ListStackResources", f"the stack {name}", read, StackName=name)
