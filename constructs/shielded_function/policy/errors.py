"""The error of every policy that cannot be."""

from __future__ import annotations


class ShieldPolicyError(ValueError):
    """A policy cannot be: the text names the field and the fix.

    Attributes:
        field: the field of `ShieldPolicy` that is wrong; empty when it is not one of them.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"ShieldPolicy.{field}: {reason}" if field else f"ShieldPolicy: {reason}")
        self.field = field
