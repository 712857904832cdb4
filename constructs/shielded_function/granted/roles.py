"""Reads the grants of roles from resources as JSON: one reader for constructs and for templates.

An app's grants end up in IAM resources: a role's inline policies, policies and managed policies that name the role,
managed policies of its list, and resource policies with the role as principal. A source gives the resources and
the targets of their references: `stage_reader` from constructs, `checks.template_grants` from templates.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final, cast

from shielded_function_monitoring.cfn.documents import condition_keys, principals, statements
from shielded_function_monitoring.cfn.parts import choices, map_constructs, parts, references
from shielded_function_monitoring.cfn.template import as_mapping, is_function, ref_of

from ..names import l2_path
from .actions import covers, parse_action
from .entries import Finding
from .lambdas import Mappings
from .managed import LAMBDAS_OWN, STATEMENTS, managed_name
from .origins import LambdaUse
from .resources import Element, Field, Piece, Resource, Target, Unknown, join_pieces, literal, target_of, words
from .statements import Caller, Statement, managed_statements

__all__ = ["RoleReader"]

_ID: Final = "shielded-function:granted"
_ROLE: Final = "AWS::IAM::Role"

IDENTITY_POLICIES: Final = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy")

RESOURCE_POLICIES: Final[Mapping[str, str]] = {
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
}
"""The property that holds the policy, by resource type."""


class _Role:
    """A role, and the sources of its grants."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.findings: list[Finding] = []
        self.statements: list[Statement] = []
        self.managed: list[str] = []
        self.assumes: list[str] = []
        self.read: list[str] = []


class RoleReader(ABC):
    """The grants of the functions of one source."""

    def __init__(self) -> None:
        self._roles: dict[str, _Role] = {}
        self._keys: dict[str, frozenset[str]] = {}

    # The source

    @abstractmethod
    def elements(self, *kinds: str) -> Iterator[Element]:
        """The resources of some types."""

    @abstractmethod
    def referred(self, value: Mapping[str, Any], element: Element, depth: int) -> Field:
        """The target of an intrinsic function, or the value that it has in the app; empty for neither."""

    @abstractmethod
    def token_of(self, value: Any, element: Element) -> str:
        """A value known only at deployment, as text."""

    @abstractmethod
    def regions_beside(self, element: Element) -> bool:
        """Whether the app has stacks in other regions."""

    def keys_of(self, resource: Resource) -> Mapping[str, str]:
        """The names of a resource's KMS keys -> the names of their holders."""
        return {key: target.name for target in resource.targets for key in self._keys_in(target)}

    def imported_finding(self, name: str) -> Finding:
        """The finding about a role without a resource."""
        return Finding(
            f"{_ID}ImportedRole",
            f"its role {name} is imported, so only the grants of this app are known: add the services "
            'of its other grants, as in allow_aws=["granted", "dynamodb"], and list buckets in allow_buckets',
        )

    def caller_at(self, function: Element) -> Caller:
        """A function, with the grants of its role."""
        role = self._role(function)
        managed, left_out = managed_statements(role.managed)
        return Caller(
            function.region,
            function.account,
            [*role.statements, *self._assumed(role), *managed],
            LambdaUse(**self._mappings.use_of(function), keys_of=self.keys_of),
            role.findings,
            left_out,
            self.regions_beside(function),
            role.name,
        )

    @cached_property
    def _mappings(self) -> Mappings:
        return Mappings(self)

    # Values as pieces

    def pieces(self, value: Any, element: Element, depth: int = 16) -> Field:
        """The parts of a value: literal text, and parts known only at deployment.

        Args:
            value: as in a template.
            element: the resource that has it.
            depth: the most references from stack to stack.
        """
        return join_pieces(piece for part in parts(value) for piece in self._piece(part, element, depth))

    def _piece(self, part: Any, element: Element, depth: int) -> Iterable[Piece]:
        if isinstance(part, str):
            return (part,)
        function = as_mapping(part)
        if found := self.referred(function, element, depth) if len(function) == 1 and depth else ():
            return found
        if (pseudo := ref_of(part)).startswith("AWS::"):
            return (Unknown(pseudo, make=lambda: self.token_of(part, element)),)
        inner = tuple(
            piece.target
            for value in references(part)
            if value != part  # which refers to nothing in the app
            for piece in self.pieces(value, element, depth - 1)
            if isinstance(piece, Unknown) and piece.target
        )
        named = map_constructs(part, lambda path, attribute, *_: f"{l2_path(path)}.{attribute}")
        note = json.dumps(named, sort_keys=True)  # stable between reads
        return (Unknown(note, inner=inner, make=lambda: self.token_of(part, element)),)

    def each(self, value: Any, element: Element) -> Iterator[Field]:
        """The pieces of each value of a list or of one value, of both branches of a condition."""
        yield from filter(None, (self.pieces(item, element) for item in choices(value)))

    # Roles

    def _role(self, function: Element) -> _Role:
        value = function.properties.get("Role")
        pieces = self.pieces(value, function) if value is not None else ()
        target = target_of(pieces)
        if target and target.type == _ROLE:
            return self._role_at(target)
        name = words(pieces) or "(none is named)"
        if name not in self._roles:
            role = self._roles[name] = _Role(name)
            role.findings.append(self.imported_finding(name))
            # The name of a role whose ARN is known at deployment is made from that ARN.
            known_late = next((piece.note for piece in pieces[:1] if isinstance(piece, Unknown)), "")
            self._add_named(role, name.rpartition("/")[2], known_late)
            self._add_resource_policies(role)
        return self._roles[name]

    def _role_at(self, target: Target) -> _Role:
        if target.path not in self._roles:
            role = self._roles[target.path] = _Role(target.path)
            self._read_role(role, target.element)
        return self._roles[target.path]

    def _read_role(self, role: _Role, element: Element) -> None:
        for policy in choices(element.properties.get("Policies")):
            self._add_document(role, element, as_mapping(policy).get("PolicyDocument"))
        for pieces in self.each(element.properties.get("ManagedPolicyArns"), element):
            name, target = managed_name(pieces), target_of(pieces)
            if name in LAMBDAS_OWN or name in STATEMENTS:
                role.managed.append(name)
            elif target is not None and target.type in IDENTITY_POLICIES:
                self._add_policy(role, target.element)
            else:
                role.findings.append(
                    Finding(
                        f"{_ID}ManagedPolicy",
                        f"{l2_path(role.name)} has the managed policy {name or words(pieces)}, which is not in this "
                        'app and is not read: add the services that the code calls, as in allow_aws=["granted", '
                        '"dynamodb"], and list buckets in allow_buckets',
                    )
                )
        self._add_named(role, words(self.pieces(element.properties.get("RoleName", ""), element)))
        self._add_resource_policies(role)

    def _add_named(self, role: _Role, name: str, arn: str = "") -> None:
        """Adds policies that name a role, by a reference, its name, or a name made from its ARN."""
        for policy, names, targets in self._policies:
            if role.name in targets or (name and name in names) or (arn and any(arn in text for text in names)):
                self._add_policy(role, policy)

    def _add_resource_policies(self, role: _Role) -> None:
        for policy, label, statement, named in self._resource_policies:
            if role.name in named:
                self._add_statement(role, policy, label, statement)

    @cached_property
    def _policies(self) -> list[tuple[Element, set[str], set[str]]]:
        """The policies that name roles, with the names in words, and the paths of the constructs in these."""
        found: list[tuple[Element, set[str], set[str]]] = []
        for element in self.elements(*IDENTITY_POLICIES):
            given = [element.properties.get("Roles"), element.properties.get("RoleName")]
            names = list(self.each(given, element))
            targets = {target.path for pieces in names for target in Resource(pieces).targets}
            found.append((element, set(map(words, names)), targets))
        return found

    @cached_property
    def _resource_policies(self) -> list[tuple[Element, str, Mapping[str, Any], set[str]]]:
        """The statements of resource policies, with the paths of the roles that they name, or else the words."""

        def named_in(statement: Mapping[str, Any], element: Element) -> set[str]:
            named = self.each(list(principals(statement, "AWS")), element)
            return {target.path if (target := target_of(pieces)) else words(pieces) for pieces in named}

        return [
            (element, label, statement, named_in(statement, element))
            for kind, name in RESOURCE_POLICIES.items()
            for element in self.elements(kind)
            for label, statement in _statements(element.properties.get(name))
        ]

    def _add_policy(self, role: _Role, policy: Element) -> None:
        if policy.path not in role.read:
            role.read.append(policy.path)
            self._add_document(role, policy, policy.properties.get("PolicyDocument"))

    def _add_document(self, role: _Role, element: Element, document: Any) -> None:
        for label, statement in _statements(document):
            self._add_statement(role, element, label, statement)

    def _add_statement(self, role: _Role, element: Element, label: str, statement: Mapping[str, Any]) -> None:
        """Adds a statement, unless it is a Deny, which can only reduce the grants."""
        if statement["Effect"] != "Allow":
            return
        not_resource = "NotResource" in statement
        made = Statement(
            element.path,
            label,
            tuple(map(literal, self.each(statement.get("Action"), element))),
            tuple(map(Resource, self.each(statement.get("NotResource" if not_resource else "Resource"), element))),
            "NotAction" in statement,
            not_resource,
            condition_keys(statement),
        )
        role.statements.append(made)
        for resource in _roles_assumed(made):
            target = resource.whole.target if resource.whole else None
            if target is not None and target.type == _ROLE:
                self._role_at(target)
                role.assumes.append(target.path)
            else:
                role.findings.append(
                    Finding(
                        f"{_ID}AssumedRole",
                        f"{l2_path(made.policy)}, statement {label}: the grants of {resource.name}, which it may "
                        'assume, are unknown: add its services, as in allow_aws=["granted", "dynamodb"], and list '
                        "buckets in allow_buckets",
                    )
                )

    def _assumed(self, role: _Role) -> Iterator[Statement]:
        """The grants of the roles that a role may assume, also through other roles, each by its name."""
        seen, pending = {role.name}, list(role.assumes)
        while pending:
            if (name := pending.pop(0)) not in seen:
                seen.add(name)
                pending += self._roles[name].assumes
                yield from (replace(statement, role=name) for statement in self._roles[name].statements)

    def _keys_in(self, target: Target) -> frozenset[str]:
        """The names of the keys in a resource's properties."""
        if not target.type or target.type.startswith(("AWS::KMS::", "AWS::IAM::")):
            return frozenset()
        if target.path not in self._keys:
            values = _key_values(target.element.properties)
            self._keys[target.path] = frozenset(words(self.pieces(value, target.element)) for value in values)
        return self._keys[target.path]


def _statements(document: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The statements of a document, each with its Sid, or its number where it has none that is known."""
    for number, statement in enumerate(statements(document), start=1):
        sid = statement.get("Sid")
        yield (sid if isinstance(sid, str) and sid else f"#{number}"), statement


def _roles_assumed(statement: Statement) -> Sequence[Resource]:
    """The roles that a statement lets its holder assume."""
    actions = [action for text in statement.actions if text and (action := parse_action(text))]
    may_assume = any(action.prefix == "sts" and covers(action.name, "assumerole") for action in actions)
    return statement.resources if may_assume else ()


def _key_values(value: Any, name: str = "") -> Iterator[Any]:
    """Every value of a property that names a key: `KmsMasterKeyId`, `KmsKeyArn`, ..."""
    if isinstance(value, str) or any(key == "Construct" or is_function(key) for key in as_mapping(value)):
        if "kms" in name.lower() or "key" in name.lower():
            yield value
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _key_values(item, name)
    else:
        for key, item in as_mapping(value).items():
            yield from _key_values(item, key)
