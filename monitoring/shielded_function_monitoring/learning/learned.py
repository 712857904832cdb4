"""The result of learning for one function: additions to its policy, and targets that a person decides on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .evidence import Evidence
from .function_log import FunctionKey

LISTS: Final = (
    "allow_outbound",
    "allow_aws",
    "allow_buckets",
    "allow_tmp",
    "allow_child_process",
    "allow_executable_memory",
)
ANY_TMP: Final = ("read_write_tmp", "allow")
"""The offer that covers every name in /tmp."""
ACCEPT_ANY_TMP: Final = "=".join(ANY_TMP)
ANY_TMP_MEANS: Final = (
    'read_write_tmp="allow" opens every file in /tmp to the function, and clear_tmp, which comes with it, deletes the '
    "files of an invocation there before the next one, except for the entries of allow_tmp"
)


def unknown_targets(counts: Mapping[str, int]) -> list[str]:
    """A text about each control, of the violations that were only counted."""
    said = "{:,} violations of {} were counted and not written: their targets are unknown"
    return [said.format(count, policy) for policy, count in sorted(counts.items())]


@dataclass(frozen=True)
class Entry:
    """A field of ShieldPolicy and a value for it.

    Attributes:
        field: one of `LISTS`, `presets`, or a mode; empty without a value.
        value: an entry, a preset's name, or a mode; empty where none permits the target.
        evidence: how often it was needed.
    """

    field: str
    value: str
    evidence: Evidence

    @property
    def accept(self) -> str:
        """The `--accept` value; empty without a value."""
        is_mode = self.value and not self.field.startswith("allow_") and self.field != "presets"
        return f"{self.field}={self.value}" if is_mode else self.value


@dataclass(frozen=True)
class Addition(Entry):
    """An entry that the policy needs; a preset that takes the place of entries; or an offer, which the user chooses.

    Attributes:
        why: a remark on it, or empty. Of a pattern and an offer, why the targets are not listed one by one.
        covers: how many different targets it stands for; 0 where the value is the target.
        examples: some of them.
    """

    why: str = ""
    covers: int = 0
    examples: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """The remark, with the targets that it stands for: `for /tmp/a, /tmp/b, /tmp/c and 5 more: ...`."""
        if not self.covers:
            return self.why
        more = self.covers - len(self.examples)
        return f"for {', '.join(self.examples)}{f' and {more:,} more' if more else ''}: {self.why}"


@dataclass(frozen=True)
class Finding(Entry):
    """A target that becomes no entry by itself, and a person decides; or that a policy denies.

    Attributes:
        policy: the violated control.
        target: of the attempt.
        rule: which kind, such as `metadata-address`: of `never_learned.RULES`, or `denied`, or `missing-grant`. It, the
            field and the reason are empty where a policy denies the target.
        reason: why it becomes no entry, and the choices.
    """

    policy: str
    target: str
    rule: str = ""
    reason: str = ""


@dataclass
class Learned:
    """The result of learning for one function.

    Attributes:
        key: which function.
        cold_starts: how often the shield armed in the time.
        days: on how many days at least there was a line.
        unknown: by control, violations that were counted and not written: their targets are unknown.
        entries: the entries that its policy needs, sorted by field and value.
        presets: presets that replace entries; the caller adds them.
        offers: wildcards that the user has to choose.
        findings: targets that a person decides on.
        settings: modes that were accepted, by field; `clear_tmp` with that of /tmp.
        unproven: accepted patterns for names in /tmp of which only one start is in the log.
        uses_aws: whether a host of AWS was reported: then its policy did not admit all of them.
        admitted: how many of the observations the present policy admits already.
        incomplete: the reasons why observations may be missing; empty without one.
        notes: further remarks.
    """

    key: FunctionKey
    cold_starts: int = 0
    days: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict[str, int])
    entries: list[Addition] = field(default_factory=list[Addition])
    presets: list[Addition] = field(default_factory=list[Addition])
    offers: list[Addition] = field(default_factory=list[Addition])
    findings: list[Finding] = field(default_factory=list[Finding])
    settings: dict[str, str | bool] = field(default_factory=dict[str, "str | bool"])
    unproven: list[str] = field(default_factory=list[str])
    uses_aws: bool = False
    admitted: int = 0
    incomplete: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])

    @property
    def lists(self) -> dict[str, Any]:
        """The entries by field, as ShieldPolicy takes them."""
        return {name: [each.value for each in self.entries if each.field == name] for name in LISTS}
