"""Checks before a deployment: every Lambda function is shielded, and the policies are strict.

`ShieldChecks` runs them at synthesis, `shielded-function audit` on a folder that `cdk synth` wrote, and
`shielded_function.testing.assert_shielded` in unit tests. Only `ShieldChecks` needs the CDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shielded_function_monitoring.cfn.template import Place

from .assembly import LEFT_OUT, AssemblyError, read_assembly
from .checking import Report, check
from .finding import Finding, Severity
from .handlers import is_cdk_handler

if TYPE_CHECKING:
    from .plugin import ShieldChecks

__all__ = [
    "LEFT_OUT",
    "AssemblyError",
    "Finding",
    "Place",
    "Report",
    "Severity",
    "ShieldChecks",
    "check",
    "is_cdk_handler",
    "read_assembly",
]


def __getattr__(name: str) -> Any:
    if name != "ShieldChecks":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .plugin import ShieldChecks

    return ShieldChecks
