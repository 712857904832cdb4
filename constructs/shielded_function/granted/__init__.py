"""`allow_aws="granted"`: what a function may reach of AWS is what its role is granted.

    grants = read_grants(stage, functions)["Shop/Checkout"]
    grants.services   # ("dynamodb", "sqs")
    grants.buckets    # ("${Token[TOKEN.42]}",)

One read of a stage: `reading` asks the CDK for roles, policies and what Lambda does for a function; `deciding` makes
services, buckets and hosts of that, by the tables in `actions`, `planes`, `origins` and `managed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .model import Entry, Finding, Grants, LeftOut, Source, changed

if TYPE_CHECKING:
    from .reading import read_grants, read_stage
    from .rereading import Looked

__all__ = ["Entry", "Finding", "Grants", "LeftOut", "Looked", "Source", "changed", "read_grants", "read_stage"]


def __getattr__(name: str) -> Any:
    """What needs the CDK is imported when it is asked for: `template_reader` does without."""
    if name in ("read_grants", "read_stage"):
        from . import reading

        return getattr(reading, name)
    if name == "Looked":
        from .rereading import Looked

        return Looked
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
