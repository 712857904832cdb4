"""The functions of an account and region, and those of them that the user selects: by name, glob or tag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from shielded_function.globs import covers
from shielded_function.names import WRAPPER, WRAPPER_VARIABLE

from .aws import call
from .failures import CliError
from .options import Selection

Configuration = Mapping[str, Any]
"""A function as ListFunctions has it
(https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html)."""

LATEST: Final = "$LATEST"


def find_functions(client: Any, selection: Selection) -> Iterator[Configuration]:
    """The selected functions; all where nothing is named.

    Raises:
        CliError: AWS denied it, or a tag is not `KEY=VALUE` or `KEY`.
    """
    if odd := [tag for tag in selection.tags if not tag.partition("=")[0]]:
        raise CliError(f"--tag {odd[0]}: write KEY=VALUE, or KEY for any value")
    wanted = [tag.partition("=") for tag in selection.tags]
    for each in call(client, "lambda:ListFunctions", "the functions", "Functions"):
        name = each["FunctionName"]
        if selection.names and not is_selected(name, selection.names):
            continue
        if wanted:
            tags = call(client, "lambda:ListTags", name, Resource=each["FunctionArn"]).get("Tags", {})
            if not all(key in tags and (not equals or tags[key] == value) for key, equals, value in wanted):
                continue
        yield each


def is_selected(name: str, globs: Sequence[str]) -> bool:
    """Whether one of the names or globs is that of the function."""
    return any(covers(glob, name) for glob in globs)


def variables_of(function: Configuration) -> Mapping[str, str]:
    """Its variables; empty where it has none, or they cannot be read."""
    return function.get("Environment", {}).get("Variables", {})


def is_shielded(function: Configuration) -> bool:
    """Whether the shield is its exec wrapper."""
    return variables_of(function).get(WRAPPER_VARIABLE) == WRAPPER


def versions_behind(client: Any, name: str) -> Mapping[str, list[str]]:
    """The published versions to which aliases lead, with the aliases of each.

    Raises:
        CliError: AWS denied it.
    """
    found: dict[str, list[str]] = {}
    for alias in call(client, "lambda:ListAliases", name, "Aliases", FunctionName=name):
        weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        for version in {alias["FunctionVersion"], *weights} - {LATEST}:
            found.setdefault(version, []).append(alias["Name"])
    return found
