"""Each example as a reader takes it: `cdk synth`, `shielded-function audit`, and what its README shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from harness.in_moto import cloudformation
from harness.linting import lint, values_of
from harness.thinning import long_but
from integration.examples.catalogue import EXAMPLES, FOLDER, HIDDEN, LINT_OF_THE_CDK, Example
from integration.examples.conftest import Assembly
from shielded_function.cli import audit
from shielded_function.cli.options import Audit
from shielded_function_monitoring.cfn.parts import expression, parts, references
from shielded_function_monitoring.cfn.template import is_function, ref_of
from shielded_function_monitoring.cfn.values import Resolver

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


def expressions(value: Any) -> Iterator[dict[str, Any]]:
    """Every intrinsic function in a value, with those in it."""
    if isinstance(value, dict) and len(value) == 1 and is_function(*value):
        yield value
    for inside in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from expressions(inside)


def as_cdk(value: Any, resolver: Resolver) -> Any:
    """A value of a template by the CDK's functions, which evaluate what is known; the others' values are given."""
    match value:
        case {"Fn::Join": [delimiter, items]}:
            return cdk.Fn.join(delimiter, as_cdk(items, resolver))
        case {"Fn::Split": [delimiter, text]}:
            return cdk.Fn.split(delimiter, as_cdk(text, resolver))
        case {"Fn::Select": [index, items]}:
            return cdk.Fn.select(int(index), as_cdk(items, resolver))
        case [*items]:
            return [as_cdk(item, resolver) for item in items]
        case _:
            return resolver.resolve(value)


@each
def test_values_are_those_of_the_cdk_cfn_lint_and_moto(example: Example, assembly: Assembly) -> None:
    """Every expression of every template, whole and in parts, with a value given for each reference.

    cfn-lint assumes the availability zones of its list, but each account has its own: they are known at deployment.
    """
    for template in templates(assembly(example.name)):
        sought = [template["Resources"], template.get("Outputs", {})]
        found = [value for value in expressions(sought) if not re.search("AWS::NoValue|Fn::GetAZs", str(value))]
        pseudo = Resolver("Shop", template).pseudo
        keys = {str(each.get("Fn::ImportValue", expression(each)[2:-1])) for each in references(sought)} - {*pseudo}
        given = {key: f"arn:a:b:c:d:{key}/1/2,3||4" for key in keys}
        resolver, of_moto = Resolver("Shop", template, given), cloudformation(template)
        of_lint = values_of(template, {**pseudo, **given})
        of_cdk = cdk.Stack(cdk.App(), "Shop").resolve([[as_cdk(value, resolver)] for value in found])
        for value, [resolved] in zip(found, of_cdk, strict=True):
            assert resolved == resolver.resolve(value)
            if isinstance(resolved, str):
                assert "".join(str(resolver.resolve(part)) for part in parts(value)) == resolved
            assert resolved in (of_lint(value) or [resolved])
            if all(ref_of(each) in pseudo for each in references(value)):
                assert of_moto(value) == resolved


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
