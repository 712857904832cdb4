"""The blocks of docs/guide/other-kinds.md that are no Python: servers that start through the shield, without events."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.engine import layer
from harness.running import PYTHON, whole_sandbox
from integration.docs.pages import ROOT, read_page
from integration.examples.image import build as build_image
from shielded_function import ShieldPolicy
from shielded_function_emulator.languages import find, python
from shielded_function_emulator.languages.runtime import Runtime
from shielded_function_emulator.sandbox import Completed

__all__ = ["layer"]

PAGE = read_page(ROOT / "docs" / "guide" / "other-kinds.md")
POLICY = ShieldPolicy(allow_outbound=["tcp://api.stripe.com:443"], allow_aws="none")
DENIED = {"tmp": "EACCES", "program": "EACCES", "outbound": "EACCES"}
LATE = """const { configure } = require("./shield/nodejs/node_modules/shielded-function");
configure({ policy: { read_write_tmp: "block" } });
require("./index.js");
"""
# What the shield has to do with a server is seen in any program: each attempt, and what came of it.
NODE = """\
const fs = require("fs"), net = require("net"), { execFileSync } = require("child_process");
const attempts = {
  tmp: () => fs.writeFileSync("/tmp/x", "1"),
  program: () => execFileSync("/bin/true"),
  outbound: () => new Promise((done, fail) => net.connect(9, "192.0.2.1").on("error", fail).on("connect", done)),
};
(async () => {
  for (const name in attempts) {
    try { await attempts[name](); console.log(name, "done"); } catch (error) { console.log(name, error.code); }
  }
})();
"""
PYTHON_PROGRAM = """\
import errno, socket, subprocess
ATTEMPTS = {
    "tmp": lambda: open("/tmp/x", "w"),
    "program": lambda: subprocess.run(["/bin/true"]),
    "outbound": lambda: socket.create_connection(("192.0.2.1", 9), 1),
}
for name, attempt in ATTEMPTS.items():
    try: attempt(); print(name, "done")
    except OSError as error: print(name, errno.errorcode.get(error.errno, repr(error)))
"""


def block(language: str) -> str:
    (found,) = [each.text for each in PAGE.blocks if each.language == language]
    return found


def run(task: Path, command: Sequence[str], runtime: Runtime, *, layers: Path) -> Completed:
    """A program, in a sandbox where it is at /var/task, and the layers' folder at /opt."""
    with whole_sandbox(task, layers, runtime=runtime) as sandbox:
        return sandbox.run_command(command, environment=POLICY.to_env())


@pytest.mark.parametrize("way", ["by the wrapper", "late"])
def test_a_web_function(way: str, layer: Path, tmp_path: Path) -> None:
    """Its entry point replaces the process. Loaded late, the shield finds Node.js's rings, and refuses."""
    node = find("nodejs24.x")
    if reason := node.missing():
        pytest.skip(reason)
    task, nothing = tmp_path / "task", tmp_path / "nothing"
    nothing.mkdir()
    shutil.copytree(layer, task / "shield")
    (task / "index.js").write_text(NODE)
    (task / "shielded.cjs").write_text(block("javascript") if way == "by the wrapper" else LATE)
    done = run(task, ["/var/lang/bin/node", "/var/task/shielded.cjs"], node, layers=nothing)
    if way == "late":
        assert done.returncode == 78
        assert "this process uses io_uring already" in done.stderr
        return
    check(done, ["shop-web"])


def test_a_microvm(layer: Path, tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(block("dockerfile"))
    (context / "server.py").write_text(PYTHON_PROGRAM)
    with zipfile.ZipFile(context / "layer.zip", "w") as archive:
        for file in sorted(path for path in layer.rglob("*") if path.is_file()):
            archive.write(file, file.relative_to(layer))
    image = build_image(context, tmp_path / "image")
    shield, interpreter, server = image.command
    assert (interpreter, server) == ("/usr/local/bin/python3", "/srv/server.py")
    task = image.root / "srv"  # the sandbox has no other folder for it
    check(run(task, [shield, PYTHON, "/var/task/server.py"], python.THIS, layers=image.root / "opt"), [])


def check(done: Completed, names: list[str]) -> None:
    assert done.returncode == 0, done.stderr
    assert dict(line.split() for line in done.stdout.splitlines()) == DENIED
    armed, *lines = done.shield_lines
    assert armed["event"] == "armed"
    assert {line.get("policy") for line in lines} >= {"read_write_tmp", "create_child_process", "outbound_connectivity"}
    assert [line["function"] for line in done.shield_lines if "function" in line][: len(names)] == names
