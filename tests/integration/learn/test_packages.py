"""A lock of which package wants what: from a function in the emulated Lambda, before and after a dependency's bump.

`docs/guide/outbound.md` has what this shows.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.thinning import long_but
from integration.cli.running import command
from integration.docs.pages import ROOT, read_page
from runtimes.functions import STACK, Described, synthesize
from shielded_function.policy import ShieldPolicy
from shielded_function_emulator.sandbox import shield_lines

from .test_roll_out import LANGUAGES

pytestmark = pytest.mark.promise("cli.lock")

PAGE = ROOT / "docs" / "guide" / "outbound.md"
APP = """
import rates

def handler(event, context):
    return rates.fetch()
"""
CLIENT = """
import contextlib
import socket

def ask(host):
    with contextlib.suppress(OSError):
        socket.create_connection((host, 443), 2).close()
"""
FIRST = """
import client

def fetch():
    client.ask("rates.example")
    return 1
"""
SECOND = FIRST.replace("    return 1", '    client.ask("telemetry.example")\n    return 2')
PACKAGES = {name: {"allow_outbound": ["rates.example:443"]} for name in ("app", "client", "rates")}


def log_of(folder: Path, rates: str, policy: ShieldPolicy | None = None, status: int = 3) -> Path:
    """The log of one invocation with a version of the package."""
    code, log = folder / "code", folder / "run.log"
    code.mkdir(parents=True)
    for name, text in {"app": APP, "client": CLIENT, "rates": rates}.items():
        (code / f"{name}.py").write_text(text)
    runtime, handler = LANGUAGES["python"]
    described = Described("Shop", runtime, handler, code, policy or ShieldPolicy.report_only())
    synthesize(folder / "cdk.out", [described])
    done = command("run", folder / "cdk.out", f"{STACK}/Shop", "--log", log)
    assert done.returncode == status, done.stdout + done.stderr
    return log


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("bump")
    return log_of(folder / "1", FIRST), log_of(folder / "2", SECOND)


def check(lock: Path, *logs: Path) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """What is printed for people, and the JSON."""
    told = command("learn", "--check", "--lock", lock, *logs, environment={"COLUMNS": "80"})
    parsed = command("learn", "--check", "--lock", lock, *logs, "--json")
    assert told.returncode == parsed.returncode, parsed.stderr
    assert max(map(len, told.stdout.splitlines()), default=0) <= 80
    return told, json.loads(parsed.stdout) if parsed.stdout else {}


def test_a_bump_that_adds_a_host(logs: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = logs
    lock, again = tmp_path / "shield.lock.json", tmp_path / "again.json"
    for path in (lock, again):
        assert command("learn", first, "--lock", path).returncode == 0
    assert lock.read_bytes() == again.read_bytes()
    locked = json.loads(lock.read_text())
    assert (locked["format"], locked["version"]) == ("shielded-function lock", 1)
    [(function, found)] = locked["functions"].items()
    assert found["packages"] == PACKAGES
    assert found["policy"]["allow_outbound"] == ["rates.example:443 by client>rates>app"]
    assert ShieldPolicy.from_dict(found["policy"]).decide("connect", "rates.example:443").allowed

    told, parsed = check(lock, first)
    assert (told.returncode, parsed["lacks"], parsed["wants"]) == (0, False, [])
    assert "the lock has every target of each package" in told.stdout

    told, parsed = check(lock, second)
    assert told.returncode == 1
    wanted = {"field": "allow_outbound", "target": "telemetry.example:443", "count": 1}
    assert parsed["wants"] == [{"function": function, "packages": ["client", "rates", "app"], **wanted}]
    written, shown = (block.text for block in read_page(PAGE).blocks if block.elsewhere)
    assert json.loads(written)["functions"] == {"checkout": found}
    assert told.stdout.replace(function, "checkout").split() == shown.split()

    assert command("learn", second, "--lock", lock).returncode == 0
    assert check(lock, first, second)[0].returncode == 0


def test_a_package_that_wants_what_another_had(logs: tuple[Path, Path], tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    assert command("learn", logs[0], "--lock", lock).returncode == 0
    locked = json.loads(lock.read_text())
    [found] = locked["functions"].values()
    del found["packages"]["rates"]
    lock.write_text(json.dumps(locked))
    assert [want["packages"] for want in check(lock, logs[0])[1]["wants"]] == [["rates"]]
    for options, entry in (([], "rates.example:443"), (["--packages"], "rates.example:443 by client>rates>app")):
        policy = tmp_path / "policy.toml"
        assert command("learn", logs[0], "-o", policy, *options).returncode == 0
        assert ShieldPolicy.from_file(policy).allow_outbound == (entry,), "packages where they are asked for"
        assert command("learn", logs[0], "--check", "--policy", policy).returncode == 0


@pytest.mark.promise("alert.packages")
@pytest.mark.parametrize(
    ("packages", "reported"),
    long_but({("app", 0), ("other", 1)}, [("client>rates", 0), ("rates>client", 1), ("app", 0), ("other", 1)]),
)
def test_under_lambdas_own_client(tmp_path: Path, packages: str, reported: int) -> None:
    policy = ShieldPolicy(allow_outbound=[f"rates.example:443 by {packages}"])
    log = log_of(tmp_path, FIRST, policy, 3 if reported else 0)
    lines = [line for line in shield_lines(log.read_text().splitlines()) if "event" not in line]
    assert [(line["reason"], line["details"]["host"]) for line in lines] == [("package", "rates.example")] * reported


NO_LOCK: list[tuple[Any, str]] = [
    ({"version": 2}, "version: 2 is not 1, which this release reads: write it anew with `learn --lock`"),
    ({"format": "x"}, "format: it is not 'shielded-function lock': write it anew"),
    ({"functions": {"f": {"packages": {}}}}, "functions.f.policy: it is missing: write it anew"),
    (
        {"functions": {"f": {"policy": {}, "packages": {"p": {"allow_tmp": "/tmp/x"}}}}},
        "functions.f.packages.p.allow_tmp: '/tmp/x' is not a list of texts: write it anew",
    ),
    ("[" * 5000 + "]" * 5000, "it is not JSON (maximum recursion depth exceeded"),
    ("", "it is not JSON (Expecting value: line 1 column 1 (char 0)): write it anew"),
]


def test_a_file_that_is_no_lock(logs: tuple[Path, Path], tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    right = {"format": "shielded-function lock", "version": 1, "functions": {}}
    for changed, said in NO_LOCK:
        lock.write_text(changed if isinstance(changed, str) else json.dumps(right | changed))
        done = command("learn", "--check", "--lock", lock, logs[0])
        assert done.returncode == 2
        assert f"--lock {lock}: {said}" in done.stderr
    missing = command("learn", "--check", "--lock", tmp_path / "missing", logs[0])
    assert (missing.returncode, "cannot be read: No such file" in missing.stderr) == (2, True)
