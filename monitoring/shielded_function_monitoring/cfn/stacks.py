"""The stacks of an app, whose values refer to each other: by exports, nested stacks' outputs, and their parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from .template import Template, as_mapping, referred
from .values import ACCOUNT, REGION, Resolver

_DEPTH: Final = 16  # the most references from stack to stack


class Stacks:
    """The stacks of an app."""

    def __init__(
        self, templates: Sequence[Template], values: Mapping[str, str] | None = None, *, is_lenient: bool = False
    ) -> None:
        """
        Args:
            templates: their templates.
            values: as for `Resolver`.
            is_lenient: as for `Resolver`. Names that the templates do not give are then unique in the app: they begin
                with the template's file.
        """
        self._templates = templates
        self._values = values or {}
        self._is_lenient = is_lenient
        self._exports = {name: (each, value) for each in templates for name, value in each.exports.items()}
        self._nested = {(id(each.within[0]), each.within[1]): each for each in templates if each.within}
        self._resolvers: dict[int, Resolver] = {}

    def origin(self, template: Template, value: Any) -> tuple[Template, Any]:
        """The value that a reference to another stack leads to, in its template; else the value itself."""
        for _ in range(_DEPTH):
            if (found := self._step(template, as_mapping(value))) is None:
                break
            template, value = found
        return template, value

    def _step(self, template: Template, value: Mapping[str, Any]) -> tuple[Template, Any] | None:
        match value:
            case {"Fn::ImportValue": str(name)}:
                return self._exports.get(name)
            case {"Fn::GetAtt": [logical_id, str(attribute)]} if attribute.startswith("Outputs."):
                inner = self._nested.get((id(template), str(logical_id)))
                output = as_mapping(inner.outputs.get(attribute.partition(".")[2])) if inner else {}
                return (inner, output["Value"]) if inner and "Value" in output else None
            case {"Ref": str(name)} if template.within:
                outer, logical_id = template.within
                given = as_mapping(outer.properties(logical_id).get("Parameters"))
                return (outer, given[name]) if name in given else None
            case _:
                return None

    def resource(self, template: Template, value: Any, *kinds: str) -> tuple[Template, str] | None:
        """The template and the logical id of the resource that a value refers to, if it is of one of these types."""
        home, origin = self.origin(template, value)
        logical_id = referred(origin)
        return (home, logical_id) if home.resources.get(logical_id, {}).get("Type") in kinds else None

    def resolver(self, template: Template) -> Resolver:
        """The source of a stack's values."""
        if id(template) not in self._resolvers:
            self._resolvers[id(template)] = Resolver(
                stack=template.file if self._is_lenient else template.name,
                template=template.content,
                values=self._values,
                region=template.region or REGION,
                account=template.account or ACCOUNT,
                elsewhere=lambda value: self._elsewhere(template, value),
                paths=template.paths,
                is_lenient=self._is_lenient,
            )
        return self._resolvers[id(template)]

    def environments(self) -> dict[tuple[str, str], list[Resolver]]:
        """The stacks of each account and region, nested ones and those of stages too."""
        found: dict[tuple[str, str], list[Resolver]] = {}
        for resolver in map(self.resolver, self._templates):
            found.setdefault((resolver.account, resolver.region), []).append(resolver)
        return found

    def _elsewhere(self, template: Template, value: Any) -> Callable[[], Any] | None:
        home, origin = self.origin(template, value)
        return None if home is template else lambda: self.resolver(home).resolve(origin)
