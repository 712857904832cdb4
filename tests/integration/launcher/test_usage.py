"""The commands that only print: usage, version, check."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import lief
import pytest

from integration.launcher.support import POLICY, Installed
from shielded_function_runtime import core
from shielded_function_runtime.build import native

pytestmark = pytest.mark.promise("start.doctor")

_TABLE = (native.NATIVE / "core" / "setting_table.c").read_text().partition(" SETTINGS[] = {")[2].partition("};")[0]
SETTINGS = re.findall(r"\(\"(\w+)\"", _TABLE)


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), (["-h"], 0), ([], 64)])
def test_help(installed: Installed, arguments: list[str], status: int) -> None:
    done = installed.run(arguments, {})
    said, nothing = (done.stderr, done.stdout) if status else (done.stdout, done.stderr)
    assert (done.returncode, nothing) == (status, "")
    assert said.startswith("usage: shield PROGRAM")


@pytest.mark.parametrize("arguments", [["--verbose"], ["check", "--json"], ["doctor", "x"], ["doctor", "--program"]])
def test_unknown_arguments(installed: Installed, arguments: list[str]) -> None:
    done = installed.run(arguments, POLICY)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith(f"shield: unknown argument: {arguments[-1]}\nusage:")


def test_version(installed: Installed) -> None:
    project = (native.NATIVE.parent.parent / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.+)"$', project, re.M)
    assert version
    assert installed.run(["--version"], {}).stdout == f"shield {version[1]}\n"


def test_full_disk_is_not_success(installed: Installed) -> None:
    with open("/dev/full", "wb") as full:
        for command in (["--help"], ["--version"], ["check"]):
            done = subprocess.run([installed.program, *command], env=POLICY, stdout=full, check=False)
            assert done.returncode == 1, command


def test_check_says_the_value_of_each_setting(installed: Installed, tmp_path: Path) -> None:
    """It joins the lists of the environment and the file, and its lines are a policy file."""
    file = tmp_path / "policy"
    hosts = [f"host-{i}.example:443" for i in range(512)]
    file.write_text(f"SHIELD_ALLOW_OUTBOUND={','.join(hosts)}\nSHIELD_ALLOW_TMP=/tmp/a\nSHIELD_READ_HANDLER=alert\n")
    both = {"SHIELD_POLICY_FILE": str(file), "SHIELD_ALLOW_OUTBOUND": ",".join(hosts[:2]), "AWS_REGION": "eu-west-1"}
    done = installed.run(["check"], both)
    assert (done.returncode, done.stderr) == (0, "")
    lines = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert [name.removeprefix("# ") for name in lines] == SETTINGS
    assert lines["SHIELD_ALLOW_OUTBOUND"] == ",".join(hosts)
    assert (lines["SHIELD_ALLOW_TMP"], lines["SHIELD_READ_HANDLER"]) == ("/tmp/a", "alert")
    assert (lines["# SHIELD_READ_WRITE_TMP"], lines["# SHIELD_CLEAR_TMP"]) == ("block", "off")
    given = [line for line in done.stdout.splitlines(keepends=True) if not line.startswith("# ")]
    assert core.parse(done.stdout).lines() == "".join(given)
    done = installed.run(["check"], {**both, "SHIELD_READ_HANDLER": "alert"})
    assert done.returncode == 78
    assert "line 3: SHIELD_READ_HANDLER: given twice; leave one of them out" in done.stderr


@pytest.mark.parametrize(
    ("environment", "part"),
    [
        ({}, "there is no policy"),
        # check is asked about the policy, not about what to do when it is wrong.
        ({"SHIELD_READ_WRITE_TMP": "deny", "SHIELD_ON_FAILURE": "run_unshielded"}, '_TMP: "deny" is not a mode'),
        ({"SHIELD_POLICY_FILE": "/no/such/file"}, "/no/such/file"),
    ],
)
def test_check_names_the_mistake(installed: Installed, environment: dict[str, str], part: str) -> None:
    done = installed.run(["check"], environment)
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith("shield: ")
    assert done.stderr.count("\n") == 1
    assert part in done.stderr


def test_the_program_is_static_and_small(compiled: Callable[[str], Path]) -> None:
    for machine in native.ARCHITECTURES:
        binary = lief.parse(compiled(machine))
        assert isinstance(binary, lief.ELF.Binary)
        assert not binary.has_interpreter
        assert not list(binary.libraries)
        assert compiled(machine).stat().st_size < 160 * 1024
        assert compiled(machine).stat().st_mode & 0o777 == 0o755
