"""Names that the template, the layer and the program in it share."""

from __future__ import annotations

from typing import Final

WRAPPER: Final = "/opt/shielded-function/shield"
"""The path of the exec wrapper (layers are unpacked into /opt)."""

POLICY_FILE: Final = "/opt/shielded-function/policy"
"""The part of a policy that does not fit into the environment, in a separate layer."""

LOCK: Final = "ShieldLock"
"""The beginning of the ids of policies that lock a role's keys to a VPC."""

WRAPPER_VARIABLE: Final = "AWS_LAMBDA_EXEC_WRAPPER"
NEXT_WRAPPER_VARIABLE: Final = "SHIELD_NEXT_WRAPPER"
POLICY_FILE_VARIABLE: Final = "SHIELD_POLICY_FILE"
NODE_CALLERS_VARIABLE: Final = "SHIELD_NODE_CALLERS"
ACCOUNT_VARIABLE: Final = "SHIELD_ACCOUNT_ID"

LEFT_OUT: Final = "shielded-function:leftOut"
"""The construct metadata of a function that is left without a shield on purpose; its value is the reason."""

OFF: Final = "the context shield=off"
"""The reason where the context removes all shields."""

SHIELD: Final = "shielded-function:shield"
"""The construct metadata of a shielded function's resource: as JSON, the variables (`settings`) and `layers` that the
shield set, resolved, and `until`, the end date of its alert mode."""

LAMBDAS: Final = "/aws/lambda/"
"""The prefix of the log groups that Lambda creates."""

PERIMETER: Final = "shielded-function:perimeter"
"""The construct metadata of a function that a `ShieldPerimeter` covers; its value is the perimeter's construct path."""


def l2_path(path: str) -> str:
    """The path of the L2 construct around a resource."""
    return path.removesuffix("/Resource").removesuffix("/Default")
