"""Reads the functions that `cdk.out` would deploy from its templates and asset manifests alone.

Stages and nested stacks are read too. A function is found by its construct path, its logical id, its name or its id.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shielded_function_monitoring.cfn import assembly as cfn
from shielded_function_monitoring.cfn.stacks import Stacks
from shielded_function_monitoring.cfn.template import Template, construct_of
from shielded_function_monitoring.cfn.values import REGION, IntrinsicError, Resolver

_FUNCTION = "AWS::Lambda::Function"
_DEFAULT_MEMORY_MB = 128
_DEFAULT_TIMEOUT_SECONDS = 3
_ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
_MODE_MASK = 0o777
_ROOT_MODE = 0o755  # of /var/task and /opt, whatever mode the source directory has
_FILE_MODE = 0o644
# Lambda's file name for code that stands in the template, by the runtime's family.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html
_INLINE = {"python": "index.py", "nodejs": "index.js"}


class CloudAssemblyError(Exception):
    """`cdk.out` lacks something, or holds something that cannot be run here; one line names it."""


@dataclass(frozen=True)
class InlineCode:
    """Code that stands in the template: the file's name, and its text."""

    name: str
    text: str


@dataclass(frozen=True)
class FunctionPackage:
    """One function as the template describes it. `code` and `layers` are directories or zip files."""

    logical_id: str
    name: str
    code: Path | InlineCode
    layers: tuple[Path, ...]
    handler: str
    runtime: str
    memory_mb: int
    timeout_seconds: int
    environment: Mapping[str, str]
    region: str = REGION

    def unpack_code(self, into: Path) -> None:
        """Puts the content of Lambda's /var/task into a directory."""
        if isinstance(self.code, Path):
            unpack(self.code, into)
            return
        into.mkdir(parents=True, exist_ok=True)
        into.chmod(_ROOT_MODE)
        file = into / self.code.name
        file.write_text(self.code.text, encoding="utf-8")
        file.chmod(_FILE_MODE)

    def unpack_layers(self, into: Path) -> None:
        """Merges the layers, in their order, into the content of Lambda's /opt."""
        into.mkdir(parents=True, exist_ok=True)
        for layer in self.layers:
            unpack(layer, into)


@dataclass(frozen=True)
class Known:
    """Known values of the deployment that the template does not give.

    Attributes:
        variables: of the function's environment, added to the template's or instead of them.
        values: by the keys of `Resolver.values`.
        layers: the content of layers that are not in the assembly, by ARN: a directory, a zip file, or None to do
            without.
    """

    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    layers: Mapping[str, Path | None] = field(default_factory=dict[str, "Path | None"])


_NOTHING = Known()


@dataclass(frozen=True)
class FunctionPlace:
    """Where a function is described.

    Attributes:
        stack: the artifact that is its stack; of a nested stack, its template's file.
        logical_id: in that stack's template.
        path: its construct path; empty where the assembly does not say.
        name: its name, where the template gives one as plain text.
    """

    stack: str
    logical_id: str
    path: str
    name: str

    def __str__(self) -> str:
        return self.path or f"{self.logical_id} (in {self.stack})"


class CloudAssembly:
    """A directory that `cdk synth` wrote, with the stages and nested stacks in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        try:
            templates = cfn.CloudAssembly(directory).templates
        except cfn.AssemblyError as error:
            raise CloudAssemblyError(f"{directory} is not the output of `cdk synth`: {error}") from error
        # The app's own stacks come before those of its stages.
        templates.sort(key=lambda template: len(template.assets.directory.parts))
        self._stacks = {template.key: template for template in templates}

    def tables(self, stack: str) -> dict[str, dict[str, Any]]:
        """The properties of a stack's DynamoDB tables, by name.

        Raises:
            CloudAssemblyError: a property is not known before the deployment.
        """
        resolver = self.resolver(stack)
        tables = self._stack(stack).of_type("AWS::DynamoDB::Table")
        try:
            return {resolver.name_of(logical_id): resolver.resolve(properties) for logical_id, properties in tables}
        except IntrinsicError as error:
            raise CloudAssemblyError(f"{stack}: a table has {error}") from error

    def resolver(self, stack: str, values: Mapping[str, str] | None = None) -> Resolver:
        """The source of a stack's names, with the known values of its deployment (`Known.values`)."""
        return self.environment(stack, values)[0]

    def environment(self, stack: str, values: Mapping[str, str] | None = None) -> list[Resolver]:
        """As `resolver`, of every stack in the stack's account and region; its own is the first."""
        stacks = Stacks(list(self._stacks.values()), values)
        own = stacks.resolver(self._stack(stack))
        return sorted(stacks.environments()[own.account, own.region], key=lambda each: each is not own)

    def functions(self) -> list[FunctionPlace]:
        """Every function of every stack, in their order."""
        return [
            FunctionPlace(stack.key, logical_id, construct_of(stack.paths.get(logical_id, "")), _given_name(properties))
            for stack in self._stacks.values()
            for logical_id, properties in stack.of_type(_FUNCTION)
        ]

    def find(self, wanted: str) -> FunctionPlace:
        """The function with a construct path, a logical id, a name, or the end of a path (its id).

        Raises:
            CloudAssemblyError: there is none, or more than one; the text lists them.
        """
        functions = self.functions()
        wanted = wanted.strip("/").removesuffix("/Resource")
        for means in (
            lambda place: place.path == wanted,
            lambda place: place.logical_id == wanted,
            lambda place: place.name == wanted,
            lambda place: f"/{place.path}".endswith(f"/{wanted}"),
        ):
            found = [place for place in functions if wanted and means(place)]
            if len(found) > 1:
                # Two stacks may have the same logical id, so that only the path, or the stack's file, tells them apart.
                raise CloudAssemblyError(f"{wanted} may be any of {_list(found)}: give the construct path")
            if found:
                return found[0]
        there = f"there are: {_list(functions)}" if functions else "there is no function at all"
        raise CloudAssemblyError(f"no function {wanted} in {self.directory}; {there}")

    def function(self, stack: str, construct: str) -> FunctionPackage:
        """A function, by its construct path relative to the stack.

        Raises:
            CloudAssemblyError: there is none, it is for another machine, or a setting cannot be resolved.
        """
        self._stack(stack)
        for place in self.functions():
            if place.stack == stack and place.path == f"{stack}/{construct}":
                return self.package(place)
        raise CloudAssemblyError(f"no function {construct} in the stack {stack}")

    def package(self, place: FunctionPlace, known: Known = _NOTHING) -> FunctionPackage:
        """A function that was found, with the known values of its deployment.

        Raises:
            CloudAssemblyError: it is for another machine, is a container image, or a setting cannot be resolved.
        """
        try:
            return self._package(self._stack(place.stack), place.logical_id, known)
        except (CloudAssemblyError, IntrinsicError) as error:
            raise CloudAssemblyError(f"{place}: {error}") from error

    def _package(self, stack: Template, logical_id: str, known: Known) -> FunctionPackage:
        properties = stack.resources[logical_id]["Properties"]
        if properties.get("PackageType") == "Image" or "ImageUri" in properties.get("Code", {}):
            raise CloudAssemblyError("a function of a container image cannot be run here, only file assets")
        # Here, since templates are read on systems too that are not Linux.
        from shielded_function_emulator.kernel import machine

        (architecture,) = properties.get("Architectures", ["x86_64"])
        if _ARCHITECTURES.get(architecture) != machine():
            raise CloudAssemblyError(f"it is for {architecture}; this machine is {machine()}")
        resolver = self.resolver(stack.key, known.values)
        variables = _variables(properties.get("Environment", {}).get("Variables", {}), resolver, known.variables)
        runtime = str(resolver.resolve(properties["Runtime"]))
        layers = (self._layer(stack, layer, known.layers) for layer in properties.get("Layers", []))
        return FunctionPackage(
            logical_id=logical_id,
            name=str(resolver.ref(logical_id)),
            code=_code(stack, properties["Code"], runtime, resolver),
            layers=tuple(layer for layer in layers if layer is not None),
            handler=str(resolver.resolve(properties["Handler"])),
            runtime=runtime,
            memory_mb=properties.get("MemorySize", _DEFAULT_MEMORY_MB),
            timeout_seconds=properties.get("Timeout", _DEFAULT_TIMEOUT_SECONDS),
            environment=variables,
            region=stack.region or REGION,
        )

    def _stack(self, key: str) -> Template:
        if key not in self._stacks:
            raise CloudAssemblyError(f"no stack {key} in {self.directory}; there are: {', '.join(self._stacks)}")
        return self._stacks[key]

    def _layer(self, stack: Template, layer: Any, known: Mapping[str, Path | None]) -> Path | None:
        stacks = Stacks(list(self._stacks.values()))
        if found := stacks.resource(stack, layer, "AWS::Lambda::LayerVersion"):
            owner, logical_id = found
            return _asset(owner, owner.resources[logical_id]["Properties"]["Content"])
        try:
            arn = str(stacks.resolver(stack).resolve(layer))
        except IntrinsicError:
            arn = json.dumps(layer)
        if arn not in known:
            raise CloudAssemblyError(f"the layer {arn} is not in the template")
        return known[arn]


def _code(stack: Template, code: Mapping[str, Any], runtime: str, resolver: Resolver) -> Path | InlineCode:
    if "ZipFile" not in code:
        return _asset(stack, code)
    name = next((file for family, file in _INLINE.items() if runtime.startswith(family)), None)
    if name is None:
        raise CloudAssemblyError(f"{runtime} takes no code from the template")
    return InlineCode(name, str(resolver.resolve(code["ZipFile"])))


def _asset(stack: Template, content: Mapping[str, Any]) -> Path:
    key = content.get("S3Key")
    if not isinstance(key, str):
        raise CloudAssemblyError(f"only file assets can be run, not {sorted(content)}")
    try:
        return stack.assets.find(key)
    except LookupError as error:
        raise CloudAssemblyError(str(error)) from error


def _list(places: list[FunctionPlace]) -> str:
    return ", ".join(str(place) for place in places)


def _given_name(properties: Mapping[str, Any]) -> str:
    name = properties.get("FunctionName", "")
    return name if isinstance(name, str) else ""


def _variables(written: Mapping[str, Any], resolver: Resolver, known: Mapping[str, str]) -> dict[str, str]:
    """The function's variables. All that cannot be known are named at once, each with how to give it."""
    resolved: dict[str, str] = dict(known)
    unknown: list[str] = []
    for name, value in written.items():
        if name in known:
            continue
        try:
            for found in resolver.resolve([value]):  # AWS::NoValue: there is none
                resolved[name] = str(found)
        except IntrinsicError as error:
            give = f"--value {error.key}=... or " if error.key else ""
            unknown.append(f"{name} has {error} (give {give}--env {name}=...)")
    if unknown:
        raise CloudAssemblyError(f"its environment: {'; '.join(unknown)}")
    return resolved


def unpack(source: Path, into: Path) -> None:
    """Copies a directory, or extracts a zip file with its permissions, over the existing files."""
    if source.is_dir():
        shutil.copytree(source, into, symlinks=True, dirs_exist_ok=True)
        into.chmod(_ROOT_MODE)
        return
    with zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            target = Path(archive.extract(member, into))
            if mode := (member.external_attr >> 16) & _MODE_MASK:
                target.chmod(mode)
