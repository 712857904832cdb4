"""The code in docs/constructs.md runs as it stands, from top to bottom, in one stack."""

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

DOCS = Path(__file__).parents[2] / "docs" / "constructs.md"


def test_the_examples(app: cdk.App, stack: cdk.Stack, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").touch()
    names: dict[str, Any] = {
        "app": app,
        "cdk": cdk,
        "cloudwatch_actions": cloudwatch_actions,
        "lambda_": lambda_,
        "self": stack,
        "sns": sns,
    }
    for example in re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL):
        code = example.replace('"src"', repr(str(tmp_path / "src")))
        exec(compile(code, str(DOCS), "exec"), names)
    assert [Shield.of(names[name]) is not None for name in ("checkout", "resize", "refund")] == [True] * 3
    assert Shield.of(names["resize"]) is names["attached"]
    Template.from_stack(stack).resource_count_is("AWS::CloudWatch::Alarm", 3)
