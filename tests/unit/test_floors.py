"""The Python packages, from the ground up: no module imports another in a circle, and a construct imports no tool."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import shielded_function
import shielded_function_emulator
import shielded_function_monitoring
import shielded_function_runtime

pytestmark = pytest.mark.promise("package.tree")

PACKAGES = (shielded_function, shielded_function_emulator, shielded_function_monitoring, shielded_function_runtime)
CONSTRUCTS, EMULATOR, MONITORING, RUNTIME = (package.__name__ for package in PACKAGES)
TOOLS = tuple(f"{CONSTRUCTS}.{name}" for name in ("cli", "testing", "simulation"))
"""The command line, and what people's tests use: they stand above the constructs, and may use the emulator."""
POLICY = """from shielded_function import ShieldPolicy
policy = ShieldPolicy(allow_outbound=["${Token[TOKEN.12]}:443"], allow_aws="granted")
policy.decide("connect", "a.example:443"), policy.explain()"""
EXTRAS = ("boto3", "botocore", "jinja2", "markupsafe", "rich", "typer", "awslambdaric", "dnslib", "packaging")
"""What the extras `cli` and `run` bring: an app is synthesized without them."""


@cache
def modules() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for package in PACKAGES:
        root = Path(str(package.__file__)).parent
        for path in root.rglob("*.py"):
            parts = [package.__name__, *path.relative_to(root).with_suffix("").parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(module: str) -> Iterator[str]:
    """What a module imports of the packages: at once, in a function, or for its types alone."""
    path = modules()[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (above, node.module) if part)
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in modules() else base


@cache
def graph() -> dict[str, set[str]]:
    return {module: {other for other in imported(module) if other in modules()} - {module} for module in modules()}


def is_in(module: str, *parts: str) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in parts)


def test_no_module_imports_another_in_a_circle() -> None:
    assert len(graph()) > 250
    try:
        list(TopologicalSorter(graph()).static_order())
    except CycleError as circle:
        raise AssertionError(circle.args[1]) from None


def test_no_folder_imports_another_in_a_circle() -> None:
    """At most six modules of the constructs stand outside of a folder, and the folders have at most eight floors."""
    rooms = {module: module.split(".")[1] for module in graph() if is_in(module, CONSTRUCTS) and "." in module}
    loose = [module for module, room in rooms.items() if module == f"{CONSTRUCTS}.{room}" and is_loose(module)]
    assert 0 < len(loose) < 6, loose  # and __init__
    above: dict[str, set[str]] = {}
    for module in rooms.keys() - set(loose):
        others = {rooms[other] for other in graph()[module] if other in rooms and other not in loose}
        above.setdefault(rooms[module], set()).update(others - {rooms[module]})
    floors: dict[str, int] = {}
    for room in TopologicalSorter(above).static_order():
        floors[room] = 1 + max((floors[other] for other in above[room]), default=0)
    assert max(floors.values()) == 8


def is_loose(module: str) -> bool:
    return modules()[module].name != "__init__.py"


@pytest.mark.parametrize(
    ("floor", "without", "may_not"),
    [
        (CONSTRUCTS, TOOLS, (EMULATOR, *TOOLS)),
        (EMULATOR, (), (CONSTRUCTS,)),
        (MONITORING, (), (CONSTRUCTS, EMULATOR)),
        (RUNTIME, (), (CONSTRUCTS, EMULATOR, MONITORING)),
        # Lambda has boto3, moto brings it, and `build` is not in the wheel.
        (CONSTRUCTS, (f"{CONSTRUCTS}.cli", f"{CONSTRUCTS}.findings.handler"), EXTRAS),
        (MONITORING, (f"{MONITORING}.reporting",), EXTRAS),
        (RUNTIME, (f"{RUNTIME}.build",), EXTRAS),
    ],
)
def test_a_floor_imports_nothing_of_those_above_it(
    floor: str, without: tuple[str, ...], may_not: tuple[str, ...]
) -> None:
    of_floor = [module for module in graph() if is_in(module, floor) and not is_in(module, *without)]
    assert len(of_floor) > 5
    upward = [(module, other) for module in of_floor for other in imported(module) if is_in(other, *may_not)]
    assert upward == []


def test_cloudformation_is_read_in_one_room() -> None:
    """Its functions are named nowhere else but in comments."""
    named = re.compile(r"Fn::|[\"']Ref[\"']")
    scripts = Path(str(shielded_function.__file__)).parent.rglob("*.js")
    files = [*scripts, *(path for module, path in modules().items() if not is_in(module, f"{MONITORING}.cfn"))]
    lines = ((path, line) for path in files for line in path.read_text(encoding="utf-8").splitlines())
    assert [(path.name, line) for path, line in lines if named.search(re.sub("(#|//).*", "", line))] == []


@pytest.mark.parametrize(
    ("statement", "may_not"),
    [
        (POLICY, (*EXTRAS, "aws_cdk", "jsii", "constructs", "publicsuffixlist")),
        ("from shielded_function import *; import shielded_function.testing", EXTRAS),
    ],
)
def test_an_import_brings_nothing_of(statement: str, may_not: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statement], capture_output=True, text=True, check=True
    )
    loaded = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert "shielded_function.policy.shield_policy" in loaded
    assert [module for module in loaded if is_in(module, *may_not)] == []
