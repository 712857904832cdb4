"""`ShieldChecks`: the rules as a policy-validation plugin of the CDK."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import date
from importlib.metadata import version as distribution_version
from itertools import groupby
from pathlib import Path
from typing import get_args

import aws_cdk as cdk
import jsii

from shielded_function_monitoring.cfn.assembly import assembly_root

from ..errors import ShieldError
from ..keywords import by_name
from ..policy.dates import read_day
from .checking import Report, check
from .cloud_assembly import read_assembly
from .finding import PLUGIN, Finding, Severity
from .rules import OF_NO_FUNCTION, RULES

# Earlier versions neither stop a Python app whose plugins fail, nor print the reason.
_STOPS = (2, 262)
# From this version an acknowledgement holds for its construct and those below. Earlier versions apply it to the whole
# app.
_ACKNOWLEDGES_BY_PATH = (2, 273)


@jsii.implements(cdk.IPolicyValidationPlugin)
class ShieldChecks:
    """Checks at every synthesis that each Lambda function is shielded, and that its policy restricts it.

        cdk.Validations.of(app).add_plugins(ShieldChecks(production=["Prod"]))

    It reads the final templates: stages, nested stacks, property overrides and deletions. An
    error stops the synthesis, a warning is shown. Acknowledge an intended setup, with a reason:

        cdk.Validations.of(fn).acknowledge(
            cdk.Acknowledgment(id="shielded-function::not-shielded", reason="runs no code but ours")
        )

    docs/guide/checks.md lists the rules.
    """

    @by_name("ShieldChecks")
    def __init__(
        self,
        *,
        production: Sequence[str] = (),
        perimeter: Sequence[str] = (),
        expired: Severity = "warning",
        today: str | date | None = None,
    ) -> None:
        """
        Args:
            production: construct paths, or globs, of production: `Prod`, `*/Live`. `*` matches within a component, `**`
                across components; constructs below a match are production too. There, a policy that only alerts is an
                error.
            perimeter: construct paths, or globs, likewise, of functions that a `ShieldPerimeter` must cover. There, a
                shielded function outside a VPC, without a perimeter, or behind one that only alerts is an error.
            expired: "warning" or "error": the severity of alert mode, or of an acknowledgement, whose end date is
                reached.
            today: the day of the check, `2027-01-31`, for tests. By default the clock's, in UTC.

        Raises:
            ShieldError: `production` or `perimeter` is a string, `expired` is neither, or `today` is no date.
        """
        if expired not in get_args(Severity):
            raise ShieldError(f'ShieldChecks.expired: {expired!r} is none of "error", "warning"')
        self._expired: Severity = expired
        self._today = "" if today is None else read_day("ShieldChecks.today", today)
        for name, value in (("production", production), ("perimeter", perimeter)):
            if isinstance(value, str):
                raise ShieldError(f"ShieldChecks.{name}: {value!r} is one text; write a list: [{value!r}]")
        self._production = tuple(production)
        self._perimeter = tuple(perimeter)

    @property
    def name(self) -> str:
        """The name in the report, and the prefix of acknowledged ids."""
        return PLUGIN

    @property
    def version(self) -> str:
        """The version of this package."""
        return distribution_version("shielded-function")

    @property
    def rule_ids(self) -> list[str]:
        """The ids of all rules."""
        return [*(rule.id for rule in RULES), *OF_NO_FUNCTION]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Called by the CDK once, after the synthesis."""
        templates = [Path(path) for path in context.template_paths]
        if not templates:
            return cdk.PolicyValidationPluginReport(success=True, violations=[])
        cdk_version = _version(distribution_version("aws-cdk-lib"))
        try:
            assembly = read_assembly(assembly_root(templates[0]), templates)
            report = check(assembly, self._production, self._perimeter, expired=self._expired, today=self._today)
        except Exception as error:
            if cdk_version < _STOPS:
                raise SystemExit(f"{PLUGIN}: {error}") from error
            raise
        if cdk_version < _STOPS:
            _stop(report)
        violations = list(_violations(report, cdk_version >= _ACKNOWLEDGES_BY_PATH))
        _print_stage_errors(report)
        if report.note:
            print(f"{PLUGIN}: {report.note}", file=sys.stderr)
        return cdk.PolicyValidationPluginReport(
            success=not any(violation.severity != "warning" for violation in violations), violations=violations
        )


def _violations(report: Report, by_path: bool) -> Iterable[cdk.PolicyViolation]:
    """The findings for the CDK: one violation for all constructs with the same problem.

    A CDK that knows the place of an acknowledgement gets all findings, and lists the suppressed ones.
    """
    findings = [*report.findings, *(report.acknowledged if by_path else ())]
    elsewhere = {finding.rule for finding in report.acknowledged}

    def key(finding: Finding) -> tuple[str, str, str, str]:
        severity: str = finding.severity
        if severity == "error" and not by_path and finding.rule in elsewhere:
            severity = "fatal"  # an older CDK would drop it, as another function acknowledged the rule
        return severity, finding.rule, finding.problem, finding.fix

    for (severity, rule, problem, fix), group in groupby(sorted(findings, key=key), key):
        yield cdk.PolicyViolation(
            rule_name=rule,
            severity=severity,
            description=problem,
            fix=fix,
            violating_resources=[_resource(finding) for finding in group],
        )


def _resource(finding: Finding) -> cdk.PolicyViolatingResource:
    place = finding.place
    return cdk.PolicyViolatingResource(
        construct_path=place.path,
        resource_logical_id=place.logical_id or None,
        template_path=place.template or None,
        locations=list(finding.locations),
    )


def _stop(report: Report) -> None:
    """Prints the findings, and ends the app on an error: jsii only propagates a non-Exception."""
    for finding in report.findings:
        print(f"{finding.severity.upper()} {finding.message} ({PLUGIN}::{finding.rule})", file=sys.stderr)
    if report.errors:
        raise SystemExit(1)


def _print_stage_errors(report: Report) -> None:
    """`cdk synth` fails for an error in a stage, but shows only the findings of the selected stacks."""
    stages = sorted({error.place.path.split("/")[0] for error in report.errors if "/" in error.place.template})
    if stages:
        print(
            f"shielded-function: errors in {', '.join(stages)}: `cdk synth '**'` also shows those of stages",
            file=sys.stderr,
        )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])
