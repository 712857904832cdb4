"""The table of docs/guide/presets.md: `python -m integration.docs.presets` (in tests/) writes it anew."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from integration.docs.pages import ROOT, with_rows
from shielded_function.policy.presets import PRESETS, Preset

PAGE = ROOT / "docs" / "guide" / "presets.md"


def page() -> str:
    """The page, with the table as the presets are."""
    rows = [
        f"| `{name}` | {preset.language} | {preset.versions} | {_added(preset)} | {preset.why} |"
        for name, preset in PRESETS.items()
    ]
    return with_rows(PAGE.read_text(encoding="utf-8"), rows)


def _added(preset: Preset) -> str:
    fields = [
        f"{field}: {', '.join(f'`{entry}`' for _, entry in entries)}"
        for field, entries in groupby(preset.entries(), key=itemgetter(0))
    ]
    variables = [f"you set `{name}={value}`" for name, value in preset.environment.items()]
    return "; ".join((*fields, *variables))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
