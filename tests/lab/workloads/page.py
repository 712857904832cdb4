"""The tables of libraries: `python -m lab.workloads.page` (in tests/) prints them for docs/guide/runtimes.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from lab.workloads import results
from lab.workloads.catalogue import Language
from lab.workloads.judging import FIELDS, behaviour_of, differs
from lab.workloads.results import Result
from lab.workloads.running import Asked, Run
from shielded_function_monitoring.filters import PLATFORM_PROGRAMS

_LANGUAGES: tuple[Language, ...] = ("Python", "Node.js", "Java")
_HEADING = (
    "| library | version | use | needs | `learn` | in block mode, with nothing listed |\n|---|---|---|---|---|---|"
)
_SHOWN = 4  # entries of a field
_WHAT = {
    "outbound_connectivity": "the connection",
    "read_write_tmp": "/tmp",
    "create_child_process": "the program",
    "executable_memory": "executable memory",
    "read_handler": "the handler's source",
}


def tables() -> str:
    """A sum, and a table for each language."""
    head, rows = results.read()
    counts = Counter(behaviour_of(row.unshielded, row.block) for row in rows.values())
    verdicts = Counter(row.learned.verdict for row in rows.values() if row.learned.fields or row.learned.why)
    said = [
        f"{len(rows)} uses of libraries, the last one run on {head['date']} on {head['machine']}.",
        f"In block mode with nothing listed, {counts['works']} work without a line,",
        f"{counts['goes on']} work, and report calls that they do without,",
        f"{counts['refused']} fail as where a permission is lacking, {counts['reworded']} with an unrelated error",
        f"message (the alert names the cause), and {counts['defect']} otherwise. Under the policy that `learn` wrote,",
        f"{verdicts['green']} of those with needs run without an alert, {verdicts['green once accepted']} more",
        f"with the entries that it asked to accept, and {verdicts['not green']} do not. With its needs,",
        f"the default alarm counts a line of {', '.join(f'`{name}`' for name in alarming(rows.values())) or 'none'}.",
    ]
    parts = [" ".join(said)]
    for language in _LANGUAGES:
        own = [row for row in rows.values() if row.workload.language == language]
        parts.append(f"### {language}\n\n{_HEADING}\n" + "\n".join(map(_row, own)))
    return "\n\n".join(parts) + "\n"


def alarming(rows: Iterable[Result]) -> list[str]:
    """Those of which the default alarm counts a line in block mode with what they need."""
    return [row.workload.name for row in rows if any(map(_counts, row.listed.alerts))]


def _counts(asked: Asked) -> bool:
    is_platform = asked.policy == "create_child_process" and asked.path in PLATFORM_PROGRAMS
    return asked.policy != "read_handler" and not is_platform


def _row(row: Result) -> str:
    name = f"`{row.workload.name}`"
    told = (name, row.version or "the runtime", row.workload.does, needs_text(row), _learned(row), _behaviour(row))
    return f"| {' | '.join(told)} |"


def _learned(row: Result) -> str:
    """What block mode made of the policy that `learn` wrote from the log of alert mode."""
    learned = row.learned
    if learned.verdict == "green":
        return "green" if learned.fields else "-"
    accepted = f"`{' '.join(f'--accept {each}' for each in learned.accept)}`" if learned.accept else ""
    if learned.verdict == "green once accepted":
        return f"green with {accepted}"
    return f"**{learned.why}**" + (f", also with {accepted}" if accepted else "")


def needs_text(row: Result) -> str:
    """Presets and entries, as short as they may be written."""
    presets = [f"preset `{name}`" for name in row.needs.presets]
    entries = [
        f"{field}: " + _some(_shortest(row.needs.entries[field]))
        for field in FIELDS.values()
        if field in row.needs.entries
    ]
    return "; ".join((*presets, *entries)) or "nothing"


def _some(entries: Sequence[str]) -> str:
    """The first ones, and how many more there are."""
    more = f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
    return ", ".join(f"`{entry}`" for entry in entries[:_SHOWN]) + more


def _shortest(entries: Iterable[str]) -> list[str]:
    """Without the hosts that are listed with a port too, which is enough for the look-up."""
    with_port = {match[1] for entry in entries if (match := re.fullmatch(r"(.+):\d+", entry))}
    return [entry for entry in entries if entry not in with_port]


def _behaviour(row: Result) -> str:
    behaviour = behaviour_of(row.unshielded, row.block)
    told = {
        "works": "works",
        "goes on": f"works without {_what(row.block.alerts)}, which is reported",
        "refused": f"fails: {_error(row.block)}",
        "reworded": f"fails with an unrelated error: {_error(row.block)}",
        "defect": f"**defect**: {_error(row.block)}",
    }[behaviour]
    if row.workload.note:
        told += f" ({row.workload.note})"
    if odd := differs(row.unshielded, row.alert):
        told += f"; **defect** in alert mode: {odd}"
    if odd := differs(row.unshielded, row.listed):
        told += f"; **defect** with its needs: {odd}"
    elif row.needs.any and row.listed.alerts:
        told += f"; with its needs, still reports {_what(row.listed.alerts)}"
    return told


def _what(alerts: Iterable[Asked]) -> str:
    return " and ".join(dict.fromkeys(_WHAT.get(alert.policy, alert.policy) for alert in alerts))


def _error(run: Run) -> str:
    """Of the first invocation that did not work: the outermost type and the innermost."""
    outcome = next((each for each in run.outcomes if each.kind != "works"), run.outcomes[0])
    if outcome.kind == "hangs":
        return "the time is up"
    if outcome.kind == "ends":
        return f"the process ends ({outcome.text.partition(': ')[2] or outcome.text})"
    types = outcome.what.split(", ")
    return " by ".join(f"`{each.strip()}`" for each in dict.fromkeys((types[0], types[-1])))


if __name__ == "__main__":
    print(tables())
