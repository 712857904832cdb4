"""The findings as SARIF 2.1.0, which code hosts show on a pull request.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from importlib.metadata import version as distribution_version
from typing import Any, Final

from shielded_function_monitoring.cfn.template import Place

from .checking import Report
from .differences import Change
from .finding import Finding
from .rules import OF_NO_FUNCTION, RULES

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_PAGE: Final = "docs/guide/checks.md"

LineOf = Callable[[Place], int]
"""The line of a place's resource in its template, counted from 1."""


def to_sarif(report: Report, changes: Iterable[Change], line_of: LineOf) -> dict[str, Any]:
    """One run with one result for each finding, acknowledged ones as suppressed, and each looser change."""
    looser = [change for change in changes if change.is_looser]
    rules = [(rule.id, rule.severity, rule.summary) for rule in RULES]
    rules.extend((rule, "warning", summary) for rule, summary in OF_NO_FUNCTION.items())
    rules.append(("looser-than-before", "error", "a policy that allows more than in the other synthesis"))
    index = {rule: position for position, (rule, _, _) in enumerate(rules)}
    results = [_result(finding, index, line_of) for finding in (*report.findings, *report.acknowledged)]
    results.extend(_result(_as_finding(change), index, line_of) for change in looser)
    driver = {
        "name": "shielded-function",
        "version": distribution_version("shielded-function"),
        "rules": [
            {
                "id": rule,
                "shortDescription": {"text": summary},
                "defaultConfiguration": {"level": severity},
                "help": {"text": f"See {_PAGE}."},
            }
            for rule, severity, summary in rules
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _as_finding(change: Change) -> Finding:
    problem = f"{change.kind}: {'; '.join(change.details) or 'compared with the other synth'}"
    return Finding("looser-than-before", "error", change.place, problem, "say why in the review, or take it back")


def _result(finding: Finding, index: dict[str, int], line_of: LineOf) -> dict[str, Any]:
    identity = f"{finding.rule}\n{finding.place.path}\n{finding.problem}"
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": finding.severity,
        "message": {"text": finding.message},
        "locations": [_location(finding.place, line_of)],
        "partialFingerprints": {"shieldedFunction/v1": hashlib.sha256(identity.encode()).hexdigest()},
    }
    if finding.acknowledged is not None:
        result["suppressions"] = [
            {"kind": "inSource", "status": "accepted", "justification": finding.acknowledged.reason}
        ]
    return result


def _location(place: Place, line_of: LineOf) -> dict[str, Any]:
    location: dict[str, Any] = {
        "logicalLocations": [{"fullyQualifiedName": place.path, "kind": "resource"}] if place.path else []
    }
    if place.template:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": place.template.replace(" ", "%20")},
            "region": {"startLine": line_of(place)},
        }
    return location
