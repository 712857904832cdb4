"""Which files a handler's setting stands for: each language's runtime client has its own way to read it."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from harness.running import SHIELD, last_line, policy, run_inside
from shielded_function_emulator.sandbox import Sandbox

pytestmark = pytest.mark.promise("handler.closed")

# How the clients read a setting: Python's the last dot (bootstrap.py), Node.js' the first dot of the file's name
# (FUNCTION_EXPR, and first of all without an ending), Ruby's the first dot, Java's a class, with or without a method,
# .NET's an assembly, with or without its ending or a type and a method.
SETTINGS = {
    "app.handler": ["app.py"],
    "package/app.handler": ["package/app.py"],
    "package.app.handler": ["package/app.py"],
    "bundle.handler": ["bundle/__init__.py"],
    "index.handler": ["index.mjs", "index.mjs.map"],
    "index.api.orders.handler": ["index.mjs", "index.mjs.map"],
    "dist.v1/index.api.handler": ["dist.v1/index.js"],
    "bare.handler": ["bare"],
    "folder.api.handler": ["folder/index.js"],
    "function.Functions::Orders.process": ["function.rb"],
    "example.Handler::handle": ["example/Handler.class"],
    "example.Handler": ["example/Handler.class"],
    "example.Outer$Handler": ["example/Outer$Handler.class"],
    "Shop.Orders::Shop.Orders.Function::Handle": ["Shop.Orders.dll"],
    "Shop.Orders.dll": ["Shop.Orders.dll"],
    "Shop.Orders": ["Shop.Orders.dll"],
}
# What they do not stand for: neighbours that a function may load at any time.
NEIGHBOURS = (
    *("package/__init__.py", "package/app/handler.py", "index/api.js", "other.py", "node_modules/tracing/index.js"),
    *("Shop.Orders.pdb", "Shop.dll"),
)
FILES = sorted({name for names in (*SETTINGS.values(), NEIGHBOURS) for name in names})


def fill_task(task: Path) -> None:
    for name in FILES:
        (task / name).parent.mkdir(parents=True, exist_ok=True)
        (task / name).write_text("source")


def closed(box: Sandbox, setting: str) -> tuple[list[str], int]:
    """Which files are refused once the function is ready, and how many the `armed` line counts."""
    environment = policy(read_handler="block") | {"_HANDLER": setting, "FILES": json.dumps(FILES)}
    done = run_inside(box, "behaviour", "files_are_read_when_ready", settings=environment)
    refused = [name for name, error in last_line(done).items() if error == errno.EACCES]
    return refused, done.shield_lines[0]["handler_files"]


@pytest.mark.promise("handler.files")
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_files_of_a_setting(box: Sandbox, setting: str) -> None:
    assert closed(box, setting) == (SETTINGS[setting], len(SETTINGS[setting]))


def test_a_handler_that_is_elsewhere(box: Sandbox) -> None:
    """Not stopped: a module that Node.js finds in node_modules, or one of a layer. That no file was found is said."""
    assert closed(box, "tracing.handler") == ([], 0)


def test_bytecode_in_an_unlistable_folder_lets_nothing_start(box: Sandbox, task: Path) -> None:
    """Its files can be opened all the same, by names that are easily guessed."""
    (task / "hidden").mkdir()
    (task / "hidden/__pycache__").mkdir(mode=0o311)
    environment = policy(read_handler="block") | {"_HANDLER": "hidden/app.handler"}
    done = box.run_command([SHIELD, "/bin/true"], environment=environment)
    assert (done.returncode, done.stdout) == (78, ""), done.stderr
    assert done.shield_lines[0]["reason"].endswith("or a folder that cannot be read")
    (task / "hidden/__pycache__").chmod(0)  # nor can they be opened: it is nobody's concern
    assert box.run_command([SHIELD, "/bin/true"], environment=environment).returncode == 0
