"""The functions of one synthesized app: for each version of Node.js one in each mode, and one for each other layout."""

from __future__ import annotations

import functools
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import aws_lambda as lambda_

from harness.compiling import compile_c
from harness.engine import layer
from harness.thinning import long_but
from runtimes.attempts import BLOCK, MODES, UNSHIELDED, Attempt
from runtimes.functions import AUTHORITY, STACK, Described, Run, attempt_all, policy_of, synthesize
from runtimes.node.table import ATTEMPTS
from shielded_function_emulator.cloud_assembly import CloudAssembly
from shielded_function_emulator.languages import find, node
from shielded_function_runtime.build.native import build

PROMISE = "runtime.node"

__all__ = ["layer"]

HERE = Path(__file__).parent
LINES = (20, 22, 24, 26)
NEWEST = 24  # the one that is tried in full: 26 is a preview in Lambda
RUNTIMES = {each.name: each for each in node.RUNTIMES}
# Of the tests that ask for a version by its name `make test` has the newest alone.
EACH_NODE = pytest.mark.parametrize("name", long_but({"nodejs24.x"}, RUNTIMES), indirect=True, scope="module")
MAIN = "module"
COMMONJS = "commonjs"
# Layout: its handler. The first is an ES module with a source map, as bundlers make it.
LAYOUTS = {MAIN: "index.handler", COMMONJS: "index.handler", "folder": "src/app.handler"}
_IN_TMP = {"there.mjs": b"export default 'content';\n", "there.cjs": b"module.exports = 'content';\n"}


def attempts_of(line: int, layout: str, sections: tuple[str, ...] = ()) -> list[Attempt]:
    """The attempts that a version of Node.js can make from a handler of that layout; of all sections, or of some."""
    made = [a for a in ATTEMPTS if not sections or a.section in sections]
    return [a for a in made if a.since <= line and (layout == COMMONJS or a.module_since <= line)]


@pytest.fixture(scope="module", params=RUNTIMES)
def name(request: pytest.FixtureRequest) -> str:
    if reason := RUNTIMES[request.param].missing():
        pytest.skip(reason)
    return request.param


@pytest.fixture(scope="session")
def codes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The code of each layout: the attempts, a native add-on, and the handler."""
    if reason := node.RUNTIMES[0].missing():
        pytest.skip(reason)
    include = node.RUNTIMES[0].mounts()["/var/lang/bin/node"].parents[1] / "include" / "node"
    folder = tmp_path_factory.mktemp("node")
    addon = compile_c([HERE / "c" / "native.c"], folder / "native.node", "-shared", "-fPIC", f"-I{include}")
    codes: dict[str, Path] = {}
    for layout in LAYOUTS:
        codes[layout] = code = folder / layout
        ignored = shutil.ignore_patterns("index.*") if layout != MAIN else None
        shutil.copytree(HERE / "handler", code, ignore=ignored)
        if layout != MAIN:
            shutil.copytree(HERE / "layouts" / layout, code, dirs_exist_ok=True)
        shutil.copy(addon, code)
    return codes


@pytest.fixture(scope="session")
def assembly(codes: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> CloudAssembly:
    build([f"layer/{platform.machine()}"])
    described: list[Described] = []
    for line in LINES:
        runtime = lambda_.Runtime(f"nodejs{line}.x", lambda_.RuntimeFamily.NODEJS)
        for layout, handler in LAYOUTS.items():
            for mode in MODES if layout == MAIN else (UNSHIELDED, BLOCK):
                id = f"node{line}-{layout}-{mode}"
                described.append(Described(id, runtime, handler, codes[layout], policy_of(mode)))
    return synthesize(tmp_path_factory.mktemp("assembly") / "cdk.out", described)


Runs = Callable[..., Run]


@pytest.fixture(scope="session")
def runs(assembly: CloudAssembly, codes: dict[str, Path]) -> Runs:
    """`runs(line, mode, layout, sections, environment)`: a function's run, made once. Skips where it cannot be had."""
    files = {**_IN_TMP, "native.node": (codes[MAIN] / "native.node").read_bytes()}

    @functools.cache
    def run(
        line: int,
        mode: str,
        layout: str = MAIN,
        sections: tuple[str, ...] = (),
        environment: tuple[tuple[str, str], ...] = (),
    ) -> Run:
        if reason := find(f"nodejs{line}.x").missing():
            pytest.skip(reason)
        package = assembly.function(STACK, f"node{line}-{layout}-{mode}")
        variables = {"NODE_EXTRA_CA_CERTS": AUTHORITY, **dict(environment)}
        return attempt_all(package, attempts_of(line, layout, sections), environment=variables, in_tmp=files)

    return run
