"""Reads the functions that `cdk.out` would deploy from its templates and asset manifests alone.

Stages and nested stacks are read too. A function is found by its construct path, its logical id, its name or its id.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, cast

from shielded_function_monitoring.intrinsics import ACCOUNT, REGION, IntrinsicError, Resolver

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
_NESTED = ".NestedStackResource"
_HASH = re.compile(r"[0-9a-f]{64}")


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


@dataclass(frozen=True)
class _Stack:
    key: str
    name: str
    region: str
    account: str
    template: Mapping[str, Any]
    assembly: _Assembly
    paths: tuple[tuple[str, str], ...]  # construct paths with logical ids: of this stack, and of those nested in it
    scope: str = ""  # the construct path of a nested stack
    parent: tuple[_Stack, str] | None = None

    def path_of(self, logical_id: str) -> str:
        """The construct path of a resource, without `/Resource`; empty where the assembly does not say."""
        resource = self.template.get("Resources", {}).get(logical_id, {})
        if written := resource.get("Metadata", {}).get("aws:cdk:path"):
            return str(written).removesuffix("/Resource")
        # A logical id may be in a nested stack as well.
        scopes = sorted(("", *map(_scope_of, (path for path, _ in self.paths if path.endswith(_NESTED)))), key=len)
        for path, found in self.paths:
            inner = [scope for scope in scopes if not scope or path.startswith(f"{scope}/")]
            if found == logical_id and inner[-1] == self.scope:
                return path.removesuffix("/Resource")
        return ""


class _Assembly:
    """One directory with a manifest: the app's, or a stage's."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        try:
            manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CloudAssemblyError(f"{directory} is not the output of `cdk synth`: {error}") from error
        self.artifacts: dict[str, dict[str, Any]] = manifest.get("artifacts", {})
        self.assets: dict[str, Path] = {}
        for artifact in self._of("cdk:asset-manifest"):
            for asset_id, asset in self.read(artifact["properties"]["file"]).get("files", {}).items():
                if "path" in asset["source"]:
                    self.assets[asset_id] = directory / asset["source"]["path"]

    def _of(self, kind: str) -> Iterator[dict[str, Any]]:
        return (artifact for artifact in self.artifacts.values() if artifact["type"] == kind)

    def stages(self) -> Iterator[_Assembly]:
        for artifact in self._of("cdk:cloud-assembly"):
            yield _Assembly(self.directory / artifact["properties"]["directoryName"])

    def stacks(self) -> Iterator[_Stack]:
        for key, artifact in self.artifacts.items():
            if artifact["type"] != "aws:cloudformation:stack":
                continue
            properties = artifact["properties"]
            account, _, region = artifact.get("environment", "").removeprefix("aws://").partition("/")
            template = self.read(properties["templateFile"])
            stack = _Stack(
                key=key,
                name=properties.get("stackName", key),
                region=REGION if region in ("", "unknown-region") else region,
                account=ACCOUNT if account in ("", "unknown-account") else account,
                template=template,
                assembly=self,
                paths=self._paths(artifact),
            )
            yield stack
            yield from self._nested(stack)

    def _nested(self, outer: _Stack) -> Iterator[_Stack]:
        for logical_id, resource in outer.template.get("Resources", {}).items():
            if resource["Type"] != "AWS::CloudFormation::Stack":
                continue
            url = json.dumps(resource.get("Properties", {}).get("TemplateURL"))
            file = next((self.assets[found] for found in _HASH.findall(url) if found in self.assets), None)
            if file is None or not file.exists():
                continue
            inner = replace(
                outer,
                key=file.name,
                name=f"{outer.name}-{logical_id}",
                template=self.read(file.name),
                scope=_scope_of(outer.path_of(logical_id)),
                parent=(outer, logical_id),
            )
            yield inner
            yield from self._nested(inner)

    def _paths(self, artifact: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """For templates without construct paths: those of apps that the CDK's command line did not start."""
        metadata: dict[str, list[dict[str, Any]]] = dict(artifact.get("metadata", {}))
        if "additionalMetadataFile" in artifact:
            metadata |= self.read(artifact["additionalMetadataFile"])
        return tuple(
            (path.lstrip("/"), entry["data"])
            for path, entries in metadata.items()
            for entry in entries
            if entry["type"] == "aws:cdk:logicalId"
        )

    def read(self, file: str) -> dict[str, Any]:
        try:
            return json.loads((self.directory / file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CloudAssemblyError(f"{self.directory / file} cannot be read: {error}") from error


class CloudAssembly:
    """A directory that `cdk synth` wrote, with the stages and nested stacks in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._stacks = {stack.key: stack for assembly in _all(_Assembly(directory)) for stack in assembly.stacks()}

    def template(self, stack: str) -> dict[str, Any]:
        """A stack's template."""
        return dict(self._stack(stack).template)

    def resources(self, stack: str, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of a stack's resources of one type, by logical id, with names filled in and resolved."""
        found = self._stack(stack)
        resolver = self._resolver(found, {})
        return {
            logical_id: resolver.resolve(resource.get("Properties", {}))
            for logical_id, resource in found.template["Resources"].items()
            if resource["Type"] == kind
        }

    def physical_name(self, stack: str, logical_id: str) -> str:
        """The name that environment variables of this assembly give for a resource."""
        return self._resolver(self._stack(stack), {}).name_of(logical_id)

    def tables(self, stack: str) -> dict[str, dict[str, Any]]:
        """The properties of a stack's DynamoDB tables, by name.

        Raises:
            CloudAssemblyError: a property is not known before the deployment.
        """
        try:
            found = self.resources(stack, "AWS::DynamoDB::Table")
            return {self.physical_name(stack, logical_id): properties for logical_id, properties in found.items()}
        except IntrinsicError as error:
            raise CloudAssemblyError(f"{stack}: a table has {error}") from error

    def environments(self) -> dict[tuple[str, str], list[str]]:
        """The stacks of each account and region, nested ones and those of stages too, as `resolver` calls them."""
        found: dict[tuple[str, str], list[str]] = {}
        for key, stack in self._stacks.items():
            found.setdefault((stack.account, stack.region), []).append(key)
        return found

    def resolver(self, stack: str, values: Mapping[str, str] | None = None) -> Resolver:
        """The source of a stack's names, with the known values of its deployment (`Known.values`)."""
        return self._resolver(self._stack(stack), values or {})

    def path_of(self, stack: str, logical_id: str) -> str:
        """The construct path of a resource; empty where the assembly does not say."""
        return self._stack(stack).path_of(logical_id)

    def functions(self) -> list[FunctionPlace]:
        """Every function of every stack, in their order."""
        return [
            FunctionPlace(stack.key, logical_id, stack.path_of(logical_id), _given_name(resource))
            for stack in self._stacks.values()
            for logical_id, resource in stack.template.get("Resources", {}).items()
            if resource["Type"] == _FUNCTION
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

    def logical_id(self, stack: str, construct: str) -> str:
        """The logical id of the function at a construct path, relative to the stack (`Shielded`)."""
        self._stack(stack)
        for place in self.functions():
            if place.stack == stack and place.path == f"{stack}/{construct}":
                return place.logical_id
        raise CloudAssemblyError(f"no function {construct} in the stack {stack}")

    def function(self, stack: str, construct: str) -> FunctionPackage:
        """A function, by its construct path relative to the stack.

        Raises:
            CloudAssemblyError: there is none, it is for another machine, or a setting cannot be resolved.
        """
        logical_id = self.logical_id(stack, construct)
        return self.package(FunctionPlace(stack, logical_id, construct, ""))

    def package(self, place: FunctionPlace, known: Known = _NOTHING) -> FunctionPackage:
        """A function that was found, with the known values of its deployment.

        Raises:
            CloudAssemblyError: it is for another machine, is a container image, or a setting cannot be resolved.
        """
        stack = self._stack(place.stack)
        properties: dict[str, Any] = stack.template["Resources"][place.logical_id]["Properties"]
        if properties.get("PackageType") == "Image" or "ImageUri" in properties.get("Code", {}):
            raise CloudAssemblyError(f"{place}: a function of a container image cannot be run here, only file assets")
        # Here, since templates are read on systems too that are not Linux.
        from shielded_function_emulator.kernel import machine

        (architecture,) = properties.get("Architectures", ["x86_64"])
        if _ARCHITECTURES.get(architecture) != machine():
            raise CloudAssemblyError(f"{place} is for {architecture}; this machine is {machine()}")
        resolver = self._resolver(stack, known.values)
        variables = _variables(place, properties.get("Environment", {}).get("Variables", {}), resolver, known.variables)
        runtime = self._setting(place, resolver, properties["Runtime"])
        layers = (self._layer(stack, place, layer, known.layers) for layer in properties.get("Layers", []))
        return FunctionPackage(
            logical_id=place.logical_id,
            name=self._setting(place, resolver, {"Ref": place.logical_id}),
            code=self._code(stack, place, properties["Code"], runtime, resolver),
            layers=tuple(layer for layer in layers if layer is not None),
            handler=self._setting(place, resolver, properties["Handler"]),
            runtime=runtime,
            memory_mb=properties.get("MemorySize", _DEFAULT_MEMORY_MB),
            timeout_seconds=properties.get("Timeout", _DEFAULT_TIMEOUT_SECONDS),
            environment=variables,
            region=stack.region,
        )

    def _stack(self, key: str) -> _Stack:
        if key not in self._stacks:
            raise CloudAssemblyError(f"no stack {key} in {self.directory}; there are: {', '.join(self._stacks)}")
        return self._stacks[key]

    def _resolver(self, stack: _Stack, values: Mapping[str, str]) -> Resolver:
        """Values from outside the stack's template come from the stack around it, those in it, and all others."""

        def parameter(name: str) -> Any:
            assert stack.parent is not None
            outer, logical_id = stack.parent
            given = outer.template["Resources"][logical_id].get("Properties", {}).get("Parameters", {})
            if name not in given:
                raise IntrinsicError(f"Ref {name}: the outer stack does not give it", name)
            return self._resolver(outer, values).resolve(given[name])

        def output(logical_id: str, name: str) -> Any:
            for inner in self._stacks.values():
                if inner.parent is not None and (inner.parent[0].key, inner.parent[1]) == (stack.key, logical_id):
                    found = inner.template.get("Outputs", {}).get(name)
                    if found is not None:
                        return self._resolver(inner, values).resolve(found["Value"])
            raise IntrinsicError(f"Fn::GetAtt {logical_id}.Outputs.{name}: no nested stack here has it")

        def export(name: str) -> Any:
            found = self._export(name)
            return None if found is None else self._resolver(found[0], values).resolve(found[1])

        return Resolver(
            stack=stack.name,
            template=stack.template,
            values=values,
            region=stack.region,
            account=stack.account,
            parameters=parameter if stack.parent else None,
            outputs=output,
            exports=export,
        )

    def _export(self, name: str) -> tuple[_Stack, Any] | None:
        """The stack that exports something, and the value as its template writes it."""
        for stack in self._stacks.values():
            for output in stack.template.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == name:
                    return stack, output["Value"]
        return None

    def _setting(self, place: FunctionPlace, resolver: Resolver, value: Any) -> str:
        try:
            return str(resolver.resolve(value))
        except IntrinsicError as error:
            raise CloudAssemblyError(f"{place}: {error}") from error

    def _layer(self, stack: _Stack, place: FunctionPlace, layer: Any, known: Mapping[str, Path | None]) -> Path | None:
        if (found := self._resource(stack, layer)) is not None:
            owner, resource = found
            return self._asset(owner, place, resource["Properties"]["Content"])
        try:
            arn = str(self._resolver(stack, {}).resolve(layer))
        except IntrinsicError:
            arn = json.dumps(layer)
        if arn not in known:
            raise CloudAssemblyError(f"{place}: the layer {arn} is not in the template")
        return known[arn]

    def _resource(self, stack: _Stack, value: Any) -> tuple[_Stack, Mapping[str, Any]] | None:
        """The resource that a reference leads to, through parameters and exports."""
        if not isinstance(value, dict):
            return None
        reference = cast("dict[str, Any]", value)
        if isinstance(name := reference.get("Fn::ImportValue"), str):
            exported = self._export(name)
            return None if exported is None else self._resource(*exported)
        logical_id = reference.get("Ref", "")
        if logical_id in stack.template.get("Resources", {}):
            return stack, stack.template["Resources"][logical_id]
        if stack.parent is None:
            return None
        outer, nested = stack.parent
        given = outer.template["Resources"][nested].get("Properties", {}).get("Parameters", {})
        return self._resource(outer, given.get(logical_id))

    def _code(
        self, stack: _Stack, place: FunctionPlace, code: Mapping[str, Any], runtime: str, resolver: Resolver
    ) -> Path | InlineCode:
        if "ZipFile" not in code:
            return self._asset(stack, place, code)
        name = next((file for family, file in _INLINE.items() if runtime.startswith(family)), None)
        if name is None:
            raise CloudAssemblyError(f"{place}: {runtime} takes no code from the template")
        return InlineCode(name, self._setting(place, resolver, code["ZipFile"]))

    def _asset(self, stack: _Stack, place: FunctionPlace, content: Mapping[str, Any]) -> Path:
        key = content.get("S3Key")
        if not isinstance(key, str):
            raise CloudAssemblyError(f"{place}: only file assets can be run, not {sorted(content)}")
        path = stack.assembly.assets.get(PurePosixPath(key).stem)
        if path is None or not path.exists():
            raise CloudAssemblyError(f"{place}: the asset {key} is not in {stack.assembly.directory}")
        return path


def _all(assembly: _Assembly) -> Iterator[_Assembly]:
    yield assembly
    for stage in assembly.stages():
        yield from _all(stage)


def _list(places: list[FunctionPlace]) -> str:
    return ", ".join(str(place) for place in places)


def _scope_of(resource: str) -> str:
    """The construct path of a nested stack, from that of its resource: `Shop/In.NestedStack/In.NestedStackResource`."""
    return resource.rpartition("/")[0].removesuffix(".NestedStack")


def _given_name(resource: Mapping[str, Any]) -> str:
    name = resource.get("Properties", {}).get("FunctionName", "")
    return name if isinstance(name, str) else ""


def _variables(
    place: FunctionPlace, written: Mapping[str, Any], resolver: Resolver, known: Mapping[str, str]
) -> dict[str, str]:
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
        raise CloudAssemblyError(f"{place}: its environment: {'; '.join(unknown)}")
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
