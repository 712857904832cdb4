"""`ShieldPolicy`: what a shielded function may do, as one frozen value.

Each field is one `SHIELD_*` environment variable, so it can be set without the CDK as well; presets
are names for values of several. What a value means is asked of the C core, which also reads the variables inside the
function: a policy that can be made here is a policy that the function starts with.

Nothing here imports the CDK or starts Node.js, unless a policy holds a token or a construct.
"""

from __future__ import annotations

from shielded_function_runtime.core import Decision

from ..errors import ShieldPolicyError
from .comparing import Loosening
from .dates import Until
from .explaining import Explanation
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
    "Until",
    "check_policy",
]
