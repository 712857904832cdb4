"""`shielded-function render`: valid for the tools that read it, whatever the policy holds; what the construct makes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import hcl2
import pytest
import yaml
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.linting import lint
from harness.thinning import long_but
from integration.cli.running import command
from shielded_function import ShieldedFunction, ShieldPolicy
from shielded_function.cli.failures import CliError
from shielded_function.cli.options import Render, RenderFormat
from shielded_function.cli.render import _NO_GRANTS, FORMATS, hcl_string, render, yaml_string
from shielded_function_monitoring.filters import PLATFORM_PROGRAMS, of_functions, violations

pytestmark = pytest.mark.promise("cli.templates")

POLICY = ShieldPolicy(
    allow_outbound=["api.stripe.com:443", "*.example.com", "[2001:db8::1]:443"],
    allow_aws=["dynamodb", "s3"],
    allow_tmp=['/tmp/${x}/"q"\\*', "/tmp/%{y}/é 's"],
)
OPTIONS = Render("sam", function="checkout-prod", architecture="arm64", layer="layer.zip")

# What a path in a policy may hold: all but control characters, commas and lone surrogates.
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=","), max_size=30)
# More of what has a meaning somewhere.
NASTY = st.lists(st.sampled_from(["$", "%", "{", "}", '"', "'", "\\", "u0041", "#", ": ", "é", "\u2028", "😀"]) | TEXT)


class Loader(yaml.SafeLoader):
    """Reads `!Ref X` as CloudFormation's long form."""


Loader.add_constructor("!Ref", lambda loader, node: {"Ref": loader.construct_scalar(node)})  # type: ignore[no-untyped-call]


def sam(policy: ShieldPolicy = POLICY) -> dict[str, Any]:
    return yaml.load(render(policy, OPTIONS), Loader)


def decode_hcl(text: str) -> str:
    """What Terraform reads in a quoted template, by the specification of its syntax; an introduction is an error.

    https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions
    """
    assert text[0] == text[-1] == '"'
    tokens = re.compile(
        r"(?P<doubled>\$\$\{|%%\{)|(?P<introduced>\$\{|%\{)"
        r"|\\u(?P<short>[0-9a-fA-F]{4})|\\U(?P<long>[0-9a-fA-F]{8})|\\(?P<simple>[nrt\"\\])|(?P<plain>[^\"\\])"
    )
    decoded, at = "", 1
    while at < len(text) - 1:
        token = tokens.match(text, at, len(text) - 1)
        assert token is not None, f"not a quoted template at {at}: {text}"
        assert token["introduced"] is None, f"an interpolation at {at}: {text}"
        assert token["doubled"] is None, f"readers differ about it, at {at}: {text}"
        number = token["short"] or token["long"]
        if number:
            decoded += chr(int(number, 16))
        elif token["simple"]:
            decoded += {"n": "\n", "r": "\r", "t": "\t"}.get(token["simple"], token["simple"])
        else:
            decoded += token["plain"]
        at = token.end()
    return decoded


@settings(max_examples=settings().max_examples // 5)  # hcl2 is slow
@given(NASTY.map("".join))
def test_any_text_is_read_back_by_terraform_and_yaml(text: str) -> None:
    quoted = hcl_string(text)
    assert decode_hcl(quoted) == text
    assert quoted.isascii()
    hcl2.loads(f"x = {quoted}\n")
    assert yaml.safe_load(f"x: {yaml_string(text)} # yours") == {"x": text}


@given(st.lists(NASTY.map("".join).map(lambda text: f"/tmp/x{text}x"), min_size=1, max_size=4))
def test_any_policy_is_read_back_in_every_form(paths: list[str]) -> None:
    try:
        policy = ShieldPolicy(allow_tmp=paths, allow_aws="all")
    except ValueError:  # such as a component that is `..`
        return
    expected = policy.to_env()
    assert ShieldPolicy.from_lines(render(policy, OPTIONS._replace(form="env"))) == policy
    given_json = json.loads(render(policy, OPTIONS._replace(form="json")))["Variables"]
    assert given_json == expected | {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/shielded-function/shield"}
    variables = sam(policy)["Resources"]["CheckoutProdFunction"]["Properties"]["Environment"]["Variables"]
    assert {name: variables[name] for name in expected} == expected
    terraform = render(policy, OPTIONS._replace(form="terraform"))
    lines = dict(re.findall(r"^      (SHIELD_\w+) *= (\".*\")$", terraform, re.MULTILINE))
    assert {name: decode_hcl(lines[name]) for name in expected} == expected


@pytest.mark.parametrize("function", ["checkout-prod", *long_but({"_"}, ["0", "on", "_", "x" * 64])])
def test_sam_has_nothing_to_object_to(function: str) -> None:
    """And cfn-lint would object."""
    rendered = render(POLICY, OPTIONS._replace(function=function))
    assert [str(match) for match in lint(rendered, regions=["eu-west-1"])] == []
    assert lint(rendered.replace("notBreaching", "breaching-not"), regions=["eu-west-1"])


def test_sam_has_what_the_construct_makes() -> None:
    """The filter, the alarm and the variables are the construct's, but for names that are made at deployment."""
    stack = cdk.Stack(cdk.App(), "Shop")
    code = lambda_.Code.from_inline("def handler(event, context): ...")
    python: Any = {"runtime": lambda_.Runtime.PYTHON_3_13, "handler": "index.handler", "code": code}
    arm64 = lambda_.Architecture.ARM_64
    ShieldedFunction(stack, "Checkout", function_name="checkout-prod", architecture=arm64, policy=POLICY, **python)
    theirs, ours = Template.from_stack(stack).to_json()["Resources"], sam()["Resources"]

    def of(resources: dict[str, Any], kind: str, which: int = 0) -> dict[str, Any]:
        return [resource["Properties"] for resource in resources.values() if resource["Type"] == kind][which]

    alarm, filters = "AWS::CloudWatch::Alarm", "AWS::Logs::MetricFilter"
    changing = ("AlarmDescription", "AlarmName", "Dimensions", "FilterPattern", "LogGroupName")
    [start, _, rest] = of(theirs, filters)["FilterPattern"]["Fn::Join"][1]
    assert of(ours, filters)["FilterPattern"] == f"{start}checkout-prod{rest}"
    for kind in (alarm, filters, "AWS::Logs::LogGroup"):
        every = [[r["Properties"] for r in each.values() if r["Type"] == kind] for each in (theirs, ours)]
        left, right = ([{k: v for k, v in one.items() if k not in changing} for one in each] for each in every)
        assert left == right
    for which, level in enumerate(("ERROR", "WARN")):
        by_name = {"Name": "FunctionName", "Value": "checkout-prod"}
        assert of(ours, alarm, which)["Dimensions"] == [by_name, {"Name": "Level", "Value": level}]
        (made,) = (parts for parts in of(theirs, alarm, which)["AlarmDescription"].values())
        said = "".join(part if isinstance(part, str) else "checkout-prod" for part in made[1])
        [happened, what, *steps] = of(ours, alarm, which)["AlarmDescription"].split("\n")
        assert what.startswith("1. Run `")
        assert all(step in said for step in (*steps, happened.partition(": ")[2]))
        assert len(steps) == 3
    environment = of(theirs, "AWS::Lambda::Function")["Environment"]["Variables"]
    assert of(ours, "AWS::Serverless::Function")["Environment"]["Variables"] == environment


def test_terraform_has_the_same_resources() -> None:
    parsed = hcl2.loads(render(POLICY, OPTIONS._replace(form="terraform")))
    blocks = {
        (kind.strip('"'), name.strip('"')): body
        for block in parsed["resource"]
        for kind, named in block.items()
        for name, body in named.items()
    }
    assert set(blocks) == {
        ("aws_lambda_layer_version", "shield"),
        ("aws_lambda_function", "checkout_prod"),
        ("aws_cloudwatch_log_group", "checkout_prod"),
        ("aws_cloudwatch_log_metric_filter", "checkout_prod_violations"),
        ("aws_cloudwatch_metric_alarm", "checkout_prod_critical"),
        ("aws_cloudwatch_metric_alarm", "checkout_prod_rest"),
    }
    pattern = blocks["aws_cloudwatch_log_metric_filter", "checkout_prod_violations"]["pattern"]
    counted = violations(without=["read_handler"], except_programs=PLATFORM_PROGRAMS, by_level=True)
    assert decode_hcl(pattern) == of_functions(counted.render(), ["checkout-prod"])
    alarm = blocks["aws_cloudwatch_metric_alarm", "checkout_prod_rest"]
    (transformation,) = blocks["aws_cloudwatch_log_metric_filter", "checkout_prod_violations"]["metric_transformation"]
    assert (alarm["namespace"], alarm["metric_name"]) == (transformation["namespace"], transformation["name"])
    assert decode_hcl(transformation["value"]) == "$.count"
    by_function = {name.strip('"'): decode_hcl(value) for name, value in transformation["dimensions"].items()}
    assert by_function == {"FunctionName": "$.function", "Level": "$.level"}
    watched = {name.strip('"'): decode_hcl(value) for name, value in alarm["dimensions"].items()}
    assert watched == {"FunctionName": "checkout-prod", "Level": "WARN"}
    resource = sam()["Resources"]["CheckoutProdRestAlarm"]["Properties"]
    same = (
        *("statistic", "period", "evaluation_periods", "datapoints_to_alarm", "threshold", "comparison_operator"),
        *("treat_missing_data", "alarm_description", "alarm_name"),
    )
    found = {name: decode_hcl(alarm[name]) if isinstance(alarm[name], str) else alarm[name] for name in same}
    assert found == {name: resource[name.title().replace("_", "")] for name in same}


@pytest.mark.parametrize("form", ["sam", "terraform", "json"])
def test_what_does_not_fit_is_refused(form: RenderFormat) -> None:
    large = ShieldPolicy(allow_outbound=[f"host-{number}.example.com:443" for number in range(200)], allow_aws="all")
    with pytest.raises(CliError, match=r"the variables take \d+ bytes of Lambda's 4096: .*SHIELD_POLICY_FILE"):
        render(large, OPTIONS._replace(form=form))
    assert ShieldPolicy.from_lines(render(large, OPTIONS._replace(form="env"))) == large
    policy = ShieldPolicy(allow_tmp=["/tmp/{{resolve:ssm:x}}"])
    with pytest.raises(CliError, match=r"SHIELD_ALLOW_TMP has '\{\{resolve:', which CloudFormation would resolve"):
        render(policy, OPTIONS)


@pytest.mark.parametrize("form", FORMATS)
def test_from_a_file_and_from_variables(form: RenderFormat, tmp_path: Path) -> None:
    (tmp_path / "policy").write_text(POLICY.to_lines(), encoding="utf-8")
    asked = ("render", "--format", form, "--function", "checkout-prod", "--arch", "arm64", "--layer", "layer.zip")
    for done in (
        command(*asked, "--policy", "policy", cwd=tmp_path, environment={"SHIELD_READ_HANDLER": "odd"}),
        command(*asked, environment=POLICY.to_env()),
    ):
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == render(POLICY, OPTIONS._replace(form=form))
    (tmp_path / "p.toml").write_text('allow_outbound = ["a.example"]', encoding="utf-8")
    for variables in ({"SHIELD_READ_HANDLER": "alert"}, {}):
        done = command(*asked, *(() if variables else ("--policy", "p.toml")), cwd=tmp_path, environment=variables)
        assert (done.returncode, done.stderr) == (0, f"shielded-function: {_NO_GRANTS}\n")
        assert "SHIELD_ALLOW_AWS" not in done.stdout
