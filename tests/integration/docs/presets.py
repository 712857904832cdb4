"""The presets: `python -m integration.docs.presets` (in tests/) prints them for docs/guide/files-and-programs.md."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from shielded_function.policy.presets import PRESETS, Preset

HEADING = "| preset | language | tried | adds | because it |\n|---|---|---|---|---|"


def table() -> str:
    """A row for each preset."""
    rows = [
        f"| `{name}` | {preset.language} | {preset.versions} | {_added(preset)} | {preset.why} |"
        for name, preset in PRESETS.items()
    ]
    return "\n".join((HEADING, *rows))


def _added(preset: Preset) -> str:
    fields = [
        f"{field}: {', '.join(f'`{entry}`' for _, entry in entries)}"
        for field, entries in groupby(preset.entries(), key=itemgetter(0))
    ]
    variables = [f"you set `{name}={value}`" for name, value in preset.environment.items()]
    return "; ".join((*fields, *variables))


if __name__ == "__main__":
    print(table())
