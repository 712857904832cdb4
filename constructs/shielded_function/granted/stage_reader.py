"""Reads the grants of roles from the constructs of a stage, by one request for all that a role may have.

References name constructs by their paths (`batching.read_resources`): logical ids are the same in stacks of one class,
and a reference to another stack resolves differently after the synthesis has begun.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, reduce
from itertools import product
from typing import Any, Final, TypeAlias, cast

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from shielded_function_monitoring.cfn.documents import statements
from shielded_function_monitoring.cfn.parts import map_constructs
from shielded_function_monitoring.cfn.template import REF, as_mapping, reference

from ..errors import ShieldError
from ..names import LOCK, l2_path
from ..reading.batching import find_all, holders_of, members_of, read_resources
from ..reading.functions import FunctionHandle
from ..reading.paths import described, find_constructs, path_of, request_paths
from ..tokens import has_token
from .entries import Finding
from .resources import Field, Resource, Target, Unknown, words
from .roles import IDENTITY_POLICIES, RESOURCE_POLICIES, RoleReader
from .statements import Caller

__all__ = ["AnyFunction", "Inputs", "StageReader", "are_same", "read_inputs"]

_ID: Final = "shielded-function:granted"

Inputs: TypeAlias = "Mapping[str, Mapping[str, Any]]"
"""The properties that a read depends on, by the paths of the resources."""

AnyFunction: TypeAlias = "FunctionHandle | lambda_.Function | lambda_.CfnFunction"

_POLICIES: Final[Mapping[str, Sequence[str]]] = {
    "AWS::IAM::Role": ("RoleName", "Policies", "ManagedPolicyArns"),
    **dict.fromkeys(IDENTITY_POLICIES, ("Roles", "RoleName", "PolicyDocument")),
    **{kind: (name,) for kind, name in RESOURCE_POLICIES.items()},
    "AWS::Lambda::EventInvokeConfig": ("FunctionName", "DestinationConfig"),
    "AWS::Lambda::EventSourceMapping": (
        *("FunctionName", "EventSourceArn", "SelfManagedEventSource"),
        *("SourceAccessConfigurations", "DestinationConfig"),
    ),
}
"""The properties with grants, by type."""

_TYPES: Final[Mapping[str, Sequence[str]]] = {
    **_POLICIES,
    "AWS::Lambda::Function": (
        *("Role", "DeadLetterConfig", "LoggingConfig", "TracingConfig", "VpcConfig", "KmsKeyArn"),
    ),
    "AWS::Lambda::Url": ("TargetFunctionArn",),
}
"""The read properties. Those of a function do not include its environment, which holds the policy."""

_KEYS: Final = ("encryptionKey.keyArn", "encryptionMasterKey.keyArn", "masterKey.keyArn")
_ARNS: Final = (
    *("bucketArn", "parameterArn", "queueArn", "secretArn", "streamArn", "tableArn", "tableStreamArn", "topicArn"),
)
"""Members of L2s, and of imports of them."""


@dataclass(frozen=True, eq=False)
class Stack:
    """A stack of the stage.

    Attributes:
        path: its construct path.
        stack: the stack itself.
        region: where known.
        account: where known.
    """

    path: str
    stack: cdk.Stack
    region: str
    account: str

    @cached_property
    def elements(self) -> Mapping[str, IConstruct]:
        """Its elements, by their logical ids, for references that are written by hand."""
        elements = [element for element, _ in find_all(self.stack, ("CfnElement",), ())]
        return dict(zip(self.stack.resolve([i for (i,) in members_of(elements, "logicalId")]), elements, strict=True))


@dataclass(frozen=True)
class Element:
    """A construct of the stage."""

    path: str
    stack: Stack | None
    reader: StageReader = field(compare=False, repr=False)

    @property
    def properties(self) -> Mapping[str, Any]:
        return as_mapping(self.reader.properties_at(self.path))

    @property
    def region(self) -> str:
        return self.stack.region if self.stack else ""

    @property
    def account(self) -> str:
        return self.stack.account if self.stack else ""


class StageReader(RoleReader):
    """One read of a stage for some of its functions."""

    def __init__(self, stage: IConstruct, functions: Sequence[AnyFunction]) -> None:
        """
        Args:
            stage: an App or a Stage, without the Stages nested in it.
            functions: the functions whose grants to read; a handle holds properties already.

        Raises:
            ShieldError: a function is not in this stage.
        """
        super().__init__()
        self._stage = stage
        self._handles = [f if isinstance(f, FunctionHandle) else FunctionHandle(f) for f in functions]
        self._stacks = _stacks_in(stage)
        self.rows = read_resources(stage, _TYPES, without=LOCK)
        self._properties = {path: properties for path, _, properties in self.rows}
        request_paths(handle.resource for handle in self._handles)
        for handle in self._handles:
            if path_of(handle.resource)[0] not in self._properties:
                raise ShieldError(handle.path, ["it is not in the stage whose grants are read"])

    @property
    def inputs(self) -> Inputs:
        """The inputs of the read, as of `read_inputs`."""
        return _inputs(self.rows)

    def callers(self) -> Iterator[tuple[FunctionHandle, Caller]]:
        """Each function, and the grants of its role."""
        for handle in self._handles:
            yield handle, self.caller_at(self.element(path_of(handle.resource)[0]))

    def elements(self, *kinds: str) -> Iterator[Element]:
        """The resources of some types."""
        return (self.element(path) for path, kind, _ in self.rows if kind in kinds)

    def element(self, path: str) -> Element:
        """The construct with a path."""
        return Element(path, self.stack_of(path), self)

    def stack_of(self, path: str) -> Stack | None:
        """The stack of a construct path; None outside the stage."""
        return next((s for s in self._stacks if path == s.path or path.startswith(f"{s.path}/") or not s.path), None)

    def properties_at(self, path: str) -> Any:
        """The properties of a construct, by one request where no role, policy or function has them."""
        if path not in self._properties:
            found = read_resources(self._stage, _TYPES, paths=[path])
            self._properties[path] = found[0][2] if found else {}
        return self._properties[path]

    def construct_at(self, path: str) -> Any:
        """The construct with a path."""
        return reduce(
            lambda found, name: found.node.find_child(name), path.split("/"), cast("Any", self._stage.node.root)
        )

    def referred(self, value: Mapping[str, Any], element: Any, depth: int) -> Field:
        """The construct of a reference, also of one that is written by hand."""
        match value:
            case {"Construct": [path, attribute, text, kind]}:
                pass
            case _:
                name, attribute = reference(value)
                found = element.stack.elements.get(name) if name and not name.startswith("AWS::") else None
                if found is None:
                    return ()
                (path, kind), text = path_of(found), ""
        target = Target(path, kind, attribute, self.element(path))
        return (Unknown("", target, make=lambda: self._text_of(path, attribute, text)),)

    def token_of(self, value: Any, element: Any) -> str:
        """A token for a value known only at deployment."""
        return _token(json.dumps(map_constructs(value, self._text_of)))

    def _text_of(self, path: str, attribute: str, text: str, *_: str) -> str:
        """The CDK's text for a reference; of a text that holds in one place alone, another one."""
        return text or _attribute_of(self.construct_at(path), attribute)

    def regions_beside(self, element: Any) -> bool:
        """Whether the stage has stacks in other regions."""
        return any(stack.region != element.region for stack in self._stacks)

    def keys_of(self, resource: Resource) -> Mapping[str, str]:
        """The names of a resource's keys -> the names of their holders, which may be imported."""
        found = dict(super().keys_of(resource))
        for arn, holder, key in self._holders:
            if resource.name == arn or resource.name.startswith(f"{arn}/"):
                found.setdefault(key, holder)
        return found

    @cached_property
    def _holders(self) -> list[tuple[str, str, str]]:
        """(ARN, construct path, ARN of its key) in words, of L2s and imports that have a key."""
        rows = self._members(_KEYS, _ARNS)
        return [(arn, l2_path(path), key) for path, key, *arns in rows for arn in arns if arn]

    def imported_finding(self, name: str) -> Finding:
        """The finding about a role without a resource, which may be one that exists already."""
        if name not in self._precreated:
            return super().imported_finding(name)
        return Finding(
            f"{_ID}PrecreatedRole",
            f"its role {name} exists already (Role.customize_roles), and the CDK does not list this app's "
            "grants to it: name every service that iam-policy-report.txt in the assembly lists for it, as in "
            'allow_aws=["granted", "dynamodb"], and list buckets in allow_buckets',
        )

    @cached_property
    def _precreated(self) -> frozenset[str]:
        """The ARNs, in words, of precreated `iam.Role`s (`Role.customize_roles`)."""
        rows = self._members(("assumeRolePolicy",), ("roleArn", "node.defaultChild"))
        return frozenset(arn for _, _, arn, resource in rows if not resource)

    def _members(self, any_of: Sequence[str], others: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """The path of each construct in the stage that has one of some members, and these in words; empty for none."""
        for text, first, more in holders_of(self._stage, any_of, others):
            path = described(text)[0]
            if (element := self.element(path)).stack:
                yield path, *(words(self.pieces(value or "", element)) for value in (first, *more))


def _stacks_in(stage: IConstruct) -> list[Stack]:
    """The stacks of a stage without its nested stages, the innermost first."""
    found = find_constructs(stage, ("Stage", "Stack"))
    nested = [path for each in found if isinstance(each, cdk.Stage) and (path := path_of(each)[0]) != path_of(stage)[0]]
    stacks = [
        each
        for each in found
        if isinstance(each, cdk.Stack) and not any(path_of(each)[0].startswith(f"{path}/") for path in nested)
    ]
    return sorted(
        (
            Stack(path_of(each)[0], each, *("" if has_token(text) else text for text in where))
            for each, where in zip(stacks, members_of(stacks, "region", "account"), strict=True)
        ),
        key=lambda stack: -len(stack.path),
    )


def _attribute_of(element: Any, attribute: str) -> str:
    """The CDK's text for an attribute of a construct."""
    if isinstance(element, cdk.CfnParameter):
        return cdk.Token.as_string(element.value)
    return element.ref if attribute == REF else cdk.Token.as_string(element.get_att(attribute))


@cache
def _token(value: str) -> str:
    return cdk.Token.as_string(json.loads(value))


def read_inputs(stage: IConstruct) -> Inputs:
    """The policies of a stage, and the names of roles and functions in them."""
    return _inputs(read_resources(stage, _POLICIES, without=LOCK))


def _inputs(rows: Iterable[tuple[str, str, Any]]) -> Inputs:
    return {path: properties for path, kind, properties in rows if kind in _POLICIES}


def are_same(before: Inputs, now: Inputs) -> bool:
    """Whether two reads have the same inputs. The CDK merges statements at synthesis, which changes none."""
    return before.keys() == now.keys() and all(
        given == now[path] or _grants(given) == _grants(now[path]) for path, given in before.items()
    )


def _grants(properties: Mapping[str, Any]) -> set[str]:
    """Each combination that the policies of a resource grant, and its other properties."""
    documents = {name for name, value in properties.items() if "Statement" in as_mapping(value)}
    found = {json.dumps({name: value for name, value in properties.items() if name not in documents}, sort_keys=True)}
    for statement in (each for name in documents for each in statements(properties[name])):
        parts = (sorted(_choices(*each), key=str) for each in sorted(statement.items()))
        found.update(json.dumps(combination, default=str) for combination in product(*parts))
    return found


def _choices(name: str, value: Any) -> Iterator[Any]:
    if name == "Principal" and isinstance(value, dict):
        for kind, principals in as_mapping(value).items():
            yield from ((name, kind, choice) for _, choice in _choices("", principals))
    elif isinstance(value, list) and name != "Condition":
        yield from ((name, item) for item in value)
    else:
        yield name, value
