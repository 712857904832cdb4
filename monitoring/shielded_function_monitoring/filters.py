"""Which lines count: the metric filters that the constructs put on a function's log group.

>>> violations().render()
'{ ($.function_shield IS TRUE) && (($.policy = "*") || ($.event = "refused") || ($.event = "unshielded")) }'
"""

from __future__ import annotations

from typing import Final

from .alert import ALARMING_EVENTS, Policy
from .pattern import Pattern, all_of, any_of, exists, is_true, text

NAMESPACE: Final = "ShieldedFunction"
"""The CloudWatch metric namespace of every metric made here."""


def violations(policy: Policy | None = None) -> Pattern:
    """The lines that report a violation, of one policy or of any.

    Without a policy it also counts the start that was refused and the start that went on unshielded: both mean
    that the function does not run as its policy says. The armed line, written at every good start, never counts.
    """
    shielded = is_true("$.function_shield")
    if policy is not None:
        return all_of(shielded, text("$.policy", "=", policy))
    events = (text("$.event", "=", event) for event in ALARMING_EVENTS)
    return all_of(shielded, any_of(exists("$.policy"), *events))


def metric_name(function_name: str, policy: Policy | None = None) -> str:
    """The metric of a function. A metric filter cannot have a constant dimension, so the name tells them apart.

    >>> metric_name("checkout"), metric_name("checkout", "read_handler")
    ('checkout/violations', 'checkout/read_handler')
    """
    return f"{function_name}/{policy or 'violations'}"
