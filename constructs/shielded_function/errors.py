"""The errors of the constructs and of policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class ShieldError(ValueError):
    """A function that cannot be shielded as asked. Nothing was changed.

    The message begins with the construct path and names every problem with its fix.

    Attributes:
        reasons: the problems, without the path.
    """

    def __init__(self, path: str, problems: Sequence[str]) -> None:
        self.reasons = "; ".join(problems)
        super().__init__(f"{path}: {self.reasons}")

    @classmethod
    def of_many(cls, problems: Mapping[str, str], fix: str) -> ShieldError:
        """One report of several functions: their problems by construct path, and what to do about all of them."""
        if len(problems) == 1:
            [(path, reasons)] = problems.items()
            return cls(path, [reasons, fix])
        lines = "".join(f"\n  {path}: {reasons}" for path, reasons in problems.items())
        return cls(f"{len(problems)} functions cannot be shielded ({fix})", [lines])


class ShieldPolicyError(ValueError):
    """A policy cannot be: the text names the field and the fix.

    Attributes:
        field: the field of `ShieldPolicy` that is wrong; empty when it is not one of them.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"ShieldPolicy.{field}: {reason}" if field else f"ShieldPolicy: {reason}")
        self.field = field
