"""The texts of settings (policy_texts.toml): one table for all that read a policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from harness.toml_tables import table

_TEXTS = table(Path(__file__).with_suffix(".toml").read_text())


class Text(NamedTuple):
    """What a setting is given, and its canonical form or what is said of it."""

    field: str
    given: str
    becomes: str

    @property
    def setting(self) -> str:
        return "AWS_REGION" if self.field == "aws_region" else f"SHIELD_{self.field.upper()}"

    @property
    def entries(self) -> list[str]:
        """As a list of ShieldPolicy has it."""
        return self.given.split(",") if self.given else []


def _canonical() -> Iterator[Text]:
    for field, rows in _TEXTS["canonical"].items():
        yield from (Text(field, given, given) for given in rows.pop("same", []))
        yield from (Text(field, given, canonical) for given, canonical in rows.items())


def _errors() -> Iterator[Text]:
    for field, rows in _TEXTS["errors"].items():
        for error, values in rows.items():
            for given in values:
                # What is wrong with a list is its last entry, but for a word that stands alone.
                wrong = next((e for e in given.split(",") if e in ("all", "none")), given.rpartition(",")[2])
                yield Text(field, given, error.format(wrong))


CANONICAL, ERRORS = list(_canonical()), list(_errors())
