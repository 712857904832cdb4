"""`shielded-function render`: a policy as SAM, Terraform, JSON or plain variables, for use without the CDK.

SAM and Terraform get the construct's resources, from one table. The function's own settings (code, handler, role) are
left to the user, who merges the text.
"""

from __future__ import annotations

import json as json_module
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, Final

from shielded_function.alarms.alarm_options import AlarmOptions
from shielded_function.alarms.descriptions import describe_function
from shielded_function.alarms.watches import general_counter, watches_of
from shielded_function.names import ACCOUNT_VARIABLE, WRAPPER, WRAPPER_VARIABLE
from shielded_function.policy import ShieldPolicy
from shielded_function.policy.lengths import MAX_ENVIRONMENT, environment_size
from shielded_function_monitoring.filters import NAMESPACE, VALUE, of_functions

from . import policy as policies
from .failures import CliError
from .options import Render, RenderFormat
from .terminal import note

_NO_GRANTS: Final = (
    'the variables do not set SHIELD_ALLOW_AWS, which means every service: list them, as in allow_aws=["dynamodb"]'
)
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
_FUNCTION_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DYNAMIC: Final = "{{resolve:"
_INTRODUCTION: Final = re.compile(r"(?P<sign>[$%])\{")


def run(options: Render) -> int:
    """Prints the text; always 0.

    Raises:
        CliError: the policy cannot be read, or the text cannot be made.
    """
    if options.misplaced:
        raise CliError(f"a policy file is an option: write --policy {options.misplaced[0]}")
    policy = policies.load(options.policy, os.environ)
    sys.stdout.write(render(policy, options))
    if policy.allow_aws in (None, "all"):
        note(_NO_GRANTS)
    return 0


def render(policy: ShieldPolicy, options: Render) -> str:
    """The policy as text, which ends with a newline.

    Raises:
        CliError: the function's name is malformed, or the variables exceed a function's 4 KB.
        ShieldPolicyError: an entry of the policy is known only to a CDK app.
    """
    if not _FUNCTION_NAME.fullmatch(options.function):
        raise CliError(f"--function {options.function}: a function's name is 1 to 64 of A-Z a-z 0-9 _ -")
    settings = policy.to_env()
    size = environment_size({**settings, ACCOUNT_VARIABLE: "0" * 12, WRAPPER_VARIABLE: WRAPPER})
    if options.form != "env" and size > MAX_ENVIRONMENT:
        raise CliError(
            f"the variables take {size} bytes of Lambda's {MAX_ENVIRONMENT}: shorten the lists, or put the lines of "
            "--format env into a file of the function or a layer, and set SHIELD_POLICY_FILE to its path"
        )
    return FORMATS[options.form](settings, options)


def _env(settings: Mapping[str, str], _: Render) -> str:
    """Lines of a policy file or a Docker env file: the text after `=` is the value, unquoted."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _json(settings: Mapping[str, str], _: Render) -> str:
    """The argument of `aws lambda update-function-configuration --environment`."""
    variables = {**settings, WRAPPER_VARIABLE: WRAPPER}
    return json_module.dumps({"Variables": variables}, indent=2, ensure_ascii=False) + "\n"


_Tree = dict[str, Any]
Row = tuple[str, str, "str | tuple[str, str]"]
"""A property of SAM, an argument of Terraform (empty: it has none), and the value, or one for each of them."""
_HEADING: Final = """\
# The layer's file: shielded-function layer --arch {0.architecture} --output {0.layer}
# Lines marked "yours" are the function's own: keep your values there, and add the rest.
{1}
"""
_SAM: Final = 'AWSTemplateFormatVersion: "2010-09-09"\nTransform: AWS::Serverless-2016-10-31\nResources:'
_WRITES: Final = "logs:CreateLogStream and logs:PutLogEvents"
_LAST: Final = "# after your own layers"
_LOG_GROUP: Final = "AWS::Logs::LogGroup"
_TERRAFORM: Final = 'data "aws_caller_identity" "current" {}'


def _sam(settings: Mapping[str, str], options: Render) -> str:
    for name, value in settings.items():
        if _DYNAMIC in value:
            raise CliError(f"{name} has {_DYNAMIC!r}, which CloudFormation would resolve as a dynamic reference")
    identity = "".join(part[:1].upper() + part[1:] for part in re.split("[_-]", options.function))
    tree: _Tree = {}
    for name, _, kind, rows in _resources(settings, options, identity, yaml_string):
        kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"} if kind == _LOG_GROUP else {}
        tree[name] = {"Type": kind, **kept, "Properties": _nested(rows, 0)}
    return _HEADING.format(options, _SAM) + "".join(_yaml(tree, "  "))


def _terraform(settings: Mapping[str, str], options: Render) -> str:
    identity = options.function.lower().replace("-", "_")
    identity = identity if identity[0].isalpha() else f"function_{identity}"  # it does not begin with a digit
    resources = _resources(settings, options, identity, hcl_string)
    tree = {f"resource {name}": _nested(rows, 1) for _, name, _, rows in resources}
    return _HEADING.format(options, _TERRAFORM) + "".join(_hcl(tree, ""))


def _resources(
    settings: Mapping[str, str], options: Render, identity: str, quote: Callable[[str], str]
) -> Iterator[tuple[str, str, str, Sequence[Row]]]:
    """The construct's resources: the name in SAM and in Terraform, the type in SAM, and the values."""
    counter, function = general_counter(), quote(options.function)
    layer, architecture = quote(options.layer), f"[{quote(options.architecture)}]"
    group = f"!Ref {identity}LogGroup", f"aws_cloudwatch_log_group.{identity}.name"
    account = "!Ref AWS::AccountId", "data.aws_caller_identity.current.account_id"
    layers = f"[!Ref ShieldedFunctionLayer] {_LAST}", f"[aws_lambda_layer_version.shield.arn] {_LAST}"
    variables = {name: quote(value) for name, value in {**settings, WRAPPER_VARIABLE: WRAPPER}.items()}
    of_layer: list[Row] = [
        ("LayerName", "layer_name", quote(f"shielded-function-{options.architecture.replace('_', '-')}")),
        ("ContentUri", "filename", layer),
        ("", "source_code_hash", f"filebase64sha256({layer})"),
        ("CompatibleArchitectures", "compatible_architectures", architecture),
        ("LicenseInfo", "license_info", '"Apache-2.0"'),
    ]
    of_function: list[Row] = [
        ("FunctionName", "function_name", function),
        ("", "role", f"aws_iam_role.{identity}.arn # yours"),
        ("CodeUri", "filename", ("src # yours", '"src.zip" # yours')),
        ("Handler", "handler", '"app.handler" # yours'),
        ("Runtime", "runtime", '"python3.13" # yours'),
        ("Architectures", "architectures", architecture),
        ("Layers", "layers", layers),
        ("", "logging_config.log_format", '"Text"'),
        ("LoggingConfig.LogGroup", "logging_config.log_group", group),
        *((f"Environment.Variables.{each}", f"environment.variables =.{each}", variables[each]) for each in variables),
        (f"Environment.Variables.{ACCOUNT_VARIABLE}", f"environment.variables =.{ACCOUNT_VARIABLE}", account),
    ]
    of_log_group: list[Row] = [
        ("", "name", f"{quote(f'/shielded-function/{options.function}')} # its role needs {_WRITES} here"),
        ("RetentionInDays", "retention_in_days", "731"),
        ("DeletionProtectionEnabled", "", "true"),
    ]
    levels = "[{Key: FunctionName, Value: $.function}, {Key: Level, Value: $.level}]"
    of_filter: list[Row] = [
        ("", "name", quote(f"{options.function}-violations")),
        ("LogGroupName", "log_group_name", group),
        ("FilterPattern", "pattern", quote(of_functions(counter.pattern, [options.function]))),
        ("MetricTransformations.- MetricNamespace", "metric_transformation.namespace", quote(NAMESPACE)),
        ("MetricTransformations.  MetricName", "metric_transformation.name", quote(counter.metric)),
        ("MetricTransformations.  MetricValue", "metric_transformation.value", quote(VALUE)),
        ("MetricTransformations.  Dimensions", "", levels),
        ("", "metric_transformation.dimensions =.FunctionName", '"$.function"'),
        ("", "metric_transformation.dimensions =.Level", '"$.level"'),
    ]
    log_filter = f'"aws_cloudwatch_log_metric_filter" "{identity}_violations"'
    yield "ShieldedFunctionLayer", '"aws_lambda_layer_version" "shield"', "AWS::Serverless::LayerVersion", of_layer
    yield f"{identity}Function", f'"aws_lambda_function" "{identity}"', "AWS::Serverless::Function", of_function
    yield f"{identity}LogGroup", f'"aws_cloudwatch_log_group" "{identity}"', _LOG_GROUP, of_log_group
    yield f"{identity}ViolationsFilter", log_filter, "AWS::Logs::MetricFilter", of_filter
    for watch in watches_of(AlarmOptions()):
        kind, level = watch.of_class or "", quote(watch.level or "")
        text = describe_function(options.function, options.function, "", watch, watch.severity)
        of_alarm: list[Row] = [
            ("AlarmName", "alarm_name", quote(f"shield-{kind}-{options.function}")),
            ("AlarmDescription", "alarm_description", quote(text)),
            ("Namespace", "namespace", quote(NAMESPACE)),
            ("MetricName", "metric_name", quote(counter.metric)),
            ("Dimensions", "", f"[{{Name: FunctionName, Value: {function}}}, {{Name: Level, Value: {level}}}]"),
            ("", "dimensions", f"{{ FunctionName = {function}, Level = {level} }}"),
            ("Statistic", "statistic", '"Sum"'),
            ("Period", "period", "60"),
            ("EvaluationPeriods", "evaluation_periods", str(watch.periods[0])),
            ("DatapointsToAlarm", "datapoints_to_alarm", "1"),
            ("Threshold", "threshold", "1"),
            ("ComparisonOperator", "comparison_operator", '"GreaterThanOrEqualToThreshold"'),
            ("TreatMissingData", "treat_missing_data", '"notBreaching"'),
        ]
        name = f'"aws_cloudwatch_metric_alarm" "{identity}_{kind}"'
        yield f"{identity}{kind.title()}Alarm", name, "AWS::CloudWatch::Alarm", of_alarm


def _nested(rows: Sequence[Row], side: int) -> _Tree:
    """The values of SAM (side 0) or Terraform (1), by the parts of their names."""
    tree: _Tree = {}
    for sam, terraform, value in rows:
        *above, last = (sam, terraform)[side].split(".")
        if last:
            place = reduce(lambda tree, name: tree.setdefault(name, {}), above, tree)
            place[last] = value if isinstance(value, str) else value[side]
    return tree


def _yaml(tree: _Tree, indent: str) -> Iterator[str]:
    for name, value in tree.items():
        yield f"{indent}{name}: {value}\n" if isinstance(value, str) else f"{indent}{name}:\n"
        if not isinstance(value, str):
            yield from _yaml(value, f"{indent}  ")


def _hcl(tree: _Tree, indent: str) -> Iterator[str]:
    """The arguments, in one column as Terraform formats them, and then the blocks."""
    texts = {name: value for name, value in tree.items() if isinstance(value, str)}
    width = max(map(len, texts), default=0)
    yield from (f"{indent}{name:{width}} = {value}\n" for name, value in texts.items())
    for name in [each for each in tree if each not in texts]:
        yield "\n" if texts or not indent else ""
        yield from (f"{indent}{name} {{\n", *_hcl(tree[name], f"{indent}  "), f"{indent}}}\n")


FORMATS: Final[Mapping[RenderFormat, Callable[[Mapping[str, str], Render], str]]] = {
    "env": _env,
    "sam": _sam,
    "terraform": _terraform,
    "json": _json,
}


def yaml_string(text: str) -> str:
    """A double-quoted scalar: https://yaml.org/spec/1.2.2/#731-double-quoted-style."""
    return '"' + "".join(map(_escaped, text)) + '"'


def hcl_string(text: str) -> str:
    """A quoted template without interpolation.

    The sign before a brace is written as a number, as parsers differ about `$$${`, and about an unclosed `$${`.
    https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions
    """
    return _INTRODUCTION.sub(lambda match: f"\\u{ord(match['sign']):04x}{{", yaml_string(text))


def _escaped(character: str) -> str:
    r"""Printable ASCII unchanged, the rest as `\uXXXX` or `\UXXXXXXXX`, which YAML and HCL share."""
    if character in '"\\':
        return "\\" + character
    if character.isascii() and character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
