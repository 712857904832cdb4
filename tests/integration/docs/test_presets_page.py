"""docs/guide/presets.md has the presets that there are."""

from __future__ import annotations

from integration.docs.presets import PAGE, page


def test_the_table_of_presets_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m integration.docs.presets` in tests/"
