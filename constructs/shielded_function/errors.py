"""The errors of the constructs and of policies: all are a `ShieldError`."""

from __future__ import annotations

from shielded_function_monitoring.errors import ShieldError, shown

__all__ = ["ShieldError", "ShieldPolicyError", "shown"]


class ShieldPolicyError(ShieldError):
    """A policy is invalid: the message names the field and the fix.

    Attributes:
        field: the wrong field of `ShieldPolicy`; empty for other problems.
        reasons: the whole message, which begins with the field.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"ShieldPolicy.{field}" if field else "ShieldPolicy", [reason])
        self.reasons = str(self)
        self.field = field
