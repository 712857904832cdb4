"""Fixtures: an app per test, and a layer of placeholder files, so that nothing has to be compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from harness.function_template import of_type
from shielded_function import ShieldedFunction
from shielded_function.layer import archive

PROMISE = "construct.function"

Synthesize = Callable[[cdk.Stack], "dict[str, Any]"]
Make = Callable[..., ShieldedFunction]


def make_layers(root: Path) -> Path:
    for architecture in archive.ARCHITECTURES.values():
        for name, mode in archive.FILES.items():
            file = root / architecture / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{file.name} for {architecture}\n")
            file.chmod(mode)
    return root


@pytest.fixture(scope="module", autouse=True)
def placeholder_layers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Stands in for the package's `binaries/layer`."""
    root = make_layers(tmp_path_factory.mktemp("layers"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "layers_folder", lambda: root)
        yield


@pytest.fixture
def layers_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of its own, for a test that changes them."""
    root = make_layers(tmp_path / "layer")
    monkeypatch.setattr(archive, "layers_folder", lambda: root)
    return root


@pytest.fixture
def app(tmp_path: Path) -> cdk.App:
    return cdk.App(outdir=str(tmp_path / "cdk.out"), analytics_reporting=False)


@pytest.fixture
def stack(app: cdk.App) -> cdk.Stack:
    return cdk.Stack(app, "Shop")


@pytest.fixture
def props() -> dict[str, Any]:
    """The least that a function needs."""
    return {
        "runtime": lambda_.Runtime.PYTHON_3_13,
        "handler": "index.handler",
        "code": lambda_.Code.from_inline("def handler(event, context): return event"),
    }


@pytest.fixture
def synthesize() -> Synthesize:
    return lambda stack: dict(Template.from_stack(stack).to_json())


@pytest.fixture
def resources(synthesize: Synthesize) -> Callable[[cdk.Stack, str], dict[str, Any]]:
    """The properties of a stack's resources of one type, by logical id; synthesizes the stack."""
    template = cache(synthesize)

    def find(stack: cdk.Stack, kind: str) -> dict[str, Any]:
        return of_type(template(stack), kind)

    return find


@pytest.fixture
def make(stack: cdk.Stack, props: dict[str, Any]) -> Make:
    """Makes a shielded function."""
    return lambda name="Checkout", **more: ShieldedFunction(stack, name, **{**props, **more})
