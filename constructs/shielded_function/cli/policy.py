"""`shielded-function explain`, `decide` and `presets`: a policy in plain words, its decision, the needs of libraries.

The C core, which also runs inside the function, makes the decisions.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.text import Text

from shielded_function.errors import ShieldError
from shielded_function.names import POLICY_FILE_VARIABLE
from shielded_function.perimeter.walls import wall_of
from shielded_function.policy import ShieldPolicy
from shielded_function.policy.fields import KINDS, setting_of
from shielded_function.policy.presets import PRESETS

from .failures import FOUND, NO, CliError, read_file
from .openings import openings
from .options import Decide, Explain
from .terminal import Cells, cell, console, print_json, table

_STATUS = {"deny": NO, "unknown": FOUND}


def load(file: Path | None, environment: Mapping[str, str]) -> ShieldPolicy:
    """Reads the policy from a file, or else from the SHIELD_* variables, as the function would.

    Args:
        file: YAML, TOML or JSON, by its ending, or else `NAME=value` lines.
        environment: all variables; SHIELD_POLICY_FILE names a file of `NAME=value` lines.

    Raises:
        CliError: no variable is set.
        ShieldPolicyError: the file cannot be read, or a setting is wrong.
        CoreError: the core is not built.
    """
    if file is not None:
        return ShieldPolicy.from_file(file)
    ours = {n: v for n, v in environment.items() if n.startswith("SHIELD_") and n != "SHIELD_STATE"}  # the engine's own
    if not ours:
        raise CliError("there is no policy: set SHIELD_* variables, or name a file with --policy")
    name = ours.get(POLICY_FILE_VARIABLE)
    return ShieldPolicy.from_env(ours, file=read_file(f"the policy file {name}", name) if name else None)


def explain(options: Explain, *, json: bool) -> int:
    """Prints the meaning of each field and the openings that remain, or both halves, as tables or as JSON; always 0."""
    policy = load(options.policy, os.environ)
    if options.perimeter:
        return _explain_perimeter(policy, options.region, json=json)
    explained, stays_open, wall = _by_field(policy), openings(policy), wall_of(policy)
    if json:
        print_json({**explained, "stays_open": [each._asdict() for each in stays_open], "wall": vars(wall)})
        return 0
    rows: list[Cells] = []
    for field, each in explained.items():
        entries: list[Mapping[str, str]] = each.get("entries", [])
        rows.append((field, "" if entries else str(each["value"]), each["meaning"]))
        rows += [("", entry["entry"], entry["meaning"]) for entry in entries]
    console().print(table("The meaning of the policy", ("field", "value", "meaning"), rows))
    console().print(table("Openings that remain", ("opening", "why", "remedy"), stays_open))
    console().print(Text(f"The cheapest wall outside of the process: {wall}. It admits {'; '.join(wall.admits)}."))
    return 0


def _explain_perimeter(policy: ShieldPolicy, region: str, *, json: bool) -> int:
    """Prints both halves of a policy: the engine's and the `ShieldPerimeter`'s; always 0.

    Raises:
        EntryError, PolicyError: DNS Firewall or a security group cannot express the policy, or there is no such region.
    """
    from shielded_function.perimeter.halves import as_json, halves_of

    if json:
        print_json(as_json(policy, region))
    else:
        title = f"The policy inside the function, and outside it in {region}"
        headings = ("field", "entry", "the engine, in the process", "a ShieldPerimeter, in the VPC")
        console().print(table(title, headings, [tuple(vars(half).values()) for half in halves_of(policy, region)]))
    return 0


def decide(options: Decide, *, json: bool) -> int:
    """Prints the decision about an event.

    Returns:
        0 when it would happen, 1 when it would be denied, 3 when an entry known only at deployment decides.

    Raises:
        CliError: there is no such event, or the target is malformed.
    """
    policy = load(options.policy, os.environ)
    try:
        decision = policy.decide(options.event, options.target, region=options.region)
    except ShieldError as error:
        raise CliError(error.reasons) from error
    if json:
        print_json(vars(decision))
    else:
        entry = f" ({decision.entry})" if decision.entry else ""
        asked = f" {options.event} {options.target}\n  because: {decision.policy}={decision.mode}, {decision.reason}"
        allow = f"\n  entry that would allow it: {decision.allow}" if decision.allow else ""
        console().print(Text.assemble(cell(decision.action), asked, entry, allow), soft_wrap=True)
    return _STATUS.get(decision.action, 0)


def presets(*, json: bool) -> int:
    """Prints the table of presets, or the same as JSON; always 0."""
    if json:
        fields = ("language", "versions", "adds", "environment", "why")
        values = [(p.language, p.versions, p.adds(), dict(p.environment), p.why) for p in PRESETS.values()]
        print_json({name: dict(zip(fields, row, strict=True)) for name, row in zip(PRESETS, values, strict=True)})
        return 0
    rows: list[Cells] = []
    for name, preset in PRESETS.items():
        first, *others = (f"{field}: {entry}" for field, entry in preset.entries())
        rows.append((name, preset.language, preset.versions, first, preset.meaning))
        rows += [("", "", "", each, "") for each in others]
    headings = ("preset", "language", "tried", "adds", "because it")
    console().print(table("Values of ShieldPolicy(presets=[...])", headings, rows))
    return 0


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
