"""Writes a learned policy as TOML or Python, with the evidence beside each entry.

`fields` are those that differ from ShieldPolicy's defaults. An attacker can choose the text of comments (names,
callers): nothing in it can end the comment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shielded_function_monitoring.visible import quote, visible

from .evidence import Evidence
from .learner import Learned

_EXAMPLES: Final = 3


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
        lines.append(f"Observed: {_times(learned.cold_starts, 'cold start')}, {_times(learned.days, 'day')}.")
        lines += [f"INCOMPLETE: {reason}." for reason in learned.incomplete]
        lines += [f"Note: {note}." for note in learned.notes]
        for each in learned.findings:
            who = f", for {', '.join(each.evidence.chains)}" if each.evidence.chains else ""
            lines.append(f"Not learned ({each.rule}): {each.target}, {_times(each.evidence.count, 'time')}{who}.")
        for offer in learned.offers:
            lines.append(
                f"Offered: {offer.field} {offer.value} would cover {offer.covers} names, "
                f"{_times(offer.evidence.count, 'time')}."
            )
        beside = {
            (each.field, each.value): beside_entry(each.evidence) + (f"; {each.note}" if each.note else "")
            for each in learned.entries
        }
        for each in learned.presets:
            some = ", ".join(each.settles[:_EXAMPLES])
            more = f" and {len(each.settles) - _EXAMPLES:,} more" if len(each.settles) > _EXAMPLES else ""
            beside["presets", each.name] = f"{beside_entry(each.evidence)}; settles {some}{more}"
        return cls(tuple(map(visible, lines)), {key: visible(text) for key, text in beside.items()})


def beside_entry(evidence: Evidence) -> str:
    """`412 times on 6 days, 2026-11-18 to 2026-11-24, by _socket.so, for app > requests > urllib3`."""
    first, last = evidence.first[:10], evidence.last[:10]
    when = first if first == last else f"{first} to {last}"
    text = f"{_times(evidence.count, 'time')} on {_times(evidence.days, 'day')}, {when}"
    text += f", by {', '.join(evidence.callers)}" if evidence.callers else ""
    return f"{text}, for {', '.join(evidence.chains)}" if evidence.chains else text


def _times(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def write_toml(fields: Mapping[str, Any], heading: Heading) -> str:
    """As TOML, which `ShieldPolicy.from_file` reads."""
    return _write(fields, heading, "{} = {}", "    {},", "]")


def write_python(fields: Mapping[str, Any], heading: Heading) -> str:
    """As a `ShieldPolicy` in Python."""
    body = _write(fields, Heading((), heading.beside), "    {}={},", "        {},", "    ],", python=True)
    opening = _comment(heading) + "from shielded_function import ShieldPolicy\n\n"
    return opening + ("policy = ShieldPolicy(\n" + body + ")\n" if fields else "policy = ShieldPolicy()\n")


def _comment(heading: Heading) -> str:
    return "".join(f"# {line}\n" for line in heading.lines)


def _write(
    fields: Mapping[str, Any], heading: Heading, pair: str, entry: str, closing: str, *, python: bool = False
) -> str:
    lines = []
    for name, value in fields.items():
        if not isinstance(value, (list, tuple)):
            lines.append(pair.format(name, _value(value, python)))
        elif not value:
            lines.append(pair.format(name, "[]"))
        else:
            lines.append(pair.format(name, "[").rstrip(","))
            for each in value:
                comment = heading.beside.get((name, each), "")
                lines.append(entry.format(quote(each)) + (f"  # {comment}" if comment else ""))
            lines.append(closing)
    return _comment(heading) + "".join(f"{line}\n" for line in lines)


def _value(value: Any, python: bool) -> str:
    if isinstance(value, bool):
        return str(value) if python else str(value).lower()
    if value is None:
        return "None" if python else "null"
    return quote(str(value))
