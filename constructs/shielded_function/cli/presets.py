"""`shielded-function presets`: the policy entries that well-known libraries need."""

from __future__ import annotations

from shielded_function.policy.presets import PRESETS, Preset

from . import terminal


def show(*, json: bool) -> int:
    """Prints the table of presets, or the same as JSON; always 0."""
    if json:
        terminal.print_json({name: _as_json(preset) for name, preset in PRESETS.items()})
        return 0
    rows = [row for name, preset in PRESETS.items() for row in _rows(name, preset)]
    headings = ("preset", "language", "tried", "adds", "because it")
    terminal.console().print(terminal.table("Values of ShieldPolicy(presets=[...])", headings, rows))
    return 0


def _as_json(preset: Preset) -> dict[str, object]:
    return {
        "language": preset.language,
        "versions": preset.versions,
        "adds": preset.adds(),
        "environment": dict(preset.environment),
        "why": preset.why,
    }


def _rows(name: str, preset: Preset) -> list[tuple[str, ...]]:
    """A row for each entry; the first row also has the preset's other columns."""
    added = [f"{field}: {entry}" for field, entry in preset.entries()]
    first = (name, preset.language, preset.versions, added[0], preset.meaning)
    return [first, *(("", "", "", each, "") for each in added[1:])]
