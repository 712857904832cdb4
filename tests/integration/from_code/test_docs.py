"""The examples of docs/guide/migrating-from-functionshield.md are enforced, and change what the page says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.running import PYTHON, alerts, prepare_tmp
from integration.from_code.conftest import HERE, events
from integration.from_code.test_java import COMPILERS, JAVAS, compile_java, java_mounts, needs_compiler
from integration.from_code.test_node import NODES, WITHOUT_RINGS
from shielded_function_emulator.sandbox import Completed, Sandbox

pytestmark = pytest.mark.promise("package.docs")

PAGE = HERE.parents[2] / "docs" / "guide" / "migrating-from-functionshield.md"
# Each tries to write into /tmp, after the example was loaded as Lambda loads it.
AFTERWARDS = {
    "main.py": "import app\ntry: open('/tmp/x', 'w')\nexcept PermissionError: print('denied', app.handler({}, None))\n",
    "main.js": """
const app = require("./app.js");
try { require("fs").writeFileSync("/tmp/x", "x"); }
catch (error) { app.handler().then((done) => console.log(error.code === "EACCES" ? "denied" : error, done)); }
""",
    "Main.java": """
import java.nio.file.*;
import java.util.Map;
class Main {
    public static void main(String[] arguments) throws Exception {
        Handler handler = new Handler();
        try { Files.writeString(Path.of("/tmp/x"), "x"); }
        catch (AccessDeniedException e) { System.out.println("denied " + handler.handleRequest(Map.of())); }
    }
}
""",
}


def examples(language: str) -> tuple[str, str]:
    before, after = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return before, after


@pytest.fixture(scope="module")
def docs_box(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    task = tmp_path_factory.mktemp("docs") / "code"
    task.mkdir()
    (task / "app.py").write_text(examples("python")[1])
    (task / "app.js").write_text(examples("javascript")[1])
    for name, content in AFTERWARDS.items():
        (task / name).write_text(content)
    shutil.copy(HERE / "inside" / "without_rings.py", task)
    if COMPILERS:
        (task / "Handler.java").write_text(examples("java")[1])
        jar = layer / "java" / "lib" / "shielded-function.jar"
        compile_java(task / "Main.java", task, "-cp", f"{jar}:{task}", "-sourcepath", str(task), "--release", "11")
    for path in [*task.rglob("*"), task, *task.parents[:3]]:
        path.chmod(0o755)
    mounts = {"/var/lang-node": NODES["wheel"].parents[1], **java_mounts()}
    with Sandbox(task=task, layers=layer, mounts=mounts, filtered=False) as sandbox:
        if not sandbox.isolation.whole:
            pytest.skip(f"needs a sandbox with a network and /tmp of its own: {sandbox.isolation.note}")
        yield sandbox


def enforced(box: Sandbox, *command: str) -> Completed:
    prepare_tmp(box)
    environment = {"NODE_PATH": "/opt/nodejs/node_modules", "_HANDLER": "app.handler", "FUNCTION_SHIELD_TOKEN": "x"}
    done = box.run_command(command, environment=environment)
    assert (done.returncode, done.stdout) == (0, "denied done\n"), done.stderr
    assert events(done) == ["armed"]
    assert [line["policy"] for line in alerts(done)][:1] == ["read_write_tmp"]
    return done


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        ("python", "import function_shield", "import shielded_function_runtime as function_shield"),
        ("javascript", 'require("@puresec/function-shield")', 'require("shielded-function")'),
    ],
)
def test_only_the_import_changes(language: str, before: str, after: str) -> None:
    old, new = examples(language)
    assert before in old
    assert old.replace(before, after) == new


def test_python(docs_box: Sandbox) -> None:
    enforced(docs_box, PYTHON, "/var/task/main.py")


def test_node(docs_box: Sandbox) -> None:
    enforced(docs_box, *WITHOUT_RINGS, "/var/lang-node/bin/node", "/var/task/main.js")


@needs_compiler
def test_java(docs_box: Sandbox) -> None:
    enforced(
        docs_box,
        f"/var/{next(iter(JAVAS))}/bin/java",
        "-XX:-UsePerfData",
        "-cp",
        "/var/task:/opt/java/lib/shielded-function.jar",
        "Main",
    )
