"""The layer's contents as a CycloneDX SBOM: each file with its hash, and the parts compiled into the programs.

The same layer gives the same text, without a date or a random number. https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import json
import uuid
from importlib.metadata import version
from typing import Any, Final

from .archive import layer_files, sha256_hex, write_zip

ZIG_VERSION: Final = "0.17.1"
"""The compiler. It contains musl, which is linked into `shield`."""
MUSL_VERSION: Final = "1.2.5"
BOTOCORE_VERSION: Final = "1.44.8"
"""Its list of AWS endpoints is compiled into the programs."""

_PROGRAMS: Final = ("shielded-function/shield", "shielded-function/libshield.so")
_STATIC: Final = "shielded-function/shield"


def layer_sbom(architecture: str) -> str:
    """The SBOM of `layer_zip(architecture)`, as JSON text.

    Args:
        architecture: `x86_64` or `arm64`.

    Raises:
        KeyError: there is no such architecture.
        OSError: a file of the layer cannot be read.
    """
    files = layer_files(architecture)
    digest = sha256_hex(write_zip(files))
    release = version("shielded-function")
    layer = f"shielded-function-layer-{architecture}"
    musl = _library("musl", MUSL_VERSION, "MIT", f"pkg:generic/musl@{MUSL_VERSION}", f"linked into {_STATIC}")
    botocore = _library(
        "botocore", BOTOCORE_VERSION, "Apache-2.0", f"pkg:pypi/botocore@{BOTOCORE_VERSION}", "its list of endpoints"
    )
    uses = {name: [botocore["bom-ref"]] for name in _PROGRAMS}
    uses[_STATIC].append(musl["bom-ref"])
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{layer}@{release}#{digest}')}",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "zig", "version": ZIG_VERSION}]},
            "component": {
                "type": "application",
                "bom-ref": layer,
                "name": layer,
                "version": release,
                "description": "The layer of a shielded function, as `shielded-function layer` writes it",
                "hashes": [{"alg": "SHA-256", "content": digest}],
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "purl": f"pkg:pypi/shielded-function@{release}",
            },
        },
        "components": [
            *(
                {
                    "type": "file",
                    "bom-ref": name,
                    "name": name,
                    "version": release,
                    "hashes": [{"alg": "SHA-256", "content": sha256_hex(file.content)}],
                }
                for name, file in sorted(files.items())
            ),
            musl,
            botocore,
        ],
        "dependencies": [
            {"ref": layer, "dependsOn": sorted(files)},
            *({"ref": name, "dependsOn": sorted(uses.get(name, []))} for name in sorted(files)),
            {"ref": musl["bom-ref"]},
            {"ref": botocore["bom-ref"]},
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _library(name: str, version: str, license: str, purl: str, what: str) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": f"{name}@{version}",
        "name": name,
        "version": version,
        "description": what,
        "licenses": [{"license": {"id": license}}],
        "purl": purl,
    }
