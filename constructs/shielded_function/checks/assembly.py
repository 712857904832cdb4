"""Reads a cloud assembly: the folder that `cdk synth` writes. Only this module and `assets` read files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, cast

from ..errors import ShieldError
from ..names import DATES, LAYERS, PERIMETER, POLICY
from ..other_code import STACK
from .assets import Assets
from .finding import PLUGIN
from .handlers import is_cdk_handler
from .model import Assembly, LambdaFunction, OtherResource, Template, as_mapping, construct_of
from .template_functions import known_references, read_functions, read_others

LEFT_OUT: Final = f"{PLUGIN}:leftOut"
"""The type of the metadata that marks a function as left out on purpose; its data is the reason."""

_ACKNOWLEDGED: Final = "aws:cdk:acknowledged-rules"
_LOGICAL_ID: Final = "aws:cdk:logicalId"
_PATH: Final = "aws:cdk:path"
_NESTED: Final = ".NestedStack/"


class AssemblyError(ShieldError):
    """A cloud assembly that cannot be read; the message names the problem and the fix in one line."""


def read_assembly(directory: Path, only: Iterable[Path] | None = None) -> Assembly:
    """Reads a whole cloud assembly, also stages and nested stacks.

    Args:
        directory: the folder, `cdk.out`.
        only: the templates to read, with their nested stacks; by default all.

    Raises:
        AssemblyError: it is no cloud assembly, or one of its files is missing or is not JSON.
    """
    reader = _Reader(directory)
    reader.read(directory, None if only is None else {path.resolve() for path in only})
    reader.read_report()
    return Assembly(directory.name, reader.templates, reader.functions, reader.acknowledged, reader.others)


def assembly_root(template: Path) -> Path:
    """The folder of the whole assembly of a template: a stage's template is in a subfolder."""
    directory = template.resolve().parent
    while (directory.parent / "manifest.json").is_file():
        directory = directory.parent
    return directory


class _Reader:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.templates: list[Template] = []
        self.functions: list[LambdaFunction] = []
        self.others: list[OtherResource] = []
        self.acknowledged: dict[str, dict[str, str]] = {}
        self._metadata: dict[str, list[Mapping[str, Any]]] = {}

    def read(self, directory: Path, only: set[Path] | None) -> None:
        """Reads an assembly, and the assemblies of its stages."""
        manifest = _load(directory / "manifest.json", "run `cdk synth` first, and name the folder that it writes")
        artifacts: Mapping[str, Mapping[str, Any]] = manifest.get("artifacts") or {}
        assets = Assets(dict(_asset_sources(directory, artifacts)))
        for name, artifact in artifacts.items():
            properties = as_mapping(artifact.get("properties"))
            if artifact.get("type") == "cdk:cloud-assembly":
                self.read(directory / str(properties.get("directoryName")), only)
            elif artifact.get("type") == "aws:cloudformation:stack":
                file = directory / str(properties.get("templateFile"))
                if only is None or file.resolve() in only:
                    self._read_stack(directory, name, artifact, file, assets)

    def _read_stack(self, directory: Path, name: str, artifact: Mapping[str, Any], file: Path, assets: Assets) -> None:
        metadata = dict(as_mapping(artifact.get("metadata")))
        if isinstance(extra := artifact.get("additionalMetadataFile"), str):
            metadata.update(_load(directory / extra))
        paths: dict[str, list[str]] = {}
        for absolute, entries in metadata.items():
            path = absolute.removeprefix("/")
            self._metadata[path] = entries
            for entry in entries:
                if entry.get("type") == _LOGICAL_ID:
                    paths.setdefault(str(entry.get("data")), []).append(path)
                elif entry.get("type") == _ACKNOWLEDGED:
                    self._acknowledge(path, entry.get("data"))
        account, _, region = str(artifact.get("environment", "")).removeprefix("aws://").partition("/")
        # The hierarchical id, `Prod/Shop`; a stack's name may differ from its path.
        stack = re.sub(r" \([^()]*\)$", "", str(artifact.get("displayName") or name))
        where = ("" if region == "unknown-region" else region, "" if account == "unknown-account" else account)
        stack_name = str(as_mapping(artifact.get("properties")).get("stackName", name))
        self._read_template(file, stack, where, paths, assets, name=stack_name)

    def _read_template(
        self,
        file: Path,
        stack: str,
        where: tuple[str, str],
        known: Mapping[str, list[str]],
        assets: Assets,
        within: tuple[Template, str] | None = None,
        *,
        name: str,
    ) -> None:
        region, account = where
        content = _load(file)
        resources: dict[str, Mapping[str, Any]] = {
            logical_id: resource for logical_id, resource in as_mapping(content.get("Resources")).items()
            if isinstance(resource, Mapping)
        }  # fmt: skip
        template = Template(
            stack=stack,
            file=_relative(file, self.root),
            resources=resources,
            paths=dict(_paths(resources, stack, known)),
            region=region,
            known=known_references(content, region),
            account=account,
            outputs=as_mapping(content.get("Outputs")),
            within=within,
            name=name,
        )
        self.templates.append(template)
        self.functions.extend(
            read_functions(
                template,
                assets,
                left_out=self._left_out,
                perimeter=partial(self._noted, PERIMETER),
                noted=partial(self._noted, POLICY),
                added=partial(self._noted, LAYERS),
                dated=partial(self._noted, DATES),
                cdk_handler=self._cdk_handler,
                defaults=as_mapping(as_mapping(content.get("Globals")).get("Function")),
            )
        )
        self.others.extend(
            read_others(template, is_here=lambda url: assets.nested_template(url) is not None, left_out=self._left_out)
        )
        for logical_id, properties in template.of_type(STACK):
            nested = assets.nested_template(properties.get("TemplateURL"))
            path = template.paths.get(logical_id, f"{stack}/{logical_id}")
            if nested is not None and nested.is_file():
                inner, within = path.split(_NESTED)[0], (template, logical_id)
                self._read_template(nested, inner, where, known, assets, within, name=f"{name}-{logical_id}")

    def _acknowledge(self, path: str, data: Any) -> None:
        for qualified, reason in as_mapping(data).items():
            plugin, _, rule = qualified.partition("::")
            if plugin == PLUGIN and rule:
                self.acknowledged.setdefault(rule, {})[path] = str(reason)

    def read_report(self) -> None:
        """Reads the CDK's record of acknowledgements on the app and on stages, which lack metadata."""
        file = self.root / "validation-report.json"
        if not file.is_file():
            return
        for report in _load(file).get("pluginReports") or []:
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
                return dict(_tree_types(_load(directory / "tree.json").get("tree")))
            if not (directory.parent / "manifest.json").is_file():
                break
        return {}


def _load(file: Path, fix: str = "the cloud assembly is incomplete: run `cdk synth` again") -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise AssemblyError(f"{file} cannot be read ({error.strerror}): {fix}") from error
    except ValueError as error:
        raise AssemblyError(f"{file} is not JSON ({error}): {fix}") from error
    if not isinstance(content, dict):
        raise AssemblyError(f"{file} is not a JSON object: {fix}")
    return cast("dict[str, Any]", content)


def _asset_sources(directory: Path, artifacts: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Path]]:
    for artifact in artifacts.values():
        if artifact.get("type") != "cdk:asset-manifest":
            continue
        manifest = _load(directory / str(as_mapping(artifact.get("properties")).get("file")))
        for asset_id, asset in as_mapping(manifest.get("files")).items():
            path = as_mapping(asset.get("source")).get("path")
            if not isinstance(path, str):
                continue
            yield asset_id, directory / path
            for destination in as_mapping(asset.get("destinations")).values():
                yield str(destination.get("objectKey")), directory / path


def _paths(
    resources: Mapping[str, Mapping[str, Any]], stack: str, known: Mapping[str, list[str]]
) -> Iterator[tuple[str, str]]:
    """The construct path of each resource: from the template, else from the stack's metadata."""
    every = (path for paths in known.values() for path in paths)
    nested = {f"{path.split(_NESTED)[0]}/" for path in every if _NESTED in path} - {f"{stack}/"}
    nested = {prefix for prefix in nested if prefix.startswith(f"{stack}/")}
    for logical_id, resource in resources.items():
        path = as_mapping(resource.get("Metadata")).get(_PATH)
        if isinstance(path, str):
            yield logical_id, path
            continue
        # The same id may be in a nested stack, whose constructs are below that stack's.
        below = [found for found in known.get(logical_id, ()) if found.startswith(f"{stack}/")]
        own = [found for found in below if not any(found.startswith(prefix) for prefix in nested)]
        if own:
            yield logical_id, own[0]


def _tree_types(node: Any) -> Iterator[tuple[str, str]]:
    todo = [as_mapping(node)]
    while todo:
        current = todo.pop()
        yield str(current.get("path", "")), str(as_mapping(current.get("constructInfo")).get("fqn", ""))
        todo.extend(as_mapping(child) for child in as_mapping(current.get("children")).values())


def _relative(file: Path, root: Path) -> str:
    try:
        return file.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return file.name
