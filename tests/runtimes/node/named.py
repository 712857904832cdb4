"""The ways in which `callers/app.js` makes forbidden calls, and which JavaScript their alerts are to name."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.running import SHIELD, policy
from shielded_function_emulator.sandbox import Completed, Sandbox, shield_lines

TASK = Path(__file__).parent / "callers"
FOLDER = {"LAMBDA_TASK_ROOT": "/var/task"}
WATCHED = policy(read_write_tmp="alert", outbound_connectivity="block", create_child_process="block") | FOLDER


class Caller(NamedTuple):
    """What an alert says of its caller. `line`: what stands in the line; it is the first one behind `after`."""

    function: str
    file: str
    line: str
    through: tuple[str, ...]
    after: str = ""


def own(function: str, way: str = "", line: str = "fs.readFileSync(FILE)") -> Caller:
    return Caller(function, "app.js", line, ("app",), f"{way or function}(")


def read(*through: str) -> Caller:
    return Caller("read", "node_modules/reader/lib/read.js", "readFileSync(", ("reader", *through))


def started(function: str, line: str) -> Caller:
    return Caller(function, "node_modules/starter/index.js", line, ("starter", "app"))


UNUSUAL = "node_modules/@acme/ünusual"
# Names that not every file system has: what is committed has others.
RENAMED = {f"{UNUSUAL}/名前 1.mjs": "read.mjs", UNUSUAL: "unusual"}
# What is called: the callers of the alerts, in their order. None: nobody is named.
WAYS: Mapping[str, list[Caller | None]] = {
    "by_itself": [own("by_itself")],
    "through_packages": [read("@acme/opener", "app")],
    "when_required": [Caller("", "node_modules/loud/index.js", "readFileSync(", ("loud", "app"))],
    "after_await": [read("app")],
    "in_an_es_module": [Caller("peek", "node_modules/modern/index.mjs", "=> readFileSync(", ("modern", "app"))],
    "when_imported": [Caller("", "node_modules/modern/loud.mjs", "readFileSync('", ("modern",))],
    "under_foreign_names": [
        Caller("lés", f"{UNUSUAL}/index.js", "fs.readFileSync(", ("@acme/ünusual", "app")),
    ],
    "under_foreign_names_of_a_url": [
        Caller("lesen", f"{UNUSUAL}/名前 1.mjs", "fs.readFileSync(", ("@acme/ünusual", "app")),
    ],
    "in_a_constructor": [own("Account", "constructor", "fs.readFileSync(name)")],
    "in_a_getter": [own("get balance", "get balance")],
    "in_a_callback_of_a_builtin": [own("readOne", "function readOne", "fs.readFileSync(name)")],
    "in_a_method_after_await": [own("load", "async load")],
    "in_a_generator": [own("rows", "*rows")],
    "in_a_callback_of_json": [own("revive", "function revive")] * 2,
    "in_a_proxy": [own("get", "in_a_proxy")],
    "by_eval": [own("by_eval", line="eval(")],
    "in_a_script_of_vm": [Caller("", "app.js", "vm.runInThisContext(", ("app", "made"), "in_a_script_of_vm(")],
    "at_the_end_of_a_deep_stack": [Caller("deep", "app.js", "fs.readFileSync(FILE)", ("app",), "function deep(")],
    "at_the_end_of_a_very_deep_stack": [read("app")],
    "in_a_timer": [own("ring", "function ring")],
    "in_a_worker": [read("worker")],
    "in_a_worker_of_no_file": [read()],
    "on_the_pool": [None, None],
    "by_dns": [own("by_dns", line="resolver.resolve4(")],
    "by_a_socket": [None],
    "by_spawn": [started("spawn", "childProcess.spawn(")],
    "by_exec": [started("exports.exec", "childProcess.exec(")],
    "by_exec_file": [started("execFile", "childProcess.execFile(")],
    "by_fork": [started("fork", "childProcess.fork(")],
    "by_spawn_sync": [own("by_spawn_sync", line="childProcess.spawnSync(")],
    "by_exec_sync": [Caller("", "app.js", "childProcess.execSync(", ("app",))],
    "by_spawn_after_await": [own("by_spawn_after_await", line="childProcess.spawn(")],
    "by_spawn_in_a_worker": [
        Caller("work", "worker.js", "spawnSync(", ("worker",)),
    ],
}
MANY, HOT, FALSE = "by_spawn_of_many_at_once", "in_hot_code", "under_a_false_name"


def copy_task(to: Path) -> Path:
    shutil.copytree(TASK, to, dirs_exist_ok=True)
    for name, committed in reversed(RENAMED.items()):
        (to / name).with_name(committed).rename(to / name)
    return to


def committed(file: str) -> Path:
    for name, other in RENAMED.items():
        file = file.replace(name, str(Path(name).with_name(other)))
    return TASK / file


def run(box: Sandbox, *command: str, settings: Mapping[str, str] = WATCHED) -> Completed:
    done = box.run_command([SHIELD, *command], environment=settings, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def callers(lines: Sequence[str]) -> list[dict[str, Any]]:
    """Of each alert; without the shared object."""
    alerts = [line for line in shield_lines(lines) if "policy" in line]
    assert all("object" in alert["caller"] for alert in alerts)
    return [{name: value for name, value in a["caller"].items() if name != "object"} for a in alerts]


def named_by(box: Sandbox, *command: str) -> Mapping[str, list[dict[str, Any]]]:
    """Who is named for each way, all in one process."""
    ways = [*WAYS, MANY, HOT, FALSE]
    log = run(box, *command, "/var/task/app.js", *ways).stderr
    parts = [part.partition("\n") for part in log.split("--- ")[1:]]
    assert [way for way, _, _ in parts] == ways
    return {way: callers(log.splitlines()) for way, _, log in parts}


def line_of(caller: Caller) -> int:
    lines = committed(caller.file).read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines, 1) if caller.after in line) if caller.after else 0
    return next(number for number, line in enumerate(lines[start:], start + 1) if caller.line in line)


def as_written(caller: Caller | None) -> dict[str, Any]:
    if caller is None:
        return {}
    return ({"function": caller.function} if caller.function else {}) | {
        "file": f"/var/task/{caller.file}",
        "line": line_of(caller),
        "package": caller.through[0],
        "through": list(caller.through),
    }
