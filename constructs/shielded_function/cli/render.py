"""`shielded-function render`: a policy as SAM, Terraform, JSON or plain variables, for use without the CDK.

SAM and Terraform get the construct's resources: the layer, the function's environment, its log group, the metric filter
and the alarms. The function's own settings (code, handler, role) are left to the user, who merges the text.
"""

from __future__ import annotations

import json as json_module
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from shielded_function.alarms import AlarmOptions
from shielded_function.monitoring.descriptions import describe_function
from shielded_function.monitoring.watches import general_counter, watches_of
from shielded_function.names import ACCOUNT_VARIABLE, WRAPPER, WRAPPER_VARIABLE
from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from shielded_function.resolution.lengths import MAX_ENVIRONMENT, environment_size
from shielded_function_monitoring.filters import NAMESPACE, VALUE, of_functions

from .choices import Architecture, RenderFormat
from .errors import CliError

NO_GRANTS: Final = (
    'the variables do not set SHIELD_ALLOW_AWS, which means every service: list them, as in allow_aws=["dynamodb"]'
)
_ACCOUNT_DIGITS: Final = "0" * 12

# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
_FUNCTION_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DYNAMIC: Final = "{{resolve:"
_INTRODUCTION: Final = re.compile(r"(?P<sign>[$%])\{")


class Options(NamedTuple):
    """The names for the text.

    Attributes:
        function: the function's name.
        architecture: Lambda's name of it.
        layer: the layer's zip file, as `shielded-function layer` writes it, relative to the template.
    """

    function: str
    architecture: Architecture
    layer: str


def render(policy: ShieldPolicy, form: RenderFormat, options: Options) -> str:
    """The policy as text, which ends with a newline.

    Raises:
        CliError: the function's name is malformed, the variables exceed a function's 4 KB, or an entry of the policy
            is known only to a CDK app.
    """
    if not _FUNCTION_NAME.fullmatch(options.function):
        raise CliError(f"--function {options.function}: a function's name is 1 to 64 of A-Z a-z 0-9 _ -")
    try:
        settings = policy.to_env()
    except ShieldPolicyError as error:  # an entry is known only at synthesis
        raise CliError(str(error)) from error
    if form != "env":
        _check_size({**settings, ACCOUNT_VARIABLE: _ACCOUNT_DIGITS, WRAPPER_VARIABLE: WRAPPER})
    return FORMATS[form](settings, options)


def _check_size(variables: Mapping[str, str]) -> None:
    size = environment_size(variables)
    if size > MAX_ENVIRONMENT:
        raise CliError(
            f"the variables take {size} bytes of Lambda's {MAX_ENVIRONMENT}: shorten the lists, or put the lines of "
            "--format env into a file of the function or a layer, and set SHIELD_POLICY_FILE to its path"
        )


def _env(settings: Mapping[str, str], _: Options) -> str:
    """Lines of a policy file or a Docker env file: the text after `=` is the value, unquoted."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _json(settings: Mapping[str, str], _: Options) -> str:
    """The argument of `aws lambda update-function-configuration --environment`."""
    variables = {**settings, WRAPPER_VARIABLE: WRAPPER}
    return json_module.dumps({"Variables": variables}, indent=2, ensure_ascii=False) + "\n"


_SAM: Final = """\
# The layer's file: shielded-function layer --arch {architecture} --output {layer}
# Lines marked "yours" are the function's own: keep your template's values there, and add the rest.
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  ShieldedFunctionLayer:
    Type: AWS::Serverless::LayerVersion
    Properties:
      LayerName: shielded-function-{layer_name}
      ContentUri: {layer_text}
      CompatibleArchitectures:
        - {architecture}
      LicenseInfo: Apache-2.0
  {id}Function:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: {name_text}
      CodeUri: src # yours
      Handler: app.handler # yours
      Runtime: python3.13 # yours
      Architectures:
        - {architecture}
      Layers:
        - !Ref ShieldedFunctionLayer # after your own layers
      LoggingConfig:
        LogGroup: !Ref {id}LogGroup
      Environment:
        Variables:
{variables}
          {account}: !Ref AWS::AccountId
          {wrapper_variable}: {wrapper}
  {id}LogGroup:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      RetentionInDays: 731
      DeletionProtectionEnabled: true
  {id}ViolationsFilter:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref {id}LogGroup
      FilterPattern: {pattern}
      MetricTransformations:
        - MetricNamespace: {namespace}
          MetricName: {metric}
          MetricValue: {value}
          Dimensions:
            - Key: FunctionName
              Value: $.function
            - Key: Level
              Value: $.level
"""
_SAM_ALARM: Final = """\
  {id}{title}Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: {alarm_name}
      AlarmDescription: {description}
      Namespace: {namespace}
      MetricName: {metric}
      Dimensions:
        - Name: FunctionName
          Value: {name_text}
        - Name: Level
          Value: {level}
      Statistic: Sum
      Period: 60
      EvaluationPeriods: {periods}
      DatapointsToAlarm: 1
      Threshold: 1
      ComparisonOperator: GreaterThanOrEqualToThreshold
      TreatMissingData: notBreaching
"""


def _sam(settings: Mapping[str, str], options: Options) -> str:
    for name, value in settings.items():
        if _DYNAMIC in value:
            raise CliError(f"{name} has {_DYNAMIC!r}, which CloudFormation would resolve as a dynamic reference")
    name = "".join(part[:1].upper() + part[1:] for part in re.split("[_-]", options.function))
    common = _common(settings, options, yaml_string, "          {}: {}") | {"id": name}
    text = _SAM.format(**common, account=ACCOUNT_VARIABLE, wrapper_variable=WRAPPER_VARIABLE)
    return text + "".join(_SAM_ALARM.format(**common, **alarm) for alarm in _alarms(options, yaml_string))


_TERRAFORM: Final = """\
# The layer's file: shielded-function layer --arch {architecture} --output {layer}
# Lines marked "yours" are the function's own: keep your configuration's values there, and add the rest.
data "aws_caller_identity" "current" {{}}

resource "aws_lambda_layer_version" "shield" {{
  layer_name               = "shielded-function-{layer_name}"
  filename                 = {layer_text}
  source_code_hash         = filebase64sha256({layer_text})
  compatible_architectures = ["{architecture}"]
  license_info             = "Apache-2.0"
}}

resource "aws_lambda_function" "{id}" {{
  function_name = {name_text}
  role          = aws_iam_role.{id}.arn # yours
  filename      = "src.zip" # yours
  handler       = "app.handler" # yours
  runtime       = "python3.13" # yours
  architectures = ["{architecture}"]
  layers        = [aws_lambda_layer_version.shield.arn] # after your own layers

  logging_config {{
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.{id}.name
  }}

  environment {{
    variables = {{
{variables}
      {account} = data.aws_caller_identity.current.account_id
      {wrapper_variable} = {wrapper}
    }}
  }}
}}

# The role must be allowed to write here: logs:CreateLogStream and logs:PutLogEvents.
resource "aws_cloudwatch_log_group" "{id}" {{
  name              = "/shielded-function/{function}"
  retention_in_days = 731
}}

resource "aws_cloudwatch_log_metric_filter" "{id}_violations" {{
  name           = {filter_name}
  log_group_name = aws_cloudwatch_log_group.{id}.name
  pattern        = {pattern}

  metric_transformation {{
    namespace = {namespace}
    name      = {metric}
    value     = {value}
    dimensions = {{
      FunctionName = "$.function"
      Level        = "$.level"
    }}
  }}
}}
"""
_TERRAFORM_ALARM: Final = """
resource "aws_cloudwatch_metric_alarm" "{id}_{kind}" {{
  alarm_name          = {alarm_name}
  alarm_description   = {description}
  namespace           = {namespace}
  metric_name         = {metric}
  dimensions          = {{ FunctionName = {name_text}, Level = {level} }}
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = {periods}
  datapoints_to_alarm = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
}}
"""


def _terraform(settings: Mapping[str, str], options: Options) -> str:
    name = options.function.lower().replace("-", "_")
    width = max(map(len, (*settings, ACCOUNT_VARIABLE, WRAPPER_VARIABLE)))
    common = _common(settings, options, hcl_string, f"      {{:{width}}} = {{}}")
    common["id"] = name if name[0].isalpha() else f"function_{name}"  # an identifier does not begin with a digit
    account, wrapper = f"{ACCOUNT_VARIABLE:{width}}", f"{WRAPPER_VARIABLE:{width}}"
    text = _TERRAFORM.format(**common, account=account, wrapper_variable=wrapper)
    return text + "".join(_TERRAFORM_ALARM.format(**common, **alarm) for alarm in _alarms(options, hcl_string))


def _common(settings: Mapping[str, str], options: Options, quote: Callable[[str], str], line: str) -> dict[str, str]:
    """The values of both texts. The filter pattern and the metric name are the construct's."""
    counter = general_counter()
    return {
        "function": options.function,
        "architecture": options.architecture,
        "layer": options.layer,
        "layer_name": options.architecture.replace("_", "-"),
        "layer_text": quote(options.layer),
        "name_text": quote(options.function),
        "variables": "\n".join(line.format(name, quote(value)) for name, value in settings.items()),
        "wrapper": quote(WRAPPER),
        "pattern": quote(of_functions(counter.pattern, [options.function])),
        "namespace": quote(NAMESPACE),
        "metric": quote(counter.metric),
        "value": quote(VALUE),
        "filter_name": quote(f"{options.function}-violations"),
    }


def _alarms(options: Options, quote: Callable[[str], str]) -> Iterator[dict[str, str]]:
    """The values that differ between the alarms: the construct's, without a link, as the region is unknown."""
    for watch in watches_of(AlarmOptions()):
        yield {
            "kind": str(watch.of_class),
            "title": str(watch.of_class).title(),
            "level": quote(str(watch.level)),
            "alarm_name": quote(f"shield-{watch.of_class}-{options.function}"),
            "description": quote(describe_function(options.function, options.function, "", watch, watch.severity)),
            "periods": str(watch.periods[0]),
        }


FORMATS: Final[Mapping[RenderFormat, Callable[[Mapping[str, str], Options], str]]] = {
    "env": _env,
    "sam": _sam,
    "terraform": _terraform,
    "json": _json,
}


def yaml_string(text: str) -> str:
    """A double-quoted scalar: https://yaml.org/spec/1.2.2/#731-double-quoted-style."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def hcl_string(text: str) -> str:
    """A quoted template without interpolation.

    The sign before a brace is written as a number, as parsers differ about `$$${`, and about an unclosed `$${`.
    https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions
    """
    escaped = "".join(_escaped(character) for character in text)
    return '"' + _INTRODUCTION.sub(lambda match: f"\\u{ord(match['sign']):04x}{{", escaped) + '"'


def _escaped(character: str) -> str:
    r"""Printable ASCII unchanged, the rest as `\uXXXX` or `\UXXXXXXXX`, which YAML and HCL share."""
    if character in '"\\':
        return "\\" + character
    if character.isascii() and character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
