"""An entry of allow_outbound that names packages: which calls are reported, and which are not. Each goes through."""

from __future__ import annotations

import json
import shutil
import site
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.engine import INSIDE
from harness.extras import GEVENT
from harness.running import SHIELD, alerts_by_way, policy, whole_sandbox
from shielded_function_emulator.dns_server import DnsServer
from shielded_function_emulator.machine import is_emulated
from shielded_function_emulator.sandbox import Sandbox

pytestmark = pytest.mark.promise("alert.packages")

ENTRIES = (
    *("203.0.113.0/24 by payer", "pay.example by payer", "192.0.2.1 by aiohttp"),
    *("198.51.100.0/24", "198.51.100.7 by payer"),
)
SETTINGS = {"LAMBDA_TASK_ROOT": "/var/task", "_HANDLER": "app.handler", "SHIELD_ALLOW_OUTBOUND": ",".join(ENTRIES)}
LEAKED = ["dialler", "leaker", "app"]
# Way: the packages of the call that is reported; None: none is.
WAYS: Mapping[str, list[str] | None] = {
    "by_payer": None,
    "by_leaker": LEAKED,
    "by_itself": ["app"],
    "by_name": LEAKED,
    "where_another_entry_admits_it": None,
    # The chain ends at the thread's start: payer may have started it.
    "in_a_pool_of_payer": None,
    "only_the_standard_library_in_a_pool": None,
    "own_code_in_a_pool": LEAKED,
    "in_a_task_of_payer": None,
    "in_a_task_that_c_code_resumes": None,
    "in_an_awaitable_of_leaker": LEAKED,
    "in_coroutines_of_leaker": LEAKED,
    "datagrams_of_payer": None,
    "datagrams_of_leaker": LEAKED,
    "by_aiohttp": None,
    "by_aiohttp_for_others": ["aiohappyeyeballs", "aiohttp", "app"],
}
# Only where the function's own code is seen before the thread, the event loop or the greenlet begins: limits.md.
NOT_SEEN = (
    *("in_a_thread_of_leaker", "leaker_in_a_pool", "in_a_task_made_by_own_code", "leaker_under_a_false_name"),
    "in_a_coroutine_that_leaker_resumes",
)


@pytest.fixture(scope="module")
def box(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    if is_emulated():
        pytest.skip("aiohttp and gevent are there for this machine alone")
    ignored = shutil.ignore_patterns("__pycache__")
    folder = shutil.copytree(INSIDE / "callers", tmp_path_factory.mktemp("packages") / "code", ignore=ignored)
    extras = {"/var/extras/site-packages": Path(site.getsitepackages()[0])}
    extras |= {"/var/greenlets/site-packages": GEVENT.folder} if GEVENT.there else {}
    with whole_sandbox(folder, layer, mounts=extras) as sandbox:
        yield sandbox


def reported(box: Sandbox, *ways: str, mode: str = "block", **settings: str) -> dict[str, list[dict[str, Any]]]:
    """The alerts of each way, all in one process."""
    environment = policy(outbound_connectivity=mode) | SETTINGS | settings
    with DnsServer(box, {"pay.example": ["203.0.113.200"]}):
        done = box.run_command([SHIELD, box.runtime.interpreter, "/var/task/app.py", *ways], environment=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    found = alerts_by_way(done.stderr)
    assert list(found) == list(ways), done.stderr[-3000:]
    return found


@pytest.fixture(scope="module")
def told(box: Sandbox) -> dict[str, list[dict[str, Any]]]:
    return reported(box, *WAYS, *NOT_SEEN)


@pytest.mark.parametrize("way", [*WAYS, *NOT_SEEN])
def test_who_is_reported(told: Mapping[str, list[dict[str, Any]]], way: str) -> None:
    wanted = WAYS.get(way)
    assert [line["caller"]["through"] for line in told[way]] == ([] if wanted is None else [wanted])
    kinds = {(line["policy"], line["mode"], line["reason"], line["severity"], line["level"]) for line in told[way]}
    assert kinds <= {("outbound_connectivity", "alert", "package", "notice", "INFO")}


def test_the_line(told: Mapping[str, list[dict[str, Any]]]) -> None:
    [line] = told["by_name"]
    details = {"host": "pay.example", "ip": "203.0.113.200", "port": 9, "protocol": "tcp", "syscall": "connect"}
    assert line["details"] == details
    assert line["allow"] == "pay.example:9 by dialler>leaker>app"
    assert line["caller"]["file"] == "/var/task/dialler/client.py"


def test_what_is_repeated_is_a_notice_too(box: Sandbox) -> None:
    [line, again] = reported(box, "by_leaker_thrice")["by_leaker_thrice"]
    assert (line["count"], again["event"], again["count"]) == (1, "repeated", 2)
    for name in ("reason", "severity", "level", "details", "allow"):
        assert again[name] == line[name]


def test_the_modes(box: Sandbox) -> None:
    for mode, wanted in (("alert", [LEAKED]), ("allow", [])):
        found = reported(box, "by_leaker", mode=mode)["by_leaker"]
        assert [line["caller"]["through"] for line in found] == wanted
        assert {line["mode"] for line in found} <= {"alert"}


def test_the_entry_of_the_line_settles_it(box: Sandbox, told: Mapping[str, list[dict[str, Any]]]) -> None:
    entry = told["by_leaker"][0]["allow"].replace("203.0.113.67:9", "203.0.113.66:9")
    settings = {"SHIELD_ALLOW_OUTBOUND": f"203.0.113.0/24 by payer,{entry}"}
    assert reported(box, "by_leaker", **settings) == {"by_leaker": []}
    for by, lines in (("payer or leaker>app", 0), ("dialler>app", 1)):
        found = reported(box, "by_leaker", SHIELD_ALLOW_OUTBOUND=f"203.0.113.0/24 by {by}")["by_leaker"]
        assert len(found) == lines, by


def test_greenlets_are_cut_off(box: Sandbox) -> None:
    if reason := GEVENT.missing():
        pytest.skip(reason)
    path = "/var/greenlets/site-packages"
    assert reported(box, "in_greenlets", PYTHONPATH=path) == {"in_greenlets": []}


def test_where_the_handler_is_not_known_nothing_is_reported(box: Sandbox) -> None:
    assert json.dumps(reported(box, "by_leaker", _HANDLER="")) == '{"by_leaker": []}'
