"""Checks before a deployment: every Lambda function is shielded, and the policies are strict.

`ShieldChecks` runs them at synthesis, `shielded-function audit` on a folder that `cdk synth` wrote, and
`shielded_function.testing.assert_shielded` in unit tests. Only `ShieldChecks`, in `plugin`, needs the CDK.
"""

from __future__ import annotations

from shielded_function_monitoring.cfn.template import Place

from .checking import Report, check
from .cloud_assembly import LEFT_OUT, AssemblyError, read_assembly
from .finding import Finding, Severity

__all__ = [
    "LEFT_OUT",
    "AssemblyError",
    "Finding",
    "Place",
    "Report",
    "Severity",
    "check",
    "read_assembly",
]
