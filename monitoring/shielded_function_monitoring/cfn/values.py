"""Template values as deployment would make them: the intrinsic functions that functions, filters and alarms use.

References that only a deployment resolves are an error that names them, never a guess; `values` supplies
known ones.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, cast

from ..errors import ShieldError
from .parts import expression, parts_of_sub
from .template import PATH, Place, construct_of, is_function

REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"

_PARTITIONS = {"cn-": ("aws-cn", "amazonaws.com.cn"), "us-gov-": ("aws-us-gov", "amazonaws.com")}

# Resources whose Ref is their name: the property that sets it, and the ARN that follows from it.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_NAMED: Final = {
    "AWS::CloudWatch::Alarm": ("AlarmName", "cloudwatch:{region}:{account}:alarm:{name}"),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName", "cloudwatch:{region}:{account}:alarm:{name}"),
    "AWS::DynamoDB::GlobalTable": ("TableName", "dynamodb:{region}:{account}:table/{name}"),
    "AWS::DynamoDB::Table": ("TableName", "dynamodb:{region}:{account}:table/{name}"),
    "AWS::Events::EventBus": ("Name", "events:{region}:{account}:event-bus/{name}"),
    "AWS::IAM::Role": ("RoleName", "iam::{account}:role/{name}"),
    "AWS::Kinesis::Stream": ("Name", "kinesis:{region}:{account}:stream/{name}"),
    "AWS::Lambda::Function": ("FunctionName", "lambda:{region}:{account}:function:{name}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:{region}:{account}:log-group:{name}:*"),
    "AWS::S3::Bucket": ("BucketName", "s3:::{name}"),
    "AWS::SNS::Topic": ("TopicName", "sns:{region}:{account}:{name}"),
    "AWS::SSM::Parameter": ("Name", ""),
}
# Resources whose Ref is their ARN, with the attribute that is the ARN too.
_REF_IS_ARN = {"AWS::SNS::Topic": "TopicArn"}
_LOG_RETENTION: Final = "Custom::LogRetention"
_LISTS: Final = ("CommaDelimitedList", "List<")
_DYNAMIC = re.compile(r"\{\{resolve:[^}]*\}\}")


class IntrinsicError(ShieldError):
    """A value that cannot be resolved outside a deployment; the message names it.

    Attributes:
        key: its key in `values`; empty when it cannot be given.
    """

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class _NoValue:
    """`AWS::NoValue`: the property is left out."""


_NO_VALUE: Final = _NoValue()


@dataclass(frozen=True)
class Resolver:
    """Resolves values of one template.

    Attributes:
        stack: the stack's name.
        template: its template.
        values: known values of the deployment: `LogicalId` (a Ref), `LogicalId.Attribute`, a parameter, the
            name of an export, a dynamic reference.
        region: of the deployment.
        account: of the deployment.
        elsewhere: finds the value that another stack gives for a reference; None: there is none.
        paths: the construct path of each resource whose metadata has none, by logical id.
        is_lenient: whether an expression known only at deployment becomes a text, in place of an error. Equal
            expressions of a stack become equal texts.
    """

    stack: str
    template: Mapping[str, Any]
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    region: str = REGION
    account: str = ACCOUNT
    elsewhere: Callable[[Any], Callable[[], Any] | None] = lambda _: None
    paths: Mapping[str, str] = field(default_factory=dict[str, str])
    is_lenient: bool = False

    def resolve(self, value: Any) -> Any:
        """`value` with its intrinsic functions replaced.

        Raises:
            IntrinsicError: it holds one that cannot be known here.
        """
        if isinstance(value, list):
            items = (self.resolve(item) for item in cast("list[Any]", value))
            return [item for item in items if item is not _NO_VALUE]
        if isinstance(value, str):
            return self._plain(value)
        if not isinstance(value, dict):
            return value
        mapping = cast("dict[str, Any]", value)
        if len(mapping) == 1:
            (name, argument), *_ = mapping.items()
            if is_function(name):
                try:
                    return self._intrinsic(name, argument)
                except IntrinsicError:
                    if self.is_lenient:
                        return f"{self.stack}#{expression(mapping)}"
                    raise
        resolved = {key: self.resolve(item) for key, item in mapping.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def path_of(self, logical_id: str) -> str:
        """The path of a resource's construct; empty where it is unknown."""
        written = (self.template["Resources"][logical_id].get("Metadata") or {}).get(PATH)
        return construct_of(str(written or self.paths.get(logical_id, "")))

    def place(self, logical_id: str) -> Place:
        """The place of a resource."""
        return Place(self.path_of(logical_id) or logical_id, logical_id, self.stack)

    def name_of(self, logical_id: str) -> str:
        """The physical name of a resource: the one it has, is given, or one as CloudFormation would make it."""
        resource = self.template["Resources"][logical_id]
        if logical_id in self.values and resource["Type"] not in _REF_IS_ARN:
            return self.values[logical_id]
        given = resource.get("Properties", {}).get(_NAMED[resource["Type"]][0])
        return self.resolve(given) if given is not None else f"{self.stack}-{logical_id}"

    def arn_of(self, logical_id: str) -> str:
        """The ARN of a resource whose type is known to have one that follows from its name."""
        kind = self.template["Resources"][logical_id]["Type"]
        arn = _NAMED[kind][1].format(region=self.region, account=self.account, name=self.name_of(logical_id))
        return f"arn:{self.pseudo['AWS::Partition']}:{arn}"

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template holds.

        Raises:
            IntrinsicError: it cannot be known here.
        """
        return self._holds({"Condition": condition})

    def _plain(self, text: str) -> str:
        """Text, which may hold references to parameters and secrets.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
        """

        def replaced(match: re.Match[str]) -> str:
            if match[0] not in self.values and not self.is_lenient:
                raise IntrinsicError(f"{match[0]}: it is read at deployment", match[0])
            return self.values.get(match[0], match[0])

        return _DYNAMIC.sub(replaced, text)

    def _intrinsic(self, name: str, argument: Any) -> Any:
        known: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::Base64": lambda value: base64.b64encode(str(self.resolve(value)).encode()).decode(),
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_attribute,
            "Fn::If": self._if,
            "Fn::ImportValue": self._import_value,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": lambda value: self._plain("".join(str(self.resolve(part)) for part in parts_of_sub(value))),
        }
        if name not in known:
            raise IntrinsicError(f"{name} {argument!r} cannot be resolved without a deployment")
        return known[name](argument)

    def ref(self, name: str) -> Any:
        """The `Ref` of a resource, a parameter, or a pseudo parameter.

        Raises:
            IntrinsicError: it cannot be known here.
        """
        return self.resolve({"Ref": name})

    def _ref(self, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        if found := self.elsewhere({"Ref": name}):
            return found()
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name.startswith("AWS::") and (pseudo := self.pseudo.get(name)):
            return pseudo
        if name in (parameters := self.template.get("Parameters", {})):
            return self._parameter(name, parameters[name])
        resource = self.template.get("Resources", {}).get(name)
        if resource is None:
            raise IntrinsicError(f"Ref {name}: the template has no such resource, nor a parameter with a default", name)
        if resource["Type"] not in _NAMED:
            raise IntrinsicError(f"Ref {name}: the Ref of a {resource['Type']} is known only after deployment", name)
        return self.arn_of(name) if resource["Type"] in _REF_IS_ARN else self.name_of(name)

    @cached_property
    def pseudo(self) -> Mapping[str, str]:
        """The values of the pseudo-parameters."""
        partition, suffix = next(
            (found for prefix, found in _PARTITIONS.items() if self.region.startswith(prefix)),
            ("aws", "amazonaws.com"),
        )
        return {
            "AWS::AccountId": self.account,
            "AWS::Partition": partition,
            "AWS::Region": self.region,
            "AWS::StackName": self.stack,
            "AWS::StackId": f"arn:{partition}:cloudformation:{self.region}:{self.account}:stack/{self.stack}/emulated",
            "AWS::URLSuffix": suffix,
        }

    def _parameter(self, name: str, parameter: Mapping[str, Any]) -> Any:
        # The default of such a parameter is where its value is kept.
        if str(parameter.get("Type", "")).startswith("AWS::SSM::Parameter::Value"):
            raise IntrinsicError(f"Ref {name}: the parameter's value is read from SSM at deployment", name)
        if "Default" not in parameter:
            raise IntrinsicError(f"Ref {name}: the parameter has no default", name)
        given = str(parameter["Default"])
        return given.split(",") if str(parameter.get("Type")).startswith(_LISTS) else given

    def _get_attribute(self, argument: str | Sequence[str]) -> Any:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        key = f"{logical_id}.{attribute}"
        if key in self.values:
            return self.values[key]
        resource = self.template.get("Resources", {}).get(logical_id, {})
        kind = resource.get("Type", "resource that is not in the template")
        if found := self.elsewhere({"Fn::GetAtt": [logical_id, attribute]}):
            return found()
        if kind == _LOG_RETENTION and attribute == "LogGroupName":  # the group that it sets the retention of
            return self.resolve(resource["Properties"][attribute])
        if _NAMED.get(kind, ("", ""))[1] and attribute == _REF_IS_ARN.get(kind, "Arn"):
            return self.arn_of(logical_id)
        raise IntrinsicError(f"Fn::GetAtt {key}: known only after the deployment of a {kind}", key)

    def _import_value(self, argument: Any) -> Any:
        name = str(self.resolve(argument))
        if name in self.values:
            return self.values[name]
        if (found := self.elsewhere({"Fn::ImportValue": name})) is None:
            raise IntrinsicError(f"Fn::ImportValue {name}: no stack here exports it", name)
        return found()

    def _join(self, argument: Sequence[Any]) -> str:
        delimiter, parts = argument
        items = self.resolve(parts)
        if not isinstance(items, list):
            raise IntrinsicError(f"Fn::Join of {parts!r}: it is no list before the deployment")
        return delimiter.join(map(str, cast("list[Any]", items)))

    def _split(self, argument: Sequence[Any]) -> list[str]:
        delimiter, source = argument
        return str(self.resolve(source)).split(delimiter)

    def _select(self, argument: Sequence[Any]) -> Any:
        index, source = int(self.resolve(argument[0])), self.resolve(argument[1])
        if not isinstance(source, list) or not 0 <= index < len(cast("list[Any]", source)):
            raise IntrinsicError(f"Fn::Select {index}: there is no such item in {source!r}")
        return cast("list[Any]", source)[index]

    def _find_in_map(self, argument: Sequence[Any]) -> Any:
        name, first, second = (self.resolve(key) for key in argument[:3])
        try:
            return self.template["Mappings"][name][first][second]
        except KeyError as error:
            raise IntrinsicError(f"Fn::FindInMap {name}.{first}.{second}: there is no such entry") from error

    def _if(self, argument: Sequence[Any]) -> Any:
        name, then, otherwise = argument
        return self.resolve(then if self._holds({"Condition": name}) else otherwise)

    def _holds(self, condition: Mapping[str, Any]) -> bool:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html"""
        ((name, argument),) = condition.items()
        if name == "Condition":
            if argument not in (known := self.template.get("Conditions", {})):
                raise IntrinsicError(f"Condition {argument}: the template has no such condition")
            return self._holds(known[argument])
        if name == "Fn::Equals":
            first, second = (str(self.resolve(item)) for item in argument)
            return first == second
        if name in ("Fn::And", "Fn::Or", "Fn::Not"):
            held = [self._holds(item) for item in argument]
            return {"Fn::And": all(held), "Fn::Or": any(held), "Fn::Not": not held[0]}[name]
        raise IntrinsicError(f"{name} {argument!r} cannot be resolved without a deployment")
