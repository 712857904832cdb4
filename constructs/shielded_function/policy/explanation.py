"""`Explanation`: a row of `explain()` of a policy, of a shield and of a role's grants."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """One field of a policy, or one entry of a field, in words.

    Attributes:
        field: the field of `ShieldPolicy`.
        entry: the entry; empty for the field as a whole.
        meaning: the effect; for a shield and grants, its source: the construct or the grants.
        value: the field's value, as in its variable; empty for an entry.
        given: whether the value differs from the default.
    """

    field: str
    entry: str
    meaning: str
    value: str = ""
    given: bool = True

    def __str__(self) -> str:
        return f"{f'{self.field} {self.entry or self.value}'.strip()}: {self.meaning}"
