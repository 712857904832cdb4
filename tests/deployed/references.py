"""Values of a template, as the deployed stack has them: the physical names that moto gave, not made-up ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from deployed.moto_server import ACCOUNT, REGION

_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}

# What Fn::GetAtt gives, from the physical id. moto does not tell attributes, and only these are asked for.
_ATTRIBUTES: dict[tuple[str, str], str] = {
    ("AWS::Lambda::Function", "Arn"): f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{0}}",
    ("AWS::Logs::LogGroup", "Arn"): f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{0}}:*",
    ("AWS::DynamoDB::Table", "Arn"): f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{0}}",
    ("AWS::S3::Bucket", "Arn"): "arn:aws:s3:::{0}",
    ("AWS::SNS::Topic", "TopicArn"): "{0}",
    ("AWS::IAM::Role", "Arn"): f"arn:aws:iam::{ACCOUNT}:role/{{0}}",
    ("AWS::CloudWatch::Alarm", "Arn"): f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{{0}}",
}


class ReferenceMissing(Exception):
    """A reference to what is not there, or an intrinsic function that nobody needed so far; the text names it."""


@dataclass
class References:
    """Resolves the values of one deployed stack's template.

    Attributes:
        stack: its name.
        template: its template.
        physical: the physical id of each resource that exists, by logical id.
        parameters: the values of the template's parameters.
    """

    stack: str
    template: Mapping[str, Any]
    physical: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])

    def resolve(self, value: Any) -> Any:
        """`value` with every intrinsic function replaced.

        Raises:
            ReferenceMissing: one of them cannot be.
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

    def _intrinsic(self, name: str, argument: Any) -> Any:
        known: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._attribute,
            "Fn::Join": lambda parts: parts[0].join(str(part) for part in self.resolve(parts[1])),
            "Fn::Select": lambda chosen: self.resolve(chosen[1])[int(chosen[0])],
            "Fn::Split": lambda text: self.resolve(text[1]).split(text[0]),
            "Fn::Sub": self._substitute,
        }
        if name not in known:
            raise ReferenceMissing(f"{self.stack}: nothing here resolves {name} {argument!r}")
        return known[name](argument)

    def _ref(self, name: str) -> str:
        if name == "AWS::StackName":
            return self.stack
        for source in (_PSEUDO, self.parameters, self.physical):
            if name in source:
                return source[name]
        raise ReferenceMissing(f"{self.stack}: {name} does not exist in the deployed stack")

    def _attribute(self, argument: list[str]) -> str:
        logical_id, attribute = argument
        kind = self.template["Resources"][logical_id]["Type"]
        if (kind, attribute) not in _ATTRIBUTES:
            raise ReferenceMissing(f"{self.stack}: {logical_id}.{attribute}: add {kind}'s to _ATTRIBUTES")
        return _ATTRIBUTES[kind, attribute].format(self._ref(logical_id))

    def _substitute(self, argument: str | list[Any]) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def replaced(match: re.Match[str]) -> str:
            name = match[1]
            if name in variables:
                return str(self.resolve(variables[name]))
            return self._attribute(name.split(".", 1)) if "." in name else self._ref(name)

        return re.sub(r"\$\{([^}!]+)\}", replaced, text)
