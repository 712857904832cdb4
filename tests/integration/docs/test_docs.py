"""Every fenced block of README.md, docs/ and examples/ is tested, or its page says why not (pages.py has the forms).

- python: the blocks of a page run as they stand, from top to bottom, in one module; folders they take code from exist.
- commands: those of `make` and `shielded-function` are parsed by the program itself, which does nothing.
- JSON is JSON, and an alert line follows the schema.
- any other language needs a comment that says which test has it.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from integration.docs.commands import check_commands
from integration.docs.pages import OUTPUT, ROOT, SHELLS, Block, Page, page_files, read_page
from shielded_function import Shield
from shielded_function.policy.fields import KINDS, setting_of
from shielded_function_monitoring import parse_line

PAGES = [read_page(file) for file in page_files()]
BLOCKS = [block for page in PAGES for block in page.blocks]

# `from aws_cdk import aws_sns as sns`, and so on: what stands inside a stack has these.
MODULES = """apigatewayv2 cloudwatch cloudwatch_actions dynamodb ec2 events iam logs rds s3 secretsmanager sns sqs
    ssm"""

Names = dict[str, Any]


def check_readme(names: Names) -> None:
    Template.from_stack(names["stack"]).resource_count_is("AWS::CloudWatch::Alarm", 2)


def check_constructs(names: Names) -> None:
    assert all(Shield.of(names[name]) for name in ("checkout", "resize", "refund"))
    assert Shield.of(names["resize"]) is names["attached"]
    Template.from_stack(names["self"]).resource_count_is("AWS::CloudWatch::Alarm", 6)


def check_outbound(names: Names) -> None:
    line, *_ = [block.text for block in BLOCKS if block.page == "docs/guide/outbound.md" and block.language == "json"]
    assert names["allow_list"](f"START\n{line}\n") == ["evil.example:443"]


def check_policy(names: Names) -> None:
    """The table has every field, with its variable and the default of a switch or a mode."""
    page = (ROOT / "docs/guide/policy.md").read_text()
    rows = [[cell.strip(" `") for cell in line.split("|")[1:6]] for line in page.splitlines() if "`SHIELD_" in line]
    defaults = names["ShieldPolicy"]().to_dict()
    assert [(field, variable) for field, _, _, variable, _ in rows] == [(each, setting_of(each)) for each in KINDS]
    plain = {field: default for field, kind, default, *_ in rows if kind in ("mode", "switch")}
    assert {**plain, "executable_memory": "None"} == {field: str(defaults[field]) for field in plain}


# What a page's code has to have done, beyond having run.
CHECKS: dict[str, Callable[[Names], None]] = {
    "README.md": check_readme,
    "docs/guide/constructs.md": check_constructs,
    "docs/guide/outbound.md": check_outbound,
    "docs/guide/policy.md": check_policy,
}


@pytest.mark.parametrize("page", [page for page in PAGES if page.python()], ids=lambda page: page.name)
def test_python_runs_from_top_to_bottom(page: Page, tmp_path: Path) -> None:
    names: Names = {"__name__": "__main__"}
    if page.inside_a_stack:
        app = cdk.App(outdir=str(tmp_path / "cdk.out"), analytics_reporting=False)
        modules = {name: importlib.import_module(f"aws_cdk.aws_{name}") for name in MODULES.split()}
        lambda_ = importlib.import_module("aws_cdk.aws_lambda")
        names |= {**modules, "lambda_": lambda_, "cdk": cdk, "app": app, "self": cdk.Stack(app, "Shop")}
    for block in page.python():
        code = "\n" * (block.line - 1) + with_sources(block.text, tmp_path)
        exec(compile(code, str(ROOT / page.name), "exec"), names)
    if page.inside_a_stack:
        names["app"].synth()
    if page.name in CHECKS:
        CHECKS[page.name](names)


def with_sources(code: str, folder: Path) -> str:
    """The code with the folders that it takes functions from made, and put where they are."""

    def placed(match: re.Match[str]) -> str:
        source = folder / match[2]
        source.mkdir(parents=True, exist_ok=True)
        for name in ("app.py", "index.js"):
            (source / name).touch()
        return f"{match[1]}{str(source)!r}"

    return re.sub(r'(from_asset\()"([\w./-]+)"', placed, code)


@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if block.language in SHELLS and not block.elsewhere and not block.skip],
    ids=lambda block: block.place,
)
def test_commands(block: Block) -> None:
    check_commands(block)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "json"], ids=lambda block: block.place)
def test_json_is_json(block: Block) -> None:
    value = json.loads(block.text)
    if isinstance(value, dict) and "function_shield" in value:
        assert parse_line(block.text) is not None


def test_every_block_has_a_test() -> None:
    """One that is tested elsewhere is named there."""
    assert {"README.md", "docs/guide/outbound.md", "examples/checkout/README.md"} <= {page.name for page in PAGES}
    known = {"python", "json", *SHELLS, *OUTPUT}
    for block in BLOCKS:
        assert block.language in known or block.has_directive, (
            f"{block.place}: nothing tests {block.language}: say above the block what does (pages.py has the forms)"
        )
        if block.elsewhere:
            file, _, test = block.elsewhere.partition("::")
            assert (ROOT / file).is_file(), f"{block.place}: there is no {block.elsewhere}"
            text = (ROOT / file).read_text()
            assert Path(block.page).name in text, f"{block.place}: {block.elsewhere} does not read this page"
            assert test in text, f"{block.place}: no {block.elsewhere}"


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.skip], ids=lambda block: block.place)
def test_a_block_that_is_not_tested(block: Block) -> None:
    pytest.skip(f"{block.place}: {block.skip}")
