"""`allow_aws="granted"`: a function reaches the AWS services in the grants of its role.

    grants = read_grants(stage, functions)["Shop/Checkout"]
    grants.services   # ("dynamodb", "sqs")
    grants.buckets    # ("${Token[TOKEN.42]}",)

`roles` reads roles, policies and Lambda's work for a function, from constructs by `stage_reader`, from templates by
`checks.template_grants`; `statements` derives services, buckets and hosts from them, by the tables in `actions`,
`planes`, `origins` and `managed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .entries import Entry, Finding, Grants, LeftOut, Source, changed

if TYPE_CHECKING:
    from .grants import Inputs, are_same, read_grants, read_inputs, read_stage

__all__ = [
    "Entry",
    "Finding",
    "Grants",
    "Inputs",
    "LeftOut",
    "Source",
    "are_same",
    "changed",
    "read_grants",
    "read_inputs",
    "read_stage",
]


def __getattr__(name: str) -> Any:
    """Names that need the CDK are imported at their first use, as `checks.template_grants` works without it."""
    if name in ("Inputs", "are_same", "read_grants", "read_inputs", "read_stage"):
        from . import grants

        return getattr(grants, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
