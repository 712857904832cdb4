"""What the four runs of a workload say: how it behaves in block mode, and what it needs. No effects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lab.workloads.catalogue import Language
from lab.workloads.running import Asked, Outcome, Run
from shielded_function import ShieldPolicy
from shielded_function.policy.presets import PRESETS

FIELDS: Mapping[str, str] = {
    "outbound_connectivity": "allow_outbound",
    "read_write_tmp": "allow_tmp",
    "create_child_process": "allow_child_process",
    "executable_memory": "allow_executable_memory",
}
_PROGRAMS = "allow_child_process"
_EVENTS = {"allow_tmp": "tmp", _PROGRAMS: "exec"}
# What a program says that may not: EACCES in each language's words, a name that is not there, and what libraries make
# of them.
_DENIED = re.compile(
    r"EACCES|permission ?denied|PermissionError|AccessDenied|not permitted"
    r"|ENOTFOUND|UnresolvedAddress|name or service not known|UnknownHost|no such host|name resolution|failed to resolve"
    r"|could not (?:connect|resolve)|domain name not found|DNS resolution|No usable temporary directory",
    re.IGNORECASE,
)
# goes on: works but for what is reported. reworded: fails, and only the alert beside it speaks of permission.
Behaviour = Literal["works", "goes on", "refused", "reworded", "defect"]


@dataclass(frozen=True)
class Needs:
    """What a function has to list: presets, and entries of fields beside them."""

    presets: tuple[str, ...]
    entries: Mapping[str, tuple[str, ...]]

    @property
    def any(self) -> bool:
        """Whether there is something to list."""
        return bool(self.presets or self.entries)

    def policy(self) -> ShieldPolicy:
        """Block mode with them."""
        fields: dict[str, Any] = {name: list(each) for name, each in self.entries.items()}
        return ShieldPolicy(presets=list(self.presets), **fields)

    def to_json(self) -> dict[str, Any]:
        """As results.json has it."""
        return {"presets": list(self.presets), "entries": {field: list(each) for field, each in self.entries.items()}}

    @staticmethod
    def of_json(value: Mapping[str, Any]) -> Needs:
        """The same again."""
        return Needs(tuple(value["presets"]), {field: tuple(each) for field, each in value["entries"].items()})

    def environment(self) -> dict[str, str]:
        """What the presets want in the function's environment."""
        return environment_of(self.presets)


def environment_of(presets: Iterable[str]) -> dict[str, str]:
    """The variables that a function sets for its presets."""
    return {name: value for each in presets for name, value in PRESETS[each].environment.items()}


def needs_of(language: Language, packages: Sequence[str], alerts: Iterable[Asked], globs: Sequence[str] = ()) -> Needs:
    """The presets that settle most with least, and the alerts' own entries for the rest, in place of which `globs`
    of /tmp are taken where they match."""
    waiting = [(FIELDS[alert.policy], alert.allow, alert.path) for alert in alerts if alert.policy in FIELDS]
    taken = [each for each in globs if any(_admits({"allow_tmp": [each]}, asked) for asked in waiting)]
    waiting = [each for each in waiting if not _admits({"allow_tmp": taken}, each)]
    presets: list[str] = []
    while best := _best_preset(language, packages, waiting):
        presets.append(best)
        waiting = [each for each in waiting if not _covers(best, each)]
    entries: dict[str, tuple[str, ...]] = {}
    for field in FIELDS.values():
        by_hand = taken if field == "allow_tmp" else []
        if found := sorted({allow for name, allow, _ in waiting if name == field and allow} | set(by_hand)):
            entries[field] = tuple(found)
    return Needs(tuple(presets), entries)


def _best_preset(language: Language, packages: Sequence[str], waiting: Sequence[tuple[str, str, str]]) -> str | None:
    def rank(name: str) -> tuple[int, bool, bool, bool, int]:
        preset = PRESETS[name]
        own = any(part in (name, preset.package) for part in packages)
        of_runtime = preset.versions.startswith("CPython")  # and so of no other library
        # Anybody lists /tmp, and runs git.
        telling = [each for each in waiting if each[1] != "/tmp" and (own or of_runtime or each[0] != _PROGRAMS)]
        least = (not preset.allow_child_process, -len(preset.entries()))
        return sum(_covers(name, each) for each in telling), own, of_runtime, *least

    candidates = [name for name, preset in PRESETS.items() if preset.language == language]
    best = max(candidates, key=rank, default=None)
    return best if best and rank(best)[0] else None


def _covers(preset: str, asked: tuple[str, str, str]) -> bool:
    return _admits(PRESETS[preset].adds(), asked)


def _admits(lists: Mapping[str, Sequence[str]], asked: tuple[str, str, str]) -> bool:
    """Whether entries of a field admit what an alert was about."""
    field, allow, path = asked
    entries = lists.get(field, [])
    if not entries or field not in _EVENTS:
        return allow in entries
    fields: dict[str, Any] = {field: entries}
    event: Any = _EVENTS[field]
    return ShieldPolicy(**fields).decide(event, path).allowed


def is_denial(outcome: Outcome) -> bool:
    """Whether an error is one that a program meets where it may not."""
    return outcome.kind == "raises" and bool(_DENIED.search(f"{outcome.what} {outcome.text}"))


def behaviour_of(unshielded: Run, block: Run) -> Behaviour:
    """How the workload behaves in block mode, with nothing listed.

    A library whose first use was denied may fail in another way at its second: its program is gone, its pool closed.
    """
    pairs = list(zip(unshielded.outcomes, block.outcomes, strict=True))
    if all(_alike(plain, shielded) for plain, shielded in pairs) and not block.alerts:
        return "works"
    if all(shielded.kind == "works" for shielded in block.outcomes):
        return "goes on"
    changed = [shielded for plain, shielded in pairs if shielded.kind != "works" or plain.kind != "works"]
    if not block.alerts or any(each.kind != "raises" for each in changed):
        return "defect"
    return "refused" if is_denial(changed[0]) or _alike(*pairs[0]) else "reworded"


def _alike(plain: Outcome, shielded: Outcome) -> bool:
    """Whether both worked, or both failed by an error of the same type."""
    same = shielded.what.partition(",")[0] == plain.what.partition(",")[0]
    return plain.kind == shielded.kind and (plain.kind == "works" or same)


def differs(unshielded: Run, shielded: Run) -> str:
    """Empty, or in which invocation a run that should do the same does not."""
    for number, (plain, other) in enumerate(zip(unshielded.outcomes, shielded.outcomes, strict=True), 1):
        if not _alike(plain, other):
            return f"invocation {number}: {other.kind} ({other.what or other.text})"
    return ""
