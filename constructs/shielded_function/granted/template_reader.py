"""Reads the grants of roles from templates, for `statements`, without the CDK.

It finds the same as `stage_reader` finds from constructs, so that both lead to the same grants. Where a template is
ambiguous (circular references, keys of imported resources), the grant is kept: grants are never understated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple, cast

from shielded_function_monitoring.cfn.template import Template, as_mapping

from ..checks.model import Assembly, LambdaFunction
from ..names import l2_path
from .arns import Field, Piece, Resource, Target, Unknown, join_pieces, literal, parse_arn, words
from .managed import LAMBDAS_OWN, STATEMENTS, managed_name
from .model import Finding, Grants, Kind
from .origins import SOURCE_TYPES, SOURCES, LambdaUse
from .policy_documents import IDENTITY_POLICIES, RESOURCE_POLICIES, assumed, labelled, roles_assumed, statement_of
from .s3 import Place, place_of
from .statements import Caller, Statement, decide, managed_statements

__all__ = ["TemplateGrants"]

_ID: Final = "shielded-function:granted"
_ROLE: Final = "AWS::IAM::Role"
_FUNCTION: Final = "AWS::Lambda::Function"
_DEPTH: Final = 16  # the most references from stack to stack
_VARIABLE: Final = re.compile(r"\$\{([^!}]+)\}")


class _Place(NamedTuple):
    """A resource, by its template and its logical id."""

    template: Template
    logical_id: str

    @property
    def resource(self) -> Mapping[str, Any]:
        return self.template.resources.get(self.logical_id, {})

    @property
    def properties(self) -> Mapping[str, Any]:
        return as_mapping(self.resource.get("Properties"))

    @property
    def path(self) -> str:
        place = self.template
        return place.paths.get(self.logical_id) or f"{place.stack}/{self.logical_id}".strip("/")


class TemplateGrants:
    """The grants of the functions of an assembly."""

    def __init__(self, assembly: Assembly) -> None:
        self._templates = templates = assembly.templates
        self._exports = {
            name: (template, as_mapping(output).get("Value"))
            for template in templates
            for output in template.outputs.values()
            if isinstance(name := as_mapping(as_mapping(output).get("Export")).get("Name"), str)
        }
        self._nested = {(id(t.within[0]), t.within[1]): t for t in templates if t.within}
        self._roles: dict[str, _Role] = {}

    def grants_of(self, caller: Caller) -> Grants:
        """The AWS hosts that the role's grants admit."""
        return decide(caller, _Emitter(self))

    def bucket_of(self, resource: Resource) -> str | None:
        """The name of the bucket that an S3 resource names; None where it may be any bucket."""
        place = place_of(resource)
        return _Emitter(self).bucket(place) if place.kind == "bucket" else None

    def caller_of(self, function: LambdaFunction) -> Caller:
        """The function, with the grants of its role."""
        template = function.template
        role = self._role(template, function.properties.get("Role"))
        statements = [*role.statements, *assumed(role, self._roles.__getitem__)]
        lambda_use = self._read_lambda_use(function)
        managed, left_out = managed_statements(role.managed)
        stage = template.file.rpartition("/")[0]
        regions = {each.region for each in self._templates if each.file.rpartition("/")[0] == stage}
        return Caller(
            template.region,
            template.account,
            [*statements, *managed],
            lambda_use,
            role.findings,
            left_out,
            bool(regions - {template.region}),
        )

    # Template values as pieces

    def pieces(self, template: Template, value: Any, depth: int = _DEPTH) -> Field:
        """The parts of a value: literal text, and parts known only at deployment."""
        return join_pieces(self._pieces(template, value, depth))

    def _pieces(self, template: Template, value: Any, depth: int) -> Iterator[Piece]:
        if isinstance(value, (str, int, float)):
            yield str(value)
            return
        mapping = as_mapping(value)
        if len(mapping) == 1:
            ((function, argument),) = mapping.items()
            if function == "Fn::Join" and isinstance(argument, list) and argument[0] == "":
                for item in _items(argument[1]):
                    yield from self._pieces(template, item, depth)
                return
            if function == "Fn::Sub":
                yield from self._of_sub(template, argument, depth)
                return
            if function == "Ref" and str(argument).startswith("AWS::"):
                yield Unknown(_token(str(argument)), str(argument))
                return
            if found := self._referred(template, function, argument, depth):
                yield from found
                return
        text = json.dumps(value, sort_keys=True)
        targets = tuple(
            piece.target
            for inner in _references(value)
            if inner != value  # which refers to nothing in the app
            for piece in self.pieces(template, inner, depth - 1)
            if isinstance(piece, Unknown) and piece.target
        )
        yield Unknown(_token(text), text, inner=targets)

    def _of_sub(self, template: Template, argument: Any, depth: int) -> Iterator[Piece]:
        text, variables = (argument[0], as_mapping(argument[1])) if isinstance(argument, list) else (argument, {})
        at = 0
        for found in _VARIABLE.finditer(str(text)):
            yield str(text)[at : found.start()].replace("${!", "${")
            name, _, attribute = found[1].partition(".")
            value = {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name}
            yield from self._pieces(template, variables.get(found[1], value), depth)
            at = found.end()
        yield str(text)[at:].replace("${!", "${")

    def _referred(self, template: Template, function: str, argument: Any, depth: int) -> Field:
        """The target of a reference: a resource, or a value of another stack; empty for neither."""
        if depth < 1:
            return ()
        if function == "Fn::ImportValue" and isinstance(argument, str) and argument in self._exports:
            return self.pieces(*self._exports[argument], depth - 1)
        if function == "Ref":
            name, attribute = str(argument), "Ref"
        elif function == "Fn::GetAtt":
            name, _, attribute = ".".join(map(str, _items(argument) or [argument])).partition(".")
        else:
            return ()
        if name in template.resources:
            nested = self._nested.get((id(template), name))
            if nested is not None and attribute.startswith("Outputs."):
                output = as_mapping(nested.outputs.get(attribute.partition(".")[2]))
                return self.pieces(nested, output.get("Value"), depth - 1)
            place = _Place(template, name)
            return (Unknown(_token(f"{place.path}.{attribute}"), "", Target(self, place, attribute)),)
        if template.within and function == "Ref":
            outer, logical_id = template.within
            given = as_mapping(_Place(outer, logical_id).properties.get("Parameters"))
            if name in given:
                return self.pieces(outer, given[name], depth - 1)
        return (template.known[name],) if name in template.known and function == "Ref" else ()

    def of_list(self, template: Template, value: Any) -> Iterator[tuple[str, Field]]:
        """Each value of a list or of one value as (text, pieces), both branches of an Fn::If."""
        if isinstance(value, list):
            for item in cast("list[Any]", value):
                yield from self.of_list(template, item)
        elif "Fn::If" in as_mapping(value):
            yield from self.of_list(template, _items(value["Fn::If"])[1:])
        elif value is not None and value != {"Ref": "AWS::NoValue"}:
            pieces = self.pieces(template, value)
            if pieces:
                yield "".join(piece if isinstance(piece, str) else piece.text for piece in pieces), pieces

    # The questions of a Target

    def attribute(self, token: Any) -> str:
        return "Ref"  # always given

    def construct(self, token: Any) -> Any:
        return token

    def path(self, construct: Any) -> str:
        return construct.path

    def type(self, construct: Any) -> str:
        return str(construct.resource.get("Type", ""))

    def region(self, path: str) -> str:
        return next((t.region for t in self._templates if path == t.stack or path.startswith(f"{t.stack}/")), "")

    # Roles

    def _role(self, template: Template, value: Any) -> _Role:
        pieces = self.pieces(template, value) if value is not None else ()
        target = _target(pieces)
        if target is None or target.type != _ROLE:
            name = words(pieces) or "(none is named)"
            if name not in self._roles:
                text = f"its role {name} is imported, so only the grants of this app are known"
                self._roles[name] = _Role(name, [Finding(f"{_ID}ImportedRole", text)])
                known_late = next((piece.note for piece in pieces[:1] if isinstance(piece, Unknown)), "")
                self._add_named(self._roles[name], name.rpartition("/")[2], known_late)
            return self._roles[name]
        return self._role_at(target)

    def _role_at(self, target: Target) -> _Role:
        if target.path not in self._roles:
            role = self._roles[target.path] = _Role(target.path, [])
            self._read_role(role, target.construct)
        return self._roles[target.path]

    def _read_role(self, role: _Role, place: _Place) -> None:
        for policy in _items(place.properties.get("Policies")):
            self._add_document(role, role.name, place.template, as_mapping(policy).get("PolicyDocument"))
        for _, pieces in self.of_list(place.template, place.properties.get("ManagedPolicyArns")):
            name, target = managed_name(pieces), _target(pieces)
            if name in LAMBDAS_OWN or name in STATEMENTS:
                role.managed.append(name)
            elif target is not None and target.type in IDENTITY_POLICIES:
                self._add_policy(role, target.construct)
            else:
                text = f"{l2_path(role.name)} has the managed policy {name or words(pieces)}, which is not read"
                role.findings.append(Finding(f"{_ID}ManagedPolicy", text))
        self._add_named(role, str(place.properties.get("RoleName") or ""))
        for policy, document in self._resource_policies:
            for label, statement in _statements(document):
                principals = as_mapping(statement.get("Principal")).get("AWS")
                for _, pieces in self.of_list(policy.template, principals):
                    if (found := _target(pieces)) and found.path == role.name:
                        self._add_statement(role, policy.path, policy.template, label, statement)

    def _add_named(self, role: _Role, name: str, arn: str = "") -> None:
        """Adds policies that name a role, by a reference, its name, or a name made from its ARN."""
        for policy, names in self._policies:
            for _, pieces in names:
                target, text = _target(pieces), words(pieces)
                is_named = (name and text == name) or (arn and arn in text)
                if is_named or (target is not None and target.path == role.name):
                    self._add_policy(role, policy)

    @cached_property
    def _policies(self) -> list[tuple[_Place, list[tuple[str, Field]]]]:
        """The policies that name roles, with the names."""
        return [
            (_Place(template, logical_id), list(self.of_list(template, [policy.get("Roles"), policy.get("RoleName")])))
            for template in self._templates
            for logical_id, policy in template.of_type(*IDENTITY_POLICIES)
        ]

    @cached_property
    def _resource_policies(self) -> list[tuple[_Place, Any]]:
        return [
            (_Place(template, logical_id), properties.get(name[0].upper() + name[1:]))
            for template in self._templates
            for kind, name in RESOURCE_POLICIES.items()
            for logical_id, properties in template.of_type(kind)
        ]

    def _add_policy(self, role: _Role, policy: _Place) -> None:
        if policy.path not in role.read:
            role.read.append(policy.path)
            self._add_document(role, policy.path, policy.template, policy.properties.get("PolicyDocument"))

    def _add_document(self, role: _Role, path: str, template: Template, document: Any) -> None:
        for label, statement in _statements(document):
            self._add_statement(role, path, template, label, statement)

    def _add_statement(
        self, role: _Role, path: str, template: Template, label: str, statement: Mapping[str, Any]
    ) -> None:
        made = statement_of(path, label, statement, lambda value: self.of_list(template, value))
        if made is None:
            return
        role.statements.append(made)
        for resource in roles_assumed(made):
            target = resource.whole.target if resource.whole else None
            if target is not None and target.type == _ROLE:
                self._role_at(target)
                role.assumes.append(target.path)
            else:
                text = f"the grants of {resource.name}, which {l2_path(role.name)} may assume, are unknown"
                role.findings.append(Finding(f"{_ID}AssumedRole", text))

    # Lambda's work beside the function

    def _read_lambda_use(self, function: LambdaFunction) -> LambdaUse:
        """Without the uses that admit the same as the code's own: destinations, dead letters and keys."""
        template, properties = function.template, function.properties
        path = l2_path(template.paths.get(function.place.logical_id, function.place.path))
        group = as_mapping(properties.get("LoggingConfig")).get("LogGroup")
        log_group = self.pieces(template, group) if group is not None else ()
        return LambdaUse(
            polled=self._polled.get(path, {}),
            log_group=found.path if (found := _target(log_group)) else words(log_group),
            traced=as_mapping(properties.get("TracingConfig")).get("Mode") == "Active",
            in_vpc="VpcConfig" in properties,
        )

    @cached_property
    def _polled(self) -> dict[str, dict[str, str]]:
        """The event sources that Lambda polls, by function."""
        polled: dict[str, dict[str, str]] = {}
        for template in self._templates:
            for _, properties in template.of_type("AWS::Lambda::EventSourceMapping"):
                for path in self._functions(template, properties.get("FunctionName"), 3):
                    polled.setdefault(path, {}).update(self._sources(template, properties))
        return polled

    def _sources(self, template: Template, mapping: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        pieces = self.pieces(template, mapping.get("EventSourceArn", ""))
        arn, target = parse_arn(pieces), _target(pieces)
        service = (literal(arn.service) or "") if arn else SOURCE_TYPES.get(target.type, "") if target else ""
        for prefix in SOURCES.get(service, ())[:1]:
            yield words(pieces), prefix
        if mapping.get("SelfManagedEventSource"):
            yield "self-managed Kafka", "kafka"

    def _functions(self, template: Template, name: Any, depth: int) -> Iterator[str]:
        """The functions that a name or an ARN refers to, directly or by an alias."""
        for target in Resource("", self.pieces(template, name)).targets if name is not None else ():
            if target.type == _FUNCTION:
                yield l2_path(target.path)
            elif depth and target.type in ("AWS::Lambda::Alias", "AWS::Lambda::Version"):
                place = target.construct
                yield from self._functions(place.template, place.properties.get("FunctionName"), depth - 1)


class _Role:
    """A role, and the sources of its grants."""

    def __init__(self, name: str, findings: list[Finding]) -> None:
        self.name = name
        self.findings = findings
        self.statements: list[Statement] = []
        self.managed: list[str] = []
        self.assumes: list[str] = []
        self.read: list[str] = []


class _Emitter:
    """The values for entries: a token in the CDK's form where a value is known only at deployment."""

    def __init__(self, grants: TemplateGrants) -> None:
        self._grants = grants

    def bucket(self, place: Place) -> str:
        if place.target is not None:
            name = place.target.construct.properties.get("BucketName")
            found = literal(self._grants.pieces(place.target.construct.template, name)) if name is not None else None
            return found or _token(place.target.name)
        if place.pieces:
            return "".join(piece if isinstance(piece, str) else piece.text for piece in place.pieces)
        return _token(place.name)

    def point(self, place: Place) -> Sequence[tuple[Kind, str, int | None]]:
        alias: Sequence[tuple[Kind, str, int | None]] = [("bucket", _token(f"{place.name}.Alias"), None)]
        return [("host", f"{_token(place.name)}:443", None), *(alias if place.target else ())]

    def hosts(self, target: Target) -> Sequence[tuple[str, int | None]]:
        return [(_token(target.name), None)]

    def regional(self, host: str) -> str:
        return host.format(region=_token("AWS::Region"), suffix=_token("AWS::URLSuffix"))


def _token(text: str) -> str:
    return f"${{Token[{text.replace(']', ')')}]}}"


def _items(value: Any) -> Sequence[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else ()


def _target(pieces: Field) -> Target | None:
    first = pieces[0] if pieces else None
    return first.target if isinstance(first, Unknown) else None


def _statements(document: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    found = as_mapping(document).get("Statement")
    return labelled(statement for item in (_items(found) or [found]) for statement in _branches(item))


def _branches(value: Any) -> Iterator[Mapping[str, Any]]:
    mapping = as_mapping(value)
    if "Fn::If" in mapping:
        for item in _items(mapping["Fn::If"])[1:]:
            yield from _branches(item)
    elif mapping and "Ref" not in mapping:
        yield mapping


def _references(value: Any) -> Iterator[Any]:
    """Every reference within a value."""
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _references(item)
    for name, argument in as_mapping(value).items():
        if name in ("Ref", "Fn::GetAtt", "Fn::ImportValue"):
            yield {name: argument}
        else:
            yield from _references(argument)
