"""`shielded-function set-mode`: changes the modes of one live function in an incident.

It changes only `SHIELD_<CONTROL>` in the function's environment. docs/guide/runbook.md tells how the next
deployment changes the mode again.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import typer

from shielded_function.names import POLICY_FILE_VARIABLE, WRAPPER, WRAPPER_VARIABLE
from shielded_function.policy.fields import setting_of
from shielded_function_monitoring.visible import visible

from .aws import call
from .aws import client as client_of
from .failures import NO, CliError
from .modes import MODES, POLICIES
from .options import SetMode
from .terminal import note, print_json

DEFAULT = "default"
"""The word in place of a mode that removes the variable."""

# A name or an ARN, with the version or alias that may follow it.
# https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
_NAME = re.compile(r"(?:(?:arn:[^:]+:lambda:)?(?:[^:]*:)?\d{12}:function:)?[A-Za-z0-9_-]+(?::(?P<qualifier>[^:]+))?")
_LATEST = "$LATEST"
_DEPLOY = (
    "A deployment that updates this function restores the template's mode; any other deployment leaves the change in "
    "place, as drift. Set the mode in the policy as well, or undo the change."
)


class Change(NamedTuple):
    """One control's mode, before and after. Empty: the variable is not set."""

    policy: str
    before: str
    after: str


def set_mode(options: SetMode, *, json: bool) -> int:
    """Changes the function and prints before and after; 0 when it has the modes, 1 when the user declined.

    Raises:
        CliError: it cannot be changed.
    """
    function = options.function
    named = _NAME.fullmatch(function)
    if named is None:
        raise CliError(f"{function} is not a function's name or ARN")
    if named["qualifier"] not in (None, _LATEST):
        raise CliError(
            f"{function}: a published version cannot be changed, and an alias has no environment; name the function "
            f"without :{named['qualifier']}"
        )
    wanted = parse_assignments(options.modes)
    client = client_of("lambda", options.place)
    configuration = call(client, "lambda:GetFunctionConfiguration", function, FunctionName=function)
    changes = plan(function, configuration, wanted)
    aliases, aliases_note = _aliases(client, function)
    result: dict[str, Any] = {
        "function": configuration["FunctionArn"],
        "changes": [change._asdict() for change in changes],
        "changed": False,
        "aliases": aliases,
        "aliases_note": aliases_note,
        "undo": undo(function, changes, options) if changes else "",
    }
    show = partial(print, sep="\n", file=sys.stderr if json else sys.stdout)
    show(*map(visible, _described(result, changes)))
    if changes and not options.dry_run:
        if not options.yes and not _confirmed(function):
            note("nothing was changed")
            return NO
        _update(client, function, configuration, changes)
        result["changed"] = True
        show(f"changed. {_DEPLOY}", f"to undo: {visible(result['undo'])}")
    elif changes:
        show("dry run: nothing was changed")
    if json:
        print_json(result)
    return 0


def parse_assignments(assignments: Sequence[str]) -> dict[str, str]:
    """`control=mode`, once for each control.

    Raises:
        CliError: an assignment is malformed, names an unknown control or mode, or repeats a control.
    """
    wanted: dict[str, str] = {}
    for text in assignments:
        policy, equals, mode = text.partition("=")
        policy = policy.lower().removeprefix("shield_")
        if not equals:
            raise CliError(f"{text}: write control=mode, such as outbound_connectivity=alert")
        if policy not in POLICIES:
            raise CliError(f"{text}: unknown control; known are {', '.join(POLICIES)}")
        if mode not in (*MODES, DEFAULT):
            raise CliError(f"{text}: unknown mode; known are {', '.join(MODES)}, and {DEFAULT}")
        if policy in wanted:
            raise CliError(f"{policy} is given twice")
        wanted[policy] = mode
    return wanted


def plan(function: str, configuration: Mapping[str, Any], wanted: Mapping[str, str]) -> list[Change]:
    """The changes to make; empty when there are none.

    Raises:
        CliError: the function is not shielded, its variables cannot be read, or a mode may be in its policy file.
    """
    environment = configuration.get("Environment", {})
    if error := environment.get("Error"):
        raise CliError(
            f"{function}: its variables cannot be read ({error.get('Message', error.get('ErrorCode', ''))}): allow "
            "kms:Decrypt on the key that encrypts them"
        )
    variables: Mapping[str, str] = environment.get("Variables", {})
    if variables.get(WRAPPER_VARIABLE) != WRAPPER:
        raise CliError(f"{function} is not shielded: its {WRAPPER_VARIABLE} is not {WRAPPER}; there is no mode to set")
    changes = []
    for policy, mode in wanted.items():
        before, after = variables.get(setting_of(policy), ""), "" if mode == DEFAULT else mode
        if not before and after and POLICY_FILE_VARIABLE in variables:
            # The shield refuses to start when a setting is given twice.
            raise CliError(
                f"{function}: {setting_of(policy)} is not in its environment and may be in the policy file "
                f"{variables[POLICY_FILE_VARIABLE]}: change it there"
            )
        if before != after:
            changes.append(Change(policy, before, after))
    return changes


def undo(function: str, changes: Sequence[Change], options: SetMode) -> str:
    """The command that restores the modes."""
    words = ["shielded-function", "set-mode", function]
    words += [f"{change.policy}={change.before or DEFAULT}" for change in changes]
    words += ["--region", options.place.region] if options.place.region else []
    words += ["--profile", options.place.profile] if options.place.profile else []
    return shlex.join(words)


def _aliases(client: Any, function: str) -> tuple[list[dict[str, str]], str]:
    """The aliases of published versions, or why they are unknown."""
    try:
        found = call(client, "lambda:ListAliases", function, "Aliases", FunctionName=function)
    except CliError as error:
        return [], f"its aliases are unknown: {error}"
    versions = [
        {"alias": alias["Name"], "version": version}
        for alias in found
        for version in (alias["FunctionVersion"], *alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))
    ]
    return [entry for entry in versions if entry["version"] != _LATEST], ""


def _update(client: Any, function: str, configuration: Mapping[str, Any], changes: Sequence[Change]) -> None:
    from botocore.exceptions import WaiterError

    variables = dict(configuration["Environment"]["Variables"])
    for change in changes:
        if change.after:
            variables[setting_of(change.policy)] = change.after
        else:
            del variables[setting_of(change.policy)]
    revision = {"RevisionId": configuration["RevisionId"]} if "RevisionId" in configuration else {}
    asked = {"FunctionName": function, "Environment": {"Variables": variables}, **revision}
    call(client, "lambda:UpdateFunctionConfiguration", function, **asked)
    try:
        client.get_waiter("function_updated").wait(FunctionName=function)
    except WaiterError as error:
        reason = error.last_response.get("LastUpdateStatusReason", str(error))
        raise CliError(f"{function}: the change was requested and has not finished: {reason}") from error


def _confirmed(function: str) -> bool:
    try:
        return typer.confirm(f"Change {function} now?", err=True)
    except typer.Abort as error:
        raise CliError("no terminal for the confirmation: add --yes, or --dry-run") from error


def _described(result: Mapping[str, Any], changes: Sequence[Change]) -> Iterator[str]:
    yield result["function"]
    if not changes:
        yield "  the modes are set already: nothing to change"
    for change in changes:
        yield f"  {change.policy}: {change.before or 'not set'} -> {change.after or 'not set'}"
    for entry in result["aliases"]:
        yield (
            f"  the alias {entry['alias']} leads to version {entry['version']}, which keeps its modes, as it cannot "
            "be changed. Publish a new version afterwards, and point the alias to it."
        )
    if result["aliases_note"]:
        yield result["aliases_note"]
