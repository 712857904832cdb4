"""Reads functions from `cdk.out`: what would be deployed, taken from the template and the asset manifest alone."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from shielded_function_emulator.intrinsics import IntrinsicError, Resolver
from shielded_function_emulator.kernel import machine

_DEFAULT_MEMORY_MB = 128
_DEFAULT_TIMEOUT_SECONDS = 3
_ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
_MODE_MASK = 0o777
_ROOT_MODE = 0o755  # of /var/task and /opt, whatever the directory was that they came from


class CloudAssemblyError(Exception):
    """`cdk.out` lacks something, or holds something that cannot be run here; one line says what."""


@dataclass(frozen=True)
class FunctionPackage:
    """One function as the template describes it. `code` and `layers` are directories or zip files."""

    logical_id: str
    name: str
    code: Path
    layers: tuple[Path, ...]
    handler: str
    runtime: str
    memory_mb: int
    timeout_seconds: int
    environment: Mapping[str, str]

    def unpack_code(self, into: Path) -> None:
        """Puts what Lambda would show as /var/task into a directory."""
        unpack(self.code, into)

    def unpack_layers(self, into: Path) -> None:
        """Merges the layers, in their order, into what Lambda would show as /opt."""
        into.mkdir(parents=True, exist_ok=True)
        for layer in self.layers:
            unpack(layer, into)


class CloudAssembly:
    """A directory that `cdk synth` wrote. Nested assemblies (stages) are not read."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        try:
            manifest = json.loads((directory / "manifest.json").read_text())
        except OSError as error:
            raise CloudAssemblyError(f"{directory} is not the output of `cdk synth`: {error}") from error
        artifacts: dict[str, dict[str, Any]] = manifest["artifacts"]
        self._templates = {
            name: json.loads((directory / artifact["properties"]["templateFile"]).read_text())
            for name, artifact in artifacts.items()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        manifests = [a["properties"]["file"] for a in artifacts.values() if a["type"] == "cdk:asset-manifest"]
        self._assets: dict[str, Path] = {}
        for file in manifests:
            for asset_id, asset in json.loads((directory / file).read_text()).get("files", {}).items():
                if "path" in asset["source"]:
                    self._assets[asset_id] = directory / asset["source"]["path"]

    def template(self, stack: str) -> dict[str, Any]:
        """A stack's template."""
        if stack not in self._templates:
            raise CloudAssemblyError(f"no stack {stack} in {self.directory}; there are: {', '.join(self._templates)}")
        return self._templates[stack]

    def resources(self, stack: str, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of a stack's resources of one type, by logical id, with names filled in and resolved."""
        resolver = Resolver(stack, self.template(stack))
        return {
            logical_id: resolver.resolve(resource.get("Properties", {}))
            for logical_id, resource in self.template(stack)["Resources"].items()
            if resource["Type"] == kind
        }

    def physical_name(self, stack: str, logical_id: str) -> str:
        """The name that environment variables of this assembly give for a resource."""
        return Resolver(stack, self.template(stack)).name_of(logical_id)

    def logical_id(self, stack: str, construct: str) -> str:
        """The logical id of the function at a construct path, relative to the stack (`Shielded`)."""
        wanted = f"{stack}/{construct}/Resource"
        for logical_id, resource in self.template(stack)["Resources"].items():
            if resource["Type"] == "AWS::Lambda::Function" and _path(resource) == wanted:
                return logical_id
        raise CloudAssemblyError(f"no function {construct} in the stack {stack}")

    def function(self, stack: str, construct: str) -> FunctionPackage:
        """A function, by its construct path relative to the stack.

        Raises:
            CloudAssemblyError: there is none, it is for another machine, or a setting cannot be resolved.
        """
        logical_id = self.logical_id(stack, construct)
        template = self.template(stack)
        properties: dict[str, Any] = template["Resources"][logical_id]["Properties"]
        (architecture,) = properties.get("Architectures", ["x86_64"])
        if _ARCHITECTURES.get(architecture) != machine():
            raise CloudAssemblyError(f"{construct} is for {architecture}; this machine is {machine()}")
        resolver = Resolver(stack, template)
        try:
            variables = resolver.resolve(properties.get("Environment", {}).get("Variables", {}))
        except IntrinsicError as error:
            raise CloudAssemblyError(f"{construct}: its environment has {error}") from error
        return FunctionPackage(
            logical_id=logical_id,
            name=resolver.name_of(logical_id),
            code=self._asset(construct, properties["Code"]),
            layers=tuple(self._layer(template, construct, layer) for layer in properties.get("Layers", [])),
            handler=properties["Handler"],
            runtime=properties["Runtime"],
            memory_mb=properties.get("MemorySize", _DEFAULT_MEMORY_MB),
            timeout_seconds=properties.get("Timeout", _DEFAULT_TIMEOUT_SECONDS),
            environment=variables,
        )

    def _layer(self, template: Mapping[str, Any], construct: str, layer: Any) -> Path:
        resource = template["Resources"].get(layer.get("Ref")) if isinstance(layer, dict) else None
        if resource is None:
            raise CloudAssemblyError(f"{construct}: the layer {layer!r} is not in the template")
        return self._asset(construct, resource["Properties"]["Content"])

    def _asset(self, construct: str, content: Mapping[str, Any]) -> Path:
        key = content.get("S3Key")
        if not isinstance(key, str):
            raise CloudAssemblyError(f"{construct}: only file assets can be run, not {sorted(content)}")
        path = self._assets.get(PurePosixPath(key).stem)
        if path is None or not path.exists():
            raise CloudAssemblyError(f"{construct}: the asset {key} is not in {self.directory}")
        return path


def unpack(source: Path, into: Path) -> None:
    """Copies a directory, or extracts a zip file with its permissions, over what is there."""
    if source.is_dir():
        shutil.copytree(source, into, symlinks=True, dirs_exist_ok=True)
        into.chmod(_ROOT_MODE)
        return
    with zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            target = Path(archive.extract(member, into))
            if mode := (member.external_attr >> 16) & _MODE_MASK:
                target.chmod(mode)


def _path(resource: Mapping[str, Any]) -> str:
    return resource.get("Metadata", {}).get("aws:cdk:path", "")
