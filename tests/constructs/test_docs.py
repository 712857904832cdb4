"""The code in README.md, docs/constructs.md and docs/outbound.md runs as it stands, from top to bottom."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from shielded_function import Shield

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "constructs.md"
OUTBOUND = ROOT / "docs" / "outbound.md"


def python_examples(document: Path, source: Path) -> list[str]:
    """The python blocks, with the folder that they call "src" put where it is."""
    source.mkdir()
    (source / "app.py").touch()
    blocks: list[str] = re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL)
    return [block.replace('"src"', repr(str(source))) for block in blocks]


def test_the_readme(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    examples = python_examples(ROOT / "README.md", tmp_path / "src")
    assert examples
    for code in examples:
        exec(compile(code, "README.md", "exec"), names)
    Template.from_stack(names["stack"]).resource_count_is("AWS::CloudWatch::Alarm", 1)


def test_the_examples(app: cdk.App, stack: cdk.Stack, tmp_path: Path) -> None:
    names: dict[str, Any] = {
        "app": app,
        "cdk": cdk,
        "cloudwatch_actions": cloudwatch_actions,
        "lambda_": lambda_,
        "self": stack,
        "sns": sns,
    }
    for code in python_examples(DOCS, tmp_path / "src"):
        exec(compile(code, str(DOCS), "exec"), names)
    assert [Shield.of(names[name]) is not None for name in ("checkout", "resize", "refund")] == [True] * 3
    assert Shield.of(names["resize"]) is names["attached"]
    Template.from_stack(stack).resource_count_is("AWS::CloudWatch::Alarm", 3)


def test_who_a_function_may_talk_to(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    for code in python_examples(OUTBOUND, tmp_path / "src"):
        exec(compile(code, str(OUTBOUND), "exec"), names)
    (line,) = re.findall(r"```json\n(.*)\n```", OUTBOUND.read_text())
    assert names["allow_list"](f"START\n{line}\n") == ["evil.example:443"]
