"""`Explanation`: what `explain()` of a policy, of a shield and of a role's grants tells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """One field of a policy, or one entry of a field, in words.

    Attributes:
        field: the field of `ShieldPolicy`.
        entry: the entry; empty for the field as a whole.
        meaning: what it admits; of a shield and of grants, the construct or the grants that it comes from.
        value: the field's value, as its variable has it; empty for an entry.
        given: whether the field has another value than its default.
    """

    field: str
    entry: str
    meaning: str
    value: str = ""
    given: bool = True

    def __str__(self) -> str:
        return f"{f'{self.field} {self.entry or self.value}'.strip()}: {self.meaning}"
