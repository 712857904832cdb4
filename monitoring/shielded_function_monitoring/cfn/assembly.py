"""Reads a cloud assembly, the folder that `cdk synth` writes: its stages, nested stacks, paths and assets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

from ..errors import ShieldError
from .assets import Assets
from .template import PATH, STACK, Template, as_mapping

_LOGICAL_ID: Final = "aws:cdk:logicalId"
_NESTED: Final = ".NestedStack/"


class AssemblyError(ShieldError):
    """A cloud assembly that cannot be read; the message names the problem and the fix in one line."""


class CloudAssembly:
    """A whole cloud assembly.

    Attributes:
        root: the folder, `cdk.out`.
        templates: all templates, also of stages and nested stacks.
        metadata: the metadata of each construct, by its path.
    """

    def __init__(self, root: Path, only: Iterable[Path] | None = None) -> None:
        """
        Args:
            root: the folder.
            only: the templates to read, with their nested stacks; by default all.

        Raises:
            AssemblyError: it is no cloud assembly, or one of its files is missing or is not JSON.
        """
        self.root = root
        self.metadata: dict[str, list[Mapping[str, Any]]] = {}
        self.templates = list(self._read(root, None if only is None else {path.resolve() for path in only}))

    def _read(self, directory: Path, only: set[Path] | None) -> Iterator[Template]:
        """Reads an assembly, and the assemblies of its stages."""
        manifest = load_json(directory / "manifest.json", "run `cdk synth` first, and name the folder that it writes")
        artifacts: Mapping[str, Mapping[str, Any]] = manifest.get("artifacts") or {}
        assets = Assets(directory, dict(_asset_sources(directory, artifacts)))
        for name, artifact in artifacts.items():
            properties = as_mapping(artifact.get("properties"))
            if artifact.get("type") == "cdk:cloud-assembly":
                yield from self._read(directory / str(properties.get("directoryName")), only)
            elif artifact.get("type") == "aws:cloudformation:stack":
                file = directory / str(properties.get("templateFile"))
                if only is None or file.resolve() in only:
                    yield from self._stack(name, artifact, file, assets)

    def _stack(self, key: str, artifact: Mapping[str, Any], file: Path, assets: Assets) -> Iterator[Template]:
        metadata = dict(as_mapping(artifact.get("metadata")))
        if isinstance(extra := artifact.get("additionalMetadataFile"), str):
            metadata.update(load_json(assets.directory / extra))
        paths: dict[str, list[str]] = {}
        for absolute, entries in metadata.items():
            path = absolute.removeprefix("/")
            self.metadata[path] = entries
            for entry in entries:
                if entry.get("type") == _LOGICAL_ID:
                    paths.setdefault(str(entry.get("data")), []).append(path)
        account, _, region = str(artifact.get("environment", "")).removeprefix("aws://").partition("/")
        # The hierarchical id, `Prod/Shop`; a stack's name may differ from its path.
        stack = re.sub(r" \([^()]*\)$", "", str(artifact.get("displayName") or key))
        content = load_json(file)
        yield from self._nested(
            Template(
                content=content,
                stack=stack,
                file=_relative(file, self.root),
                paths=dict(construct_paths(content, stack, paths)),
                region="" if region == "unknown-region" else region,
                account="" if account == "unknown-account" else account,
                name=str(as_mapping(artifact.get("properties")).get("stackName", key)),
                key=key,
                assets=assets,
                metadata=self.metadata,
            ),
            paths,
        )

    def _nested(self, outer: Template, known: Mapping[str, list[str]]) -> Iterator[Template]:
        """A template, and those of the stacks nested in it."""
        yield outer
        for logical_id, properties in outer.of_type(STACK):
            file = outer.assets.nested_template(properties.get("TemplateURL"))
            if file is None or not file.is_file():
                continue
            content = load_json(file)
            stack = outer.paths.get(logical_id, f"{outer.stack}/{logical_id}").split(_NESTED)[0]
            inner = replace(
                outer,
                content=content,
                stack=stack,
                file=_relative(file, self.root),
                paths=dict(construct_paths(content, stack, known)),
                within=(outer, logical_id),
                name=f"{outer.name}-{logical_id}",
                key=file.name,
            )
            yield from self._nested(inner, known)

    @cached_property
    def types(self) -> Mapping[str, str]:
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


def assembly_root(template: Path) -> Path:
    """The folder of the whole assembly of a template: a stage's template is in a subfolder."""
    directory = template.resolve().parent
    while (directory.parent / "manifest.json").is_file():
        directory = directory.parent
    return directory


def load_json(file: Path, fix: str = "the cloud assembly is incomplete: run `cdk synth` again") -> dict[str, Any]:
    """A file of an assembly.

    Raises:
        AssemblyError: it is missing, or is not a JSON object.
    """
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
        manifest = load_json(directory / str(as_mapping(artifact.get("properties")).get("file")))
        for asset_id, asset in as_mapping(manifest.get("files")).items():
            path = as_mapping(asset.get("source")).get("path")
            if not isinstance(path, str):
                continue
            yield asset_id, directory / path
            for destination in as_mapping(asset.get("destinations")).values():
                yield str(destination.get("objectKey")), directory / path


def construct_paths(
    content: Mapping[str, Any], stack: str, known: Mapping[str, list[str]]
) -> Iterator[tuple[str, str]]:
    """The construct path of each resource: from the template, else from the stack's metadata."""
    every = (path for paths in known.values() for path in paths)
    nested = {f"{path.split(_NESTED)[0]}/" for path in every if _NESTED in path} - {f"{stack}/"}
    nested = {prefix for prefix in nested if prefix.startswith(f"{stack}/")}
    for logical_id, resource in as_mapping(content.get("Resources")).items():
        path = as_mapping(as_mapping(resource).get("Metadata")).get(PATH)
        if isinstance(path, str):
            yield logical_id, path
            continue
        # The same id may be in a nested stack, whose constructs are below that stack's.
        below = [found for found in known.get(logical_id, ()) if found.startswith(f"{stack}/")]
        own = [found for found in below if not any(found.startswith(prefix) for prefix in nested)]
        if own:
            yield logical_id, own[0]


def _relative(file: Path, root: Path) -> str:
    try:
        return file.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return file.name
