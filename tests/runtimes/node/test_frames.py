"""The walk over JavaScript's frames, without the engine around it: what it sees is what V8 says, and it does no harm,
at whatever moment, whatever it finds. In each version of Node.js that Lambda has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.compiling import EFFORT
from harness.running import whole_sandbox
from runtimes.node.walking import walk, write_walk
from shielded_function_emulator.languages import node
from shielded_function_emulator.sandbox import Sandbox

RUNTIMES = {each.name: each for each in node.RUNTIMES}
OLDEST = "nodejs20.x"
"""What Sparkplug compiled for it has no lines."""
NODE = "/var/lang/bin/node"


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := node.RUNTIMES[0].missing():
        pytest.skip(reason)
    include = node.RUNTIMES[0].mounts()["/var/lang"] / "include"
    return write_walk(tmp_path_factory.mktemp("frames") / "code", include)


@pytest.fixture(scope="module", params=RUNTIMES)
def box(request: pytest.FixtureRequest, layer: Path, code: Path) -> Iterator[Sandbox]:
    runtime = RUNTIMES[request.param]
    if reason := runtime.missing():
        pytest.skip(reason)
    with whole_sandbox(code, layer, runtime=runtime) as sandbox:
        yield sandbox


@pytest.mark.parametrize("option", ["--jitless", "--no-always-sparkplug", "--always-sparkplug"])
def test_whole_stacks_are_as_v8_says(box: Sandbox, option: str) -> None:
    """Fails as well where a version that Lambda has gives no answer."""
    said = walk(box, NODE, "compare", 10 * EFFORT, options=[option, "--no-opt", "--no-maglev"])
    assert said["looks"] > 300, said
    assert said["frames"] > 2 * said["looks"]
    assert said["wrong"] == 0, said["first"]
    assert said["whole"] == said["looks"], said["cut"]
    has_lines = option == "--jitless" or box.runtime.name != OLDEST
    assert said["lineless"] == 0 if has_lines else said["lineless"] > 0, said


def test_what_v8_optimised_is_a_part_of_what_it_says(box: Sandbox) -> None:
    said = walk(box, NODE, "compare", 300 * EFFORT)
    assert said["wrong"] == 0, said["first"]
    assert said["whole"] > said["looks"] / 10, said
    assert said["lineless"] > 0


@pytest.mark.race
def test_any_moment_of_v8_does_no_harm(box: Sandbox) -> None:
    said = walk(box, NODE, "interrupt", EFFORT)
    assert said["looks"] > 20 * EFFORT, said
    assert said["frames"] > said["looks"] / 2, "some threads run no JavaScript"


def test_broken_memory_of_v8_costs_a_moment_at_most(box: Sandbox) -> None:
    said = walk(box, NODE, "broken", 1, options=["--single-threaded"])
    assert said["tried"] > 1000, said
    assert said["longest"] < 100e6, "nanoseconds of processor time"
    assert said["after"] == "broken"
