"""Template values as deployment would make them: the few intrinsic functions that a function's settings use.

References to things that only a deployment can know are an error that names them, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

REGION = "us-east-1"
ACCOUNT = "123456789012"

_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}

# Resources whose Ref is their name, and the property that sets it.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
_NAME_PROPERTIES = {
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Kinesis::Stream": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
}


class IntrinsicError(ValueError):
    """A value that cannot be resolved outside a deployment; the message names it."""


@dataclass(frozen=True)
class Resolver:
    """Resolves values of one template."""

    stack: str
    template: Mapping[str, Any]

    def resolve(self, value: Any) -> Any:
        """`value` with its intrinsic functions replaced.

        Raises:
            IntrinsicError: it holds one that cannot be known here.
        """
        if isinstance(value, list):
            return [self.resolve(item) for item in cast("list[Any]", value)]
        if not isinstance(value, dict):
            return value
        mapping = cast("dict[str, Any]", value)
        if len(mapping) == 1:
            (name, argument), *_ = mapping.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._intrinsic(name, argument)
        return {key: self.resolve(item) for key, item in mapping.items()}

    def name_of(self, logical_id: str) -> str:
        """The physical name of a resource: the one it is given, or one as CloudFormation would make it."""
        resource = self.template["Resources"][logical_id]
        given = resource.get("Properties", {}).get(_NAME_PROPERTIES[resource["Type"]])
        return self.resolve(given) if given is not None else f"{self.stack}-{logical_id}"

    def _intrinsic(self, name: str, argument: Any) -> Any:
        known: dict[str, Callable[[Any], Any]] = {"Ref": self._ref, "Fn::Join": self._join, "Fn::Sub": self._sub}
        if name not in known:
            raise IntrinsicError(f"{name} {argument!r} cannot be resolved without a deployment")
        return known[name](argument)

    def _ref(self, name: str) -> str:
        if name == "AWS::StackName":
            return self.stack
        if name in _PSEUDO:
            return _PSEUDO[name]
        if "Default" in (parameter := self.template.get("Parameters", {}).get(name, {})):
            return str(parameter["Default"])
        resource = self.template.get("Resources", {}).get(name)
        if resource is None:
            raise IntrinsicError(f"Ref {name}: the template has no such resource, nor a parameter with a default")
        if resource["Type"] not in _NAME_PROPERTIES:
            raise IntrinsicError(f"Ref {name}: what a {resource['Type']} refers to is known only after deployment")
        return self.name_of(name)

    def _join(self, argument: Sequence[Any]) -> str:
        delimiter, parts = argument
        return delimiter.join(str(self.resolve(part)) for part in parts)

    def _sub(self, argument: str | Sequence[Any]) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def replaced(match: re.Match[str]) -> str:
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            return str(self.resolve(variables[name]) if name in variables else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", replaced, text)
