"""The examples of docs/guide/migrating-from-functionshield.md are enforced, and change what the page says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engine import INSIDE
from harness.running import PYTHON, alerts, prepare_tmp, whole_sandbox
from integration.from_code.conftest import HERE, events
from integration.from_code.test_java import COMPILERS, JAVA, compile_java, java_mounts, needs_compiler
from integration.from_code.test_node import NODES, WITHOUT_RINGS
from shielded_function_emulator.sandbox import Sandbox

pytestmark = pytest.mark.promise("package.docs")

JAR = "/opt/java/lib/shielded-function.jar"
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
    shutil.copy(INSIDE / "filtering.py", task)
    if COMPILERS:
        (task / "Handler.java").write_text(examples("java")[1])
        jar = layer / "java" / "lib" / "shielded-function.jar"
        compile_java(task / "Main.java", task, "-cp", f"{jar}:{task}", "-sourcepath", str(task), "--release", "11")
    mounts = {"/var/lang-node": NODES["wheel"].parents[1], **java_mounts()}
    with whole_sandbox(task, layer, mounts=mounts, filtered=False) as sandbox:
        yield sandbox


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


COMMANDS = {
    "python": [PYTHON, "/var/task/main.py"],
    "node": [*WITHOUT_RINGS, "/var/lang-node/bin/node", "/var/task/main.js"],
    "java": [f"/var/{JAVA}/bin/java", "-XX:-UsePerfData", "-cp", f"/var/task:{JAR}", "Main"],
}


@pytest.mark.parametrize("language", ["python", "node", pytest.param("java", marks=needs_compiler)])
def test_the_example_is_enforced(docs_box: Sandbox, language: str) -> None:
    prepare_tmp(docs_box)
    environment = {"NODE_PATH": "/opt/nodejs/node_modules", "_HANDLER": "app.handler", "FUNCTION_SHIELD_TOKEN": "x"}
    done = docs_box.run_command(COMMANDS[language], environment=environment)
    assert (done.returncode, done.stdout) == (0, "denied done\n"), done.stderr
    assert events(done) == ["armed"]
    assert [line["policy"] for line in alerts(done)][:1] == ["read_write_tmp"]
