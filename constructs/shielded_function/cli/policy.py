"""`shielded-function explain` and `decide`: the meaning of a policy, and its decision about an event.

The C core, which also runs inside the function, makes the decisions.
"""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shielded_function.errors import ShieldError
from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from shielded_function.policy.fields import KINDS, setting_of
from shielded_function_runtime.core import CoreError, PolicyError

from .errors import CliError
from .openings import openings
from .terminal import FoldingTable

_FILE_VARIABLE = "SHIELD_POLICY_FILE"
_OF_THE_ENGINE = ("SHIELD_STATE",)
_STYLES = {"deny": "red", "block": "red", "alert": "yellow", "allow": "green", "unknown": "yellow"}
_STATUS = {"deny": 1, "unknown": 3}  # 2: the command failed


def load(file: Path | None, environment: Mapping[str, str]) -> ShieldPolicy:
    """Reads the policy from a file, or else from the SHIELD_* variables, as the function would.

    Args:
        file: YAML, TOML or JSON, by its ending, or else `NAME=value` lines.
        environment: all variables; SHIELD_POLICY_FILE names a file of `NAME=value` lines.

    Raises:
        CliError: the file cannot be read, no variable is set, a setting is wrong, or the core is not built.
    """
    try:
        if file is not None:
            return ShieldPolicy.from_file(file)
        ours = {n: v for n, v in environment.items() if n.startswith("SHIELD_") and n not in _OF_THE_ENGINE}
        if not ours:
            raise CliError("there is no policy: set SHIELD_* variables, or name a file with --policy")
        if _FILE_VARIABLE not in ours:
            return ShieldPolicy.from_env(ours)
        return ShieldPolicy.from_env(ours, file=_read(Path(ours[_FILE_VARIABLE])))
    except OSError as error:
        raise CliError(f"the policy file {error.filename} cannot be read: {error.strerror}") from error
    except (ShieldPolicyError, CoreError) as error:
        raise CliError(str(error)) from error


def explain(policy: ShieldPolicy, *, json: bool) -> int:
    """Prints the meaning of each field and the openings that remain, as tables or as JSON; always 0."""
    explained, stays_open = _by_field(policy), openings(policy)
    if json:
        print(json_module.dumps({**explained, "stays_open": [each._asdict() for each in stays_open]}, indent=2))
        return 0
    table = FoldingTable("opening", "why", "remedy", title="Openings that remain", title_justify="left")
    for each in stays_open:
        table.add_row(*map(escape, each))
    console = Console()
    console.print(_table(explained))
    console.print(table)
    return 0


def explain_perimeter(policy: ShieldPolicy, *, region: str, json: bool) -> int:
    """Prints both halves of a policy: the engine's and the `ShieldPerimeter`'s; always 0.

    Raises:
        CliError: DNS Firewall or a security group cannot express the policy, or there is no such region.
    """
    from shielded_function.perimeter.entries import EntryError
    from shielded_function.perimeter.halves import as_json, halves_of

    try:
        if json:
            print(json_module.dumps(as_json(policy, region), indent=2))
            return 0
        halves = halves_of(policy, region)
    except (EntryError, ShieldPolicyError, PolicyError) as error:
        raise CliError(str(error)) from error
    title = f"The policy inside the function, and outside it in {region}"
    table = FoldingTable("field", "entry", "the engine, in the process", "a ShieldPerimeter, in the VPC", title=title)
    table.title_justify = "left"
    for half in halves:
        style = _STYLES.get(half.entry, "")
        entry = f"[{style}]{escape(half.entry)}[/]" if style else escape(half.entry)
        table.add_row(half.field, entry, escape(half.engine), escape(half.perimeter))
    Console().print(table)
    return 0


def decide(policy: ShieldPolicy, event: str, target: str, *, region: str, json: bool) -> int:
    """Prints the decision about an event.

    Returns:
        0 when it would happen, 1 when it would be denied, 3 when an entry known only at deployment decides.

    Raises:
        CliError: there is no such event, or the target is malformed.
    """
    try:
        decision = policy.decide(cast(Any, event), target, region=region)
    except ShieldError as error:
        raise CliError(error.reasons) from error
    if json:
        print(json_module.dumps(vars(decision)))
    else:
        style = _STYLES[decision.action]
        console = Console(soft_wrap=True)
        console.print(f"[{style}]{decision.action}[/] {escape(f'{event} {target}')}", highlight=False)
        because = f"{decision.policy}={decision.mode}, {decision.reason}"
        console.print(f"  because: {because}" + (f" ({decision.entry})" if decision.entry else ""), markup=False)
        if decision.allow:
            console.print(f"  entry that would allow it: {decision.allow}", markup=False, highlight=False)
    return _STATUS.get(decision.action, 0)


def _by_field(policy: ShieldPolicy) -> dict[str, dict[str, Any]]:
    """The explanation of each field, with its entries."""
    found: dict[str, dict[str, Any]] = {}
    for each in policy.explain():
        if each.entry:
            found[each.field].setdefault("entries", []).append({"entry": each.entry, "meaning": each.meaning})
            continue
        setting = setting_of(each.field) if each.field in KINDS else ""
        found[each.field] = {"setting": setting, "given": each.given, "value": each.value, "meaning": each.meaning}
    return found


def _table(explained: Mapping[str, Mapping[str, Any]]) -> Table:
    table = FoldingTable("field", "value", "meaning", title="The meaning of the policy", title_justify="left")
    for field, explanation in explained.items():
        value = str(explanation["value"])
        entries: list[Mapping[str, str]] = explanation.get("entries", [])
        shown = "" if entries else escape(value)
        style = _STYLES.get(value, "")
        table.add_row(field, f"[{style}]{shown}[/]" if style else shown, escape(explanation["meaning"]))
        for entry in entries:
            table.add_row("", escape(entry["entry"]), escape(entry["meaning"]))
    return table


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CliError(f"the policy file {file} cannot be read: it is not UTF-8 text") from error
