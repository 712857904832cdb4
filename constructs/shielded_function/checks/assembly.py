"""Reads a cloud assembly into the model of the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from shielded_function_monitoring.cfn.assembly import AssemblyError, CloudAssembly, load_json
from shielded_function_monitoring.cfn.template import Template, as_mapping, construct_of

from ..names import DATES, LAYERS, PERIMETER, POLICY
from .finding import PLUGIN
from .handlers import is_cdk_handler
from .model import Assembly, LambdaFunction, OtherResource
from .template_functions import read_functions, read_others

__all__ = ["LEFT_OUT", "AssemblyError", "read_assembly"]

LEFT_OUT: Final = f"{PLUGIN}:leftOut"
"""The type of the metadata that marks a function as left out on purpose; its data is the reason."""

_ACKNOWLEDGED: Final = "aws:cdk:acknowledged-rules"


def read_assembly(directory: Path, only: Iterable[Path] | None = None) -> Assembly:
    """Reads a whole cloud assembly, also stages and nested stacks.

    Args:
        directory: the folder, `cdk.out`.
        only: the templates to read, with their nested stacks; by default all.

    Raises:
        AssemblyError: it is no cloud assembly, or one of its files is missing or is not JSON.
    """
    reader = _Reader(CloudAssembly(directory, only))
    reader.read_acknowledged()
    return Assembly(directory.name, reader.templates, reader.functions, reader.acknowledged, reader.others)


class _Reader:
    def __init__(self, assembly: CloudAssembly) -> None:
        self.root = assembly.root
        self.templates = assembly.templates
        self.acknowledged: dict[str, dict[str, str]] = {}
        self._metadata = assembly.metadata
        self.functions: list[LambdaFunction] = []
        self.others: list[OtherResource] = []
        for template in self.templates:
            self._read_template(template)

    def _read_template(self, template: Template) -> None:
        self.functions.extend(
            read_functions(
                template,
                left_out=self._left_out,
                perimeter=partial(self._noted, PERIMETER),
                noted=partial(self._noted, POLICY),
                added=partial(self._noted, LAYERS),
                dated=partial(self._noted, DATES),
                cdk_handler=self._cdk_handler,
                defaults=as_mapping(as_mapping(template.content.get("Globals")).get("Function")),
            )
        )
        is_here = template.assets.nested_template
        self.others.extend(read_others(template, is_here=lambda url: is_here(url) is not None, left_out=self._left_out))

    def _acknowledge(self, path: str, data: Any) -> None:
        for qualified, reason in as_mapping(data).items():
            plugin, _, rule = qualified.partition("::")
            if plugin == PLUGIN and rule:
                self.acknowledged.setdefault(rule, {})[path] = str(reason)

    def read_acknowledged(self) -> None:
        """Reads acknowledgements in metadata, and the CDK's record of those on the app and on stages, which lack it."""
        for path, entries in self._metadata.items():
            for entry in entries:
                if entry.get("type") == _ACKNOWLEDGED:
                    self._acknowledge(path, entry.get("data"))
        file = self.root / "validation-report.json"
        if not file.is_file():
            return
        for report in load_json(file).get("pluginReports") or []:
            for suppressed in report.get("suppressedViolations") or []:
                reason = str(suppressed.get("reason", ""))
                self._acknowledge(
                    str(suppressed.get("acknowledgedAt", "")), {str(suppressed.get("acknowledgedId", "")): reason}
                )

    def _marks(self, path: str) -> Iterator[str]:
        return (str(entry.get("type")) for entry in self._metadata.get(path, ()))

    def _left_out(self, path: str) -> str:
        for construct in (path, construct_of(path)):
            for entry in self._metadata.get(construct, ()):
                if entry.get("type") == LEFT_OUT:
                    return str(entry.get("data") or "no reason given")
        return ""

    def _noted(self, kind: str, path: str) -> str:
        """The metadata of a type; the latest where several syntheses added it."""
        marks = (entry for construct in (path, construct_of(path)) for entry in self._metadata.get(construct, ()))
        return ([str(entry.get("data")) for entry in marks if entry.get("type") == kind] or [""])[-1]

    def _cdk_handler(self, path: str) -> str:
        return is_cdk_handler(path, self._marks, lambda construct: self._types.get(construct, ""))

    @cached_property
    def _types(self) -> dict[str, str]:
        """The type of every construct, by path. Only the assembly of the app has the tree."""
        for directory in (self.root, *self.root.resolve().parents):
            if (directory / "tree.json").is_file():
                return dict(_tree_types(load_json(directory / "tree.json").get("tree")))
            if not (directory.parent / "manifest.json").is_file():
                break
        return {}


def _tree_types(node: Any) -> Iterator[tuple[str, str]]:
    todo = [as_mapping(node)]
    while todo:
        current = todo.pop()
        yield str(current.get("path", "")), str(as_mapping(current.get("constructInfo")).get("fqn", ""))
        todo.extend(as_mapping(child) for child in as_mapping(current.get("children")).values())
