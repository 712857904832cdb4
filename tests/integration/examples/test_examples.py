"""Each example as a reader takes it: `cdk synth`, `shielded-function audit`, and what its README shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from harness.in_moto import cloudformation
from harness.linting import lint
from harness.thinning import long_but
from integration.examples.catalogue import EXAMPLES, FOLDER, HIDDEN, LINT_OF_THE_CDK, Example
from integration.examples.conftest import Assembly
from shielded_function.cli import audit
from shielded_function.cli.options import Audit
from shielded_function_monitoring.cfn.parts import references
from shielded_function_monitoring.cfn.template import ref_of
from shielded_function_monitoring.cfn.values import IntrinsicError, Resolver

SAMPLE = [example for example in EXAMPLES if example.name == "pipeline"]
each = pytest.mark.parametrize("example", long_but(SAMPLE, EXAMPLES), ids=lambda example: example.name)


def templates(directory: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(directory.rglob("*.template.json")):
        yield json.loads(file.read_text())


def audited(
    directory: Path, production: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, Any]]:
    """The exit status of `shielded-function audit --strict --json`, and what it prints."""
    status = audit.run(Audit(directory, production=production, strict=True), json=True)
    return status, json.loads(capsys.readouterr().out)


def test_every_example_is_in_the_table() -> None:
    assert {file.parent.name for file in FOLDER.glob("*/cdk.json")} == {example.name for example in EXAMPLES}
    assert all((example.folder / "README.md").is_file() for example in EXAMPLES)


@each
def test_the_audit_finds_nothing(example: Example, assembly: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    status, report = audited(assembly(example.name), example.production, capsys)
    assert {found["path"]: found["rule"] for found in report["findings"]} == example.findings
    assert status == (1 if example.findings else 0)
    functions = report["functions"]
    assert (len(functions), sum(function["shielded"] for function in functions)) == example.functions


def test_the_audit_of_the_pipeline_would_find_alert_mode(
    assembly: Assembly, capsys: pytest.CaptureFixture[str]
) -> None:
    status, report = audited(assembly("pipeline"), ["Pipeline/Beta"], capsys)
    found = [(found["path"], found["rule"]) for found in report["findings"] if found["rule"] != HIDDEN]
    assert found == [("Pipeline/Beta/Shop/Charges", "alert-in-production")]
    assert status == 1


@each
def test_cfn_lint_finds_nothing(example: Example, assembly: Assembly) -> None:
    found = [
        str(match)
        for template in templates(assembly(example.name) / example.linted)
        for match in lint(json.dumps(template), regions=["us-east-1"])
        if match.rule.id not in LINT_OF_THE_CDK
    ]
    assert found == []


@each
def test_values_known_before_deployment_are_those_of_moto(example: Example, assembly: Assembly) -> None:
    """Those that refer to no resource, in the templates of every example."""
    compared = 0
    for template in templates(assembly(example.name)):
        resolver, of_moto = Resolver("Shop", template), cloudformation(template)
        for resource in template["Resources"].values():
            for value in resource.get("Properties", {}).values():
                if all(ref_of(each) in resolver.pseudo for each in references(value)):
                    with suppress(IntrinsicError):
                        assert resolver.resolve(value) == of_moto(value)
                        compared += 1
    assert compared > 10


def test_the_readme_shows_the_environment_of_two_functions(assembly: Assembly) -> None:
    page = (FOLDER / "whole_app" / "README.md").read_text()
    shown = re.findall(r"`(Live/[\w/]+)`:\n\n(?:<!--.*?-->\n)?```json\n(.*?)```", page, re.DOTALL)
    made = {
        resource["Metadata"]["aws:cdk:path"].removesuffix("/Resource"): resource["Properties"]["Environment"]
        for template in templates(assembly("whole_app"))
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function" and "Environment" in resource["Properties"]
    }
    assert len(shown) == 2
    for path, text in shown:
        variables = made[path]["Variables"]
        assert json.loads(text) == {name: variables[name] for name in variables if name.startswith(("SHIELD_", "AWS_"))}
