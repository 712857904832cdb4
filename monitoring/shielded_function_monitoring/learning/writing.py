"""Writes a learned policy as TOML or Python, with the evidence beside each entry.

`fields` are those that differ from ShieldPolicy's defaults. An attacker can choose the text of comments (names,
callers): nothing in it can end the comment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shielded_function_monitoring.visible import quote, visible

from .evidence import times
from .learned import Learned


@dataclass(frozen=True)
class Heading:
    """The comments above a policy, and beside its entries.

    Attributes:
        lines: the comment on top.
        beside: the comment of an entry, by field and entry.
    """

    lines: Sequence[str] = ()
    beside: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    @classmethod
    def of(cls, learned: Learned) -> Heading:
        """The heading of a learned policy."""
        key = learned.key
        place = f" ({', '.join(part for part in (key.region, key.account) if part)})" if key.region else ""
        lines = [f"Learned from the observed calls of {key}{place}."]
        lines.append(f"Observed: {times(learned.cold_starts, 'cold start')}, {times(learned.days, 'day')}.")
        lines += [f"INCOMPLETE: {reason}." for reason in learned.incomplete]
        lines += [f"Note: {note}." for note in learned.notes]
        for each in learned.findings:
            who = f", for {', '.join(each.evidence.chains)}" if each.evidence.chains else ""
            lines.append(f"Not learned ({each.rule}): {each.target}, {times(each.evidence.count, 'time')}{who}.")
        for each in learned.offers:
            covers = f"would cover {each.covers} names, {times(each.evidence.count, 'time')}"
            lines.append(f"Offered: {each.field} {each.value} {covers}.")
        remarks = [(each, each.note) for each in learned.entries]
        remarks += [(each, f"settles {each.settles}") for each in learned.presets]
        beside = {
            (each.field, each.value): visible("; ".join(filter(None, (each.evidence.summary, remark))))
            for each, remark in remarks
        }
        return cls(tuple(map(visible, lines)), beside)


def write_toml(fields: Mapping[str, Any], heading: Heading) -> str:
    """As TOML, which `ShieldPolicy.from_file` reads."""
    return _comment(heading) + _fields(fields, heading, " = ", "", {True: "true", False: "false"})


def write_python(fields: Mapping[str, Any], heading: Heading) -> str:
    """As a `ShieldPolicy` in Python."""
    body = _fields(fields, heading, "=", ",", {True: "True", False: "False", None: "None"})
    body = "".join(f"    {line}\n" for line in body.splitlines())
    call = f"ShieldPolicy(\n{body})" if fields else "ShieldPolicy()"
    return f"{_comment(heading)}from shielded_function import ShieldPolicy\n\npolicy = {call}\n"


def _comment(heading: Heading) -> str:
    return "".join(f"# {line}\n" for line in heading.lines)


def _fields(fields: Mapping[str, Any], heading: Heading, equals: str, end: str, words: Mapping[Any, str]) -> str:
    lines: list[str] = []
    for name, value in fields.items():
        if isinstance(value, (list, tuple)) and value:
            comments = [heading.beside.get((name, each), "") for each in value]
            lines.append(f"{name}{equals}[")
            lines += [
                f"    {quote(each)}," + (f"  # {comment}" if comment else "")
                for each, comment in zip(value, comments, strict=True)
            ]
            lines.append(f"]{end}")
        else:
            text = "[]" if isinstance(value, (list, tuple)) else words.get(value) or quote(str(value))
            lines.append(f"{name}{equals}{text}{end}")
    return "".join(f"{line}\n" for line in lines)
