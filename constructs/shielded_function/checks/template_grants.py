"""Reads the grants of roles from templates, without the CDK.

Where a template is ambiguous (circular references, keys of imported resources), the grant is kept: grants are never
understated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shielded_function_monitoring.cfn.stacks import Stacks
from shielded_function_monitoring.cfn.template import REF, Template, as_mapping, canonical, ref_of, reference

from ..granted.entries import Grants, Kind
from ..granted.resources import Field, Resource, Target, Unknown, literal, text_of
from ..granted.roles import RoleReader
from ..granted.s3 import Place, place_of
from ..granted.statements import Caller, decide
from .templates import Assembly, LambdaFunction

__all__ = ["TemplateGrants"]


class _Element(NamedTuple):
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
        return self.template.paths.get(self.logical_id) or f"{self.template.stack}/{self.logical_id}".strip("/")

    @property
    def region(self) -> str:
        return self.template.region

    @property
    def account(self) -> str:
        return self.template.account


class TemplateGrants(RoleReader):
    """The grants of the functions of an assembly."""

    def __init__(self, assembly: Assembly) -> None:
        super().__init__()
        self._templates = assembly.templates
        self._stacks = Stacks(assembly.templates)

    def grants_of(self, caller: Caller) -> Grants:
        """The AWS hosts that the role's grants admit."""
        return decide(caller, _Emitter(self))

    def bucket_of(self, resource: Resource) -> str | None:
        """The name of the bucket that an S3 resource names; None where it may be any bucket."""
        place = place_of(resource)
        return _Emitter(self).bucket(place) if place.kind == "bucket" else None

    def caller_of(self, function: LambdaFunction) -> Caller:
        """The function, with the grants of its role."""
        return self.caller_at(_Element(function.template, function.place.logical_id))

    def pieces_in(self, template: Template, value: Any) -> Field:
        """The parts of a value of a template."""
        return self.pieces(value, _Element(template, ""))

    def elements(self, *kinds: str) -> Iterator[_Element]:
        """The resources of some types."""
        for kind in kinds:
            for template in self._templates:
                yield from (_Element(template, logical_id) for logical_id, _ in template.of_type(kind))

    def referred(self, value: Mapping[str, Any], element: Any, depth: int) -> Field:
        """The resource of a reference, or its value in another stack."""
        home, origin = self._stacks.origin(element.template, value)
        if origin is not value:
            return self.pieces(origin, _Element(home, ""), depth - 1)
        name, attribute = reference(value)
        if name in home.resources:
            found = _Element(home, name)
            target = Target(found.path, str(found.resource.get("Type", "")), attribute, found)
            return (Unknown("", target, make=lambda: _token(f"{found.path}.{attribute}")),)
        is_known = attribute == REF and name in home.known and not name.startswith("AWS::")
        return (home.known[name],) if is_known else ()

    def token_of(self, value: Any, element: Any) -> str:
        """A value known only at deployment, in the form of the CDK's tokens."""
        return _token(ref_of(value) or canonical(value))

    def regions_beside(self, element: Any) -> bool:
        """Whether the function's stage has stacks in other regions."""
        stage = element.template.file.rpartition("/")[0]
        return {t.region for t in self._templates if t.file.rpartition("/")[0] == stage} != {element.region}


class _Emitter:
    """The values for entries: a token in the CDK's form where a value is known only at deployment."""

    def __init__(self, reader: TemplateGrants) -> None:
        self._reader = reader

    def bucket(self, place: Place) -> str:
        if place.target is not None:
            name = place.target.element.properties.get("BucketName", "")
            return literal(self._reader.pieces(name, place.target.element)) or _token(place.target.name)
        return text_of(place.pieces) or _token(place.name)

    def point(self, place: Place) -> Sequence[tuple[Kind, str, int | None]]:
        alias: Sequence[tuple[Kind, str, int | None]] = [("bucket", _token(f"{place.name}.Alias"), None)]
        return [("host", f"{_token(place.name)}:443", None), *(alias if place.target else ())]

    def hosts(self, target: Target) -> Sequence[tuple[str, int | None]]:
        return [(_token(target.name), None)]

    def regional(self, host: str) -> str:
        return host.format(region=_token("AWS::Region"), suffix=_token("AWS::URLSuffix"))


def _token(text: str) -> str:
    return f"${{Token[{text.replace(']', ')')}]}}"
