"""`ShieldPolicy`: the permissions of a shielded function, as one frozen value.

Each field is one `SHIELD_*` environment variable, so it can also be set without the CDK; presets are names for values
of several fields. The C core, which also reads the variables inside the function, interprets the values: a function
starts with every policy that can be created here.

Nothing here imports the CDK or starts Node.js, unless a policy holds a token or a construct.
"""

from __future__ import annotations

from shielded_function_runtime.core import Decision

from ..errors import ShieldPolicyError
from .comparing import Loosening
from .explanation import Explanation
from .fields import AwsScope, Event, Mode, OnFailure
from .presets import PresetName
from .shield_policy import ShieldPolicy, check_policy

__all__ = [
    "AwsScope",
    "Decision",
    "Event",
    "Explanation",
    "Loosening",
    "Mode",
    "OnFailure",
    "PresetName",
    "ShieldPolicy",
    "ShieldPolicyError",
    "check_policy",
]
