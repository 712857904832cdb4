"""`shielded-function set-mode`: changes the modes of live functions in an incident.

It changes only `SHIELD_<CONTROL>` in a function's environment. docs/guide/runbook.md tells how the next
deployment changes the mode again.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import typer

from shielded_function.globs import is_glob
from shielded_function.names import POLICY_FILE_VARIABLE, WRAPPER, WRAPPER_VARIABLE
from shielded_function.policy.fields import setting_of
from shielded_function_monitoring.visible import visible

from .aws import call
from .aws import client as client_of
from .failures import NO, NOT_WHOLE, CliError
from .live_functions import LATEST, Configuration, find_functions, is_shielded, variables_of, versions_behind
from .modes import MODES, POLICIES
from .options import Selection, SetMode
from .terminal import note, print_json

DEFAULT = "default"
"""The word in place of a mode that removes the variable."""

# A name or an ARN, with the version or alias that may follow it.
# https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
_NAME = re.compile(r"(?:(?:arn:[^:]+:lambda:)?(?:[^:]*:)?\d{12}:function:)?[A-Za-z0-9_-]+(?::(?P<qualifier>[^:]+))?")
_DEPLOY = (
    "A deployment that updates this function restores the template's mode; any other deployment leaves the change in "
    "place, as drift. Set the mode in the policy as well, or undo the change."
)


class Change(NamedTuple):
    """One control's mode, before and after. Empty: the variable is not set."""

    policy: str
    before: str
    after: str


@dataclass
class Target:
    """One function, and its result: as JSON has it, without the configuration."""

    function: str
    configuration: Configuration
    changes: list[Change] = field(default_factory=list[Change])
    changed: bool = False
    aliases: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    aliases_note: str = ""
    undo: str = ""
    error: str = ""


def set_mode(options: SetMode, *, json: bool) -> int:
    """Changes the functions and prints before and after.

    Returns:
        0 when they have the modes, 1 when the user declined, 2 when one of several could not be changed.

    Raises:
        CliError: nothing is named, or the only function that is named cannot be changed.
    """
    names = [word for word in options.words if "=" not in word]
    wanted = parse_assignments([word for word in options.words if "=" in word])
    if not wanted:
        raise CliError(f"{names[-1] if names else 'a mode'}: write control=mode, such as outbound_connectivity=alert")
    _check_names(names, options)
    client = client_of("lambda", options.place)
    targets = list(_targets(client, names, options))
    is_one = len(targets) == 1 and names == [targets[0].function]

    def prepare(target: Target) -> None:
        target.changes = plan(target.function, target.configuration, wanted)
        try:
            target.aliases = {**versions_behind(client, target.function)}
        except CliError as error:
            target.aliases_note = f"its aliases are unknown: {error}"
        target.undo = undo(target.function, target.changes, options) if target.changes else ""

    _do(prepare, targets, is_one=is_one)
    show = partial(print, sep="\n", file=sys.stderr if json else sys.stdout)
    for target in targets:
        show(*map(visible, _described(target)))
    changing = [target for target in targets if target.changes]
    if changing and not options.dry_run:
        if not options.yes and not _confirmed(changing[0].function if is_one else f"{len(changing)} functions"):
            note("nothing was changed")
            return NO
        _do(partial(_update, client), changing, is_one=is_one)
        _do(partial(_wait, client), changing, is_one=is_one)  # each change runs while others are asked for
        show(*(visible(target.error or f"{target.function}: changed") for target in changing))
        show(_DEPLOY, *(f"to undo: {visible(target.undo)}" for target in changing if target.changed))
    elif changing:
        show("dry run: nothing was changed")
    if json:
        results = [{**vars(target), "changes": [each._asdict() for each in target.changes]} for target in targets]
        print_json({"functions": [{k: v for k, v in each.items() if k != "configuration"} for each in results]})
    return NOT_WHOLE if any(target.error for target in targets) else 0


def _do(step: Callable[[Target], None], targets: Iterable[Target], *, is_one: bool) -> None:
    """Takes a step with each function that has no error yet: several errors are printed at the end, one is raised."""
    for target in targets:
        try:
            if not target.error:
                step(target)
        except CliError as error:
            if is_one:
                raise
            target.error = str(error)


def _check_names(names: Sequence[str], options: SetMode) -> None:
    if not (names or options.tags or options.every):
        raise CliError("name a function, a glob such as 'shop-*', --tag KEY=VALUE, or --all")
    if options.every and names:
        raise CliError("--all is every function: name none")
    for name in names:
        named = _NAME.fullmatch(name)
        if named is None and not is_glob(name):
            raise CliError(f"{name} is not a function's name or ARN")
        if named and named["qualifier"] not in (None, LATEST):
            raise CliError(
                f"{name}: a published version cannot be changed, and an alias has no environment; name the function "
                f"without :{named['qualifier']}"
            )


def _targets(client: Any, names: Sequence[str], options: SetMode) -> Iterator[Target]:
    """The functions by name or ARN; those that globs, tags or `--all` select, if they are shielded."""
    if not options.tags and names and not any(map(is_glob, names)):
        for name in names:
            yield Target(name, call(client, "lambda:GetFunctionConfiguration", name, FunctionName=name))
        return
    found = list(find_functions(client, Selection(names, options.tags)))
    shielded = [each for each in found if "Error" in each.get("Environment", {}) or is_shielded(each)]
    note(f"{len(found)} functions are selected; {len(found) - len(shielded)} of them are not shielded, and left out")
    yield from (Target(each["FunctionName"], each) for each in shielded)


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
    if not is_shielded(configuration):
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


def _update(client: Any, target: Target) -> None:
    changed = {setting_of(change.policy): change.after for change in target.changes}
    every = {**variables_of(target.configuration), **changed}
    variables = {name: value for name, value in every.items() if value or name not in changed}
    revision = {"RevisionId": target.configuration["RevisionId"]} if "RevisionId" in target.configuration else {}
    asked = {"FunctionName": target.function, "Environment": {"Variables": variables}, **revision}
    call(client, "lambda:UpdateFunctionConfiguration", target.function, **asked)


def _wait(client: Any, target: Target) -> None:
    from botocore.exceptions import WaiterError

    try:
        client.get_waiter("function_updated").wait(FunctionName=target.function)
    except WaiterError as error:
        reason = error.last_response.get("LastUpdateStatusReason", str(error))
        raise CliError(f"{target.function}: the change was requested and has not finished: {reason}") from error
    target.changed = True


def _confirmed(function: str) -> bool:
    try:
        return typer.confirm(f"Change {function} now?", err=True)
    except typer.Abort as error:
        raise CliError("no terminal for the confirmation: add --yes, or --dry-run") from error


def _described(target: Target) -> Iterator[str]:
    yield target.configuration["FunctionArn"]
    if target.error:
        yield f"  {target.error}"
    elif not target.changes:
        yield "  the modes are set already: nothing to change"
    for change in target.changes:
        yield f"  {change.policy}: {change.before or 'not set'} -> {change.after or 'not set'}"
    for version, names in target.aliases.items():
        yield (
            f"  version {version}, to which the alias {', '.join(names)} leads, keeps its modes, as it cannot be "
            "changed. Publish a new version afterwards, and point the alias to it."
        )
    if target.aliases_note:
        yield target.aliases_note
