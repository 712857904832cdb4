"""Reads the grants of roles from the L1 constructs of a stage, through the CDK's public API.

An app's grants end up in IAM resources: a role's inline policies, policies and managed policies that name the role,
managed policies that the role names, and resource policies that name it as principal. Each property read is one
request to Node.js, the main cost of a synthesis. So only properties that a function needs are read, and all tokens
are resolved and parsed together (`tokens`).

Documents are read by `PolicyDocument.to_json`, which has no side effect: resolving a document freezes its statements,
so later aspects could no longer change them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, TypeAlias

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from ..batching import holders_of, members_of
from ..errors import ShieldError
from ..function_facts import FunctionHandle
from ..kinds import find_relevant
from ..names import LOCK
from ..paths import described, path_of, request_paths
from .actions import parse_action
from .arns import Field, Target, Unknown, l2_path, words
from .circles import Holder
from .documents import (
    IDENTITY_POLICIES,
    RESOURCE_POLICIES,
    documents_of,
    mapping,
    properties_of,
    statements_of,
    texts_of,
)
from .keys import Keys
from .lambdas import Mappings, read_lambda_use
from .managed import LAMBDAS_OWN, STATEMENTS, managed_name
from .model import Finding
from .origins import LambdaUse
from .policy_documents import assumed, roles_assumed, statement_of
from .rereading import Looked
from .statements import Caller, Statement, managed_statements
from .tokens import Place, Tokens, resolve

__all__ = ["AnyFunction", "Reader"]

AnyFunction: TypeAlias = "FunctionHandle | lambda_.Function | lambda_.CfnFunction"

_ID: Final = "shielded-function:granted"

_ROLE: Final = "AWS::IAM::Role"


@dataclass
class _Role:
    """A role, and the sources of its grants.

    Attributes:
        name: construct path; for an imported role its ARN in words.
        place: its stack; for an imported role the function's.
        resource: the L1; None for an imported role.
        arn: its ARN, as in the function.
        logical_id: empty where it is unknown without a request.
        documents: (construct path, stack, policy document) of each policy.
        inline: the inline policies of its L1.
        named: the ARNs of managed policies in its L1.
        managed: names of AWS managed policies.
    """

    name: str
    place: Place
    resource: Any
    arn: Field
    logical_id: str = ""
    documents: list[tuple[str, Place, Any]] = field(default_factory=list[tuple[str, Place, Any]])
    inline: Any = None
    named: Any = None
    managed: list[str] = field(default_factory=list[str])
    statements: list[Statement] = field(default_factory=list[Statement])
    findings: list[Finding] = field(default_factory=list[Finding])
    assumes: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class _Policy:
    """An IAM policy in the stage, with the roles that it names, both as in its L1 and resolved."""

    path: str
    place: Place
    named: Any
    document: Any
    roles: Any = ()


@dataclass
class _Function:
    path: str
    place: Place
    resource: Any
    waits: bool
    role: str = ""
    dead_letters: Any = None


class Reader:
    """One read of a stage for some of its functions."""

    def __init__(
        self, stage: IConstruct, functions: Sequence[AnyFunction], constructs: Sequence[IConstruct] | None = None
    ) -> None:
        """
        Args:
            stage: an App or a Stage, without the Stages nested in it.
            functions: the functions whose grants to read; a handle holds properties already.
            constructs: the result of `find_relevant` for it, if already known.

        Raises:
            ShieldError: a function is not in this stage.
        """
        self.constructs: Sequence[Any] = find_relevant(stage) if constructs is None else constructs
        request_paths([stage, *self.constructs])
        self._stage = stage
        root, _ = path_of(stage)
        stages = [p for p in (path_of(c)[0] for c in self.constructs if isinstance(c, cdk.Stage)) if p != root]
        stacks = [(path_of(c)[0], c) for c in self.constructs if isinstance(c, cdk.Stack)]
        self.tokens = Tokens(
            [Place.of(path, c) for path, c in stacks if not any(path.startswith(f"{s}/") for s in stages)]
        )
        self._roles: dict[str, _Role] = {}
        self._documents: dict[str, Any] = {}
        self.bucket_names: dict[str, tuple[Place, str]] = {}
        self._keys = Keys(self.tokens, stage)
        self.functions = list(self._find_functions(functions))
        self.looked = Looked.at(self.constructs)
        self._find_roles()
        self._policies = list(self._find_policies())
        self._resource_policies = list(self._find_resource_policies())
        self._mappings = Mappings(self.tokens, self.constructs)
        self._read_roles()

    def callers(self) -> Iterator[tuple[str, Place, Caller]]:
        """Each function's path, its stack, and the grants of its role."""
        for function in self.functions:
            role = self._roles[function.role]
            statements = [*role.statements, *assumed(role, self._roles.__getitem__)]
            prefixes = frozenset(
                action.prefix for s in statements for text in s.actions if text and (action := parse_action(text))
            )
            lambda_use = LambdaUse(
                **read_lambda_use(
                    self.tokens,
                    function.place,
                    function.path,
                    function.resource,
                    function.dead_letters,
                    self._mappings,
                    prefixes,
                ),
                keys_of=self._keys.of,
            )
            managed, left_out = managed_statements(role.managed)
            yield (
                function.path,
                function.place,
                Caller(
                    function.place.region,
                    function.place.account,
                    [*statements, *managed],
                    lambda_use,
                    role.findings,
                    left_out,
                    any(place.region != function.place.region for place in self.tokens.places),
                ),
            )

    def holders(self) -> dict[str, Holder]:
        """The functions, as holders of their entries."""
        return {f.path: Holder(f.resource, l2_path(f.role), f.waits) for f in self.functions}

    # Functions and their roles

    def _find_functions(self, functions: Sequence[AnyFunction]) -> Iterator[_Function]:
        for function in functions:
            handle = function if isinstance(function, FunctionHandle) else FunctionHandle(function)
            place = self.tokens.place_of(handle.path)
            if place is None:
                raise ShieldError(handle.path, ["it is not in the stage whose grants are read"])
            yield _Function(handle.path, place, handle.resource, isinstance(handle.construct, lambda_.Function))

    def _find_roles(self) -> None:
        asked = members_of([function.resource for function in self.functions], "role", "deadLetterConfig")
        arns = [role or "" for role, _ in asked]
        for function, (_, dead_letters) in zip(self.functions, asked, strict=True):
            function.dead_letters = dead_letters
        self.tokens.learn((f.place, arn) for f, arn in zip(self.functions, arns, strict=True))
        for function, arn in zip(self.functions, arns, strict=True):
            function.role = self._role(function.place, self.tokens.pieces(function.place, arn))

    def _role(self, place: Place, arn: Field) -> str:
        """Records a role by its ARN; returns its name."""
        first = arn[0] if arn and isinstance(arn[0], Unknown) else None
        target = first.target if first else None
        if first and target and target.type == _ROLE:
            own = self.tokens.place_of(target.path) or place
            if target.path not in self._roles:
                logical_id = self.tokens.logical_id(place, first.text) if own is place else ""
                self._roles[target.path] = _Role(target.path, own, target.construct, arn, logical_id)
            return target.path
        name = words(arn)
        self._roles.setdefault(name, _Role(name, place, None, arn))
        return name

    # Policies

    def _of_types(self, types: Container[str]) -> Iterator[tuple[Any, str, Place]]:
        """The resources of some types, each with its path and its stack."""
        for construct in self.constructs:
            path, kind = path_of(construct)
            if kind in types and (place := self.tokens.place_of(path)):
                yield construct, path, place

    def _find_policies(self) -> Iterator[_Policy]:
        """The policies that name a role, with the names resolved by one request for each stack."""
        of_types = self._of_types(IDENTITY_POLICIES)  # a lock is made from the grants, and adds none
        found = [each for each in of_types if not each[1].rpartition("/")[2].startswith(LOCK)]
        members = properties_of([construct for construct, *_ in found], "roles", "roleName", "policyDocument")
        self.looked.learn(document for *_, document in members)
        policies = [
            _Policy(path, place, [one] if one else several, document)
            for (_, path, place), (several, one, document) in zip(found, members, strict=True)
        ]
        named = self.looked.resolve([(policy.place, policy.named or []) for policy in policies])
        for policy, roles in zip(policies, named, strict=True):
            yield replace(policy, roles=roles or [])

    def _find_resource_policies(self) -> Iterator[tuple[str, Place, Any]]:
        found = list(self._of_types(RESOURCE_POLICIES))
        names = sorted(set(RESOURCE_POLICIES.values()))
        members = properties_of([construct for construct, *_ in found], *names)
        documents = [
            values[names.index(RESOURCE_POLICIES[path_of(construct)[1]])]
            for (construct, *_), values in zip(found, members, strict=True)
        ]
        self.looked.learn(documents)
        for (_, path, place), document in zip(found, documents, strict=True):
            yield path, place, self.looked.read(document, place)

    def _read_roles(self) -> None:
        """Reads each role once, with the roles that it may assume."""
        done: set[str] = set()
        while wanted := [role for name, role in self._roles.items() if name not in done]:
            done.update(role.name for role in wanted)
            inside = [role for role in wanted if role.resource is not None]
            asked = properties_of([role.resource for role in inside], "policies", "managedPolicyArns")
            for role, (inline, named) in zip(inside, asked, strict=True):
                role.inline, role.named = inline, named
            for role in wanted:
                self._attach_own(role)
            self._attach_by_arn(wanted)
            self._attach_policies({role.name: role for role in wanted})
            self.tokens.learn(
                (place, text) for role in wanted for _, place, document in role.documents for text in texts_of(document)
            )
            for role in wanted:
                self._make_statements(role)
            self._learn_bucket_names(wanted)
            self._attach_resource_policies({role.name: role for role in wanted})

    def _attach_own(self, role: _Role) -> None:
        """Inline policies."""
        if role.resource is None and role.name in self._precreated:
            role.findings.append(
                Finding(
                    f"{_ID}PrecreatedRole",
                    f"its role {role.name} exists already (Role.customize_roles), and the CDK does not list this app's "
                    "grants to it: name every service that iam-policy-report.txt in the assembly lists for it, as in "
                    'allow_aws=["granted", "dynamodb"], and list buckets in allow_buckets',
                )
            )
            return
        if role.resource is None:
            role.findings.append(
                Finding(
                    f"{_ID}ImportedRole",
                    f"its role {role.name} is imported, so only the grants of this app are known: add the services "
                    'of its other grants, as in allow_aws=["granted", "dynamodb"], and list buckets in allow_buckets',
                )
            )
            return
        for document in documents_of(role.inline, role.place):
            role.documents.append((role.name, role.place, self.looked.read(document, role.place)))

    @cached_property
    def _precreated(self) -> frozenset[str]:
        """The ARNs, in words, of precreated `iam.Role`s (`Role.customize_roles`)."""
        rows = holders_of(self._stage, ("assumeRolePolicy",), ("roleArn", "node.defaultChild"))
        found = [
            (place, arn)
            for text, _, (arn, resource) in rows
            if arn and resource is None and (place := self.tokens.place_of(described(text)[0]))
        ]
        self.tokens.learn(found)
        return frozenset(words(self.tokens.pieces(place, arn)) for place, arn in found)

    def _attach_by_arn(self, roles: Sequence[_Role]) -> None:
        """Attaches managed policies that a role names."""
        named = [(role, list(role.named)) for role in roles if role.named]
        resolved = self.looked.resolve([(role.place, arns) for role, arns in named])
        for (role, arns), found in zip(named, resolved, strict=True):
            unclear = False
            for _, pieces in self.tokens.of_json(role.place, found or []):
                name = managed_name(pieces)
                if name in LAMBDAS_OWN or name in STATEMENTS:
                    role.managed.append(name)
                elif name or not _refers_to(pieces):
                    role.findings.append(_unread(role.name, name or words(pieces)))
                else:
                    unclear = True
            if unclear:
                for target in self.tokens.targets_of(role.place, arns):
                    self._attach_managed(role, target)

    def _attach_managed(self, role: _Role, target: Target) -> None:
        policy = next((p for p in self._policies if p.path == target.path), None)
        if policy is None:
            role.findings.append(_unread(role.name, target.name))
        else:
            self._attach(role, policy)

    def _attach(self, role: _Role, policy: _Policy) -> None:
        if any(path == policy.path for path, _, _ in role.documents):
            return
        if policy.path not in self._documents:
            self._documents[policy.path] = self.looked.read(policy.document, policy.place)
        role.documents.append((policy.path, policy.place, self._documents[policy.path]))

    def _attach_policies(self, roles: Mapping[str, _Role]) -> None:
        """Attaches policies that name one of these roles."""
        ids = self._logical_ids(roles.values())
        elsewhere = {"", *(logical_id for _, logical_id in ids)}
        names = {name: role for role in roles.values() if (name := _name_in(role.arn))}
        imported = any(role.resource is None and not _name_in(role.arn) for role in roles.values())
        several = len(self.tokens.places) > 1
        for policy in self._policies:
            for item in policy.roles:
                if isinstance(item, str):
                    role = names.get(item) or self._named(roles, item)
                    if role:
                        self._attach(role, policy)
                    continue
                logical_id = str(item.get("Ref", "")) if isinstance(item, dict) else ""
                role = ids.get((policy.place, logical_id))
                if role and (not several or policy.path.startswith(f"{role.name.removesuffix('/Resource')}/")):
                    self._attach(role, policy)
                elif imported or (several and (logical_id in elsewhere or _is_parameter(logical_id))):
                    self._attach_exactly(policy, item, roles)

    def _attach_exactly(self, policy: _Policy, item: Any, roles: Mapping[str, _Role]) -> None:
        """Attaches a policy by the constructs that its names refer to, as two stacks may share a logical id."""
        for target in self.tokens.targets_of(policy.place, policy.named):
            if target.path in roles:
                self._attach(roles[target.path], policy)
        # An imported role's name is made from its ARN.
        text = words(self.tokens.of_json(policy.place, item)[0][1]) if item else ""
        for role in roles.values():
            if role.resource is None and role.arn and text and _note(role.arn) and _note(role.arn) in text:
                self._attach(role, policy)

    def _logical_ids(self, roles: Iterable[_Role]) -> dict[tuple[Place, str], _Role]:
        inside: dict[Place, list[_Role]] = {}
        for role in roles:
            if role.resource is not None:
                inside.setdefault(role.place, []).append(role)
        found: dict[tuple[Place, str], _Role] = {}
        for place, some in inside.items():
            found.update({(place, role.logical_id): role for role in some if role.logical_id})
            asked = [role for role in some if not role.logical_id]
            for role, value in zip(asked, resolve(place.stack, [r.resource.ref for r in asked]), strict=True):
                if isinstance(value, dict):
                    found[place, str(value.get("Ref"))] = role
        return found

    def _named(self, roles: Mapping[str, _Role], name: str) -> _Role | None:
        """The role in the app with this name."""
        inside = [role for role in roles.values() if role.resource is not None]
        names = properties_of([role.resource for role in inside], "roleName")
        return next(
            (
                role
                for role, (given,) in zip(inside, names, strict=True)
                if given and resolve(role.place.stack, [given]) == [name]
            ),
            None,
        )

    # Statements

    def _make_statements(self, role: _Role) -> None:
        for path, place, document in role.documents:
            for label, statement in statements_of(document, place):
                made = self._statement(path, place, label, statement)
                if made:
                    role.statements.append(made)
                    self._record_assumed(role, place, made)

    def _statement(self, path: str, place: Place, label: str, statement: Mapping[str, Any]) -> Statement | None:
        return statement_of(path, label, statement, lambda value: self.tokens.of_value(place, value))

    def _learn_bucket_names(self, roles: Sequence[_Role]) -> None:
        """Resolves the names of all buckets in S3 statements with one request."""
        for role in roles:
            for statement in role.statements:
                if any(text and text.lower().startswith("s3") for text in statement.actions):
                    for resource in statement.resources:
                        target = resource.whole.target if resource.whole else None
                        if (
                            target
                            and isinstance(target.construct, s3.CfnBucket)
                            and target.path not in self.bucket_names
                        ):
                            place = self.tokens.place_of(target.path)
                            if place:
                                self.bucket_names[target.path] = (place, target.construct.bucket_name or "")
        self.tokens.learn(self.bucket_names.values())

    def _attach_resource_policies(self, roles: Mapping[str, _Role]) -> None:
        """Attaches statements of resource policies that name a role as principal."""
        for path, place, document in self._resource_policies:
            for label, statement in statements_of(document, place):
                principals = mapping(statement.get("Principal")).get("AWS")
                if statement.get("Effect") != "Allow" or not principals:
                    continue
                for _, pieces in self.tokens.of_value(place, principals):
                    target = pieces[0].target if pieces and isinstance(pieces[0], Unknown) else None
                    role = roles.get(target.path if target else words(pieces))
                    made = self._statement(path, place, label, statement) if role else None
                    if role and made:
                        role.statements.append(made)

    def _record_assumed(self, role: _Role, place: Place, statement: Statement) -> None:
        for resource in roles_assumed(statement):
            whole = resource.whole
            if whole and whole.target and whole.target.type == _ROLE:
                role.assumes.append(self._role(place, resource.pieces))
            else:
                role.findings.append(
                    Finding(
                        f"{_ID}AssumedRole",
                        f"{l2_path(statement.policy)}, statement {statement.label}: the grants of {resource.name}, "
                        "which it may assume, are unknown: add its services, as in "
                        'allow_aws=["granted", "dynamodb"], and list buckets in allow_buckets',
                    )
                )


def _name_in(arn: Field) -> str:
    """A role's name, where the end of its ARN is known."""
    last = arn[-1] if arn else ""
    return last.rpartition("/")[2] if isinstance(last, str) and "/" in last else ""


def _is_parameter(logical_id: str) -> bool:
    """Whether the CDK created the parameter for a reference into or out of a nested stack."""
    return logical_id.startswith("referenceto")


def _unread(role: str, policy: str) -> Finding:
    return Finding(
        f"{_ID}ManagedPolicy",
        f"{l2_path(role)} has the managed policy {policy}, which is not in this app and is not read: add the services "
        'that the code calls, as in allow_aws=["granted", "dynamodb"], and list buckets in allow_buckets',
    )


def _refers_to(pieces: Field) -> bool:
    return any(isinstance(p, Unknown) and not p.note.startswith("AWS::") for p in pieces)


def _note(arn: Field) -> str:
    first = arn[0] if arn else None
    return first.note if isinstance(first, Unknown) else ""
