"""`shielded-function report` and `test-filter`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.alert_lines import armed, at, connect, folded, tmp
from integration.cli.running import command, says

pytestmark = pytest.mark.promise("cli.logs")

LOG = [armed(at(20)), connect("api.stripe.com", time=at(20), count=3), tmp("/tmp/</script>\x1b[2J", at(21))]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("START\n" + "\n".join(LOG) + "\n")
    return path


def test_a_page(log: Path, tmp_path: Path) -> None:
    done = command("report", log, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "shield-report.html\n"), done.stderr
    page = (tmp_path / "shield-report.html").read_text(encoding="utf-8")
    assert page.count("<script>") == 1
    assert "/tmp/&lt;/script&gt;\\x1b[2J" in page
    with log.open("a") as more:
        more.write(folded("read_write_tmp", 18, at(22)) + "\n")
    assert command("report", log, cwd=tmp_path).returncode == 3, "what they were about is not known"


def test_what_is_new(log: Path, tmp_path: Path) -> None:
    before, later = tmp_path / "before.json", tmp_path / "later.jsonl"
    assert command("report", log, "--json", "--output", before).returncode == 0
    later.write_text(log.read_text() + connect("new.example", time=at(22)) + "\n")
    done = command("report", later, "--json", "--previous", before)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["previous"] == json.loads(before.read_text())["made"]
    assert [each["target"] for each in told["groups"] if each["is_new"]] == ["new.example:443"]
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--previous", "nowhere.json"), "--previous nowhere.json cannot be read: No such file or directory"),
        (("--previous", "odd.json"), "--previous odd.json: `report --json` did not write it"),
        (("--output", "x/y.html"), "x/y.html cannot be written: No such file or directory"),
    ],
)
def test_what_is_wrong_is_said(log: Path, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "odd.json").write_text("{}")
    assert says(command("report", log, *arguments, cwd=tmp_path)) == said


PATTERN = '{ ($.function_shield IS TRUE) && ($.policy = "outbound_*") }'


def test_which_lines_match_and_why_not(log: Path) -> None:
    done = command("test-filter", PATTERN, log, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["lines"], told["matched"]) == (4, 1)
    assert [(each["line"], each["matches"], each["why_not"]) for each in told["shown"]] == [
        (1, False, ["the line is no JSON: a JSON pattern matches none of it"]),
        (2, False, ['$.policy = "outbound_*" does not hold: there is no $.policy']),
        (3, True, []),
        (4, False, ['$.policy = "outbound_*" does not hold: it is "read_write_tmp"']),
    ]
    assert told["blamed"]['$.policy = "outbound_*"'] == 2


def test_a_table(log: Path) -> None:
    done = command("test-filter", "{ $.policy = * }", "-", stdin=log.read_text())
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "2 of 4 lines of stdin match" in done.stdout
    done = command("test-filter", '{ $.policy = "start" }', log, "--limit", "1")
    assert (done.returncode, "the first 1 lines are shown" in done.stdout) == (1, True), "none matches"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("ERROR", "filter pattern, character 1: expected {, found ERROR"),
        ("{ $.a = %x% }", "filter pattern"),
        ("{ $.a }", "expected an operator"),
    ],
)
def test_a_pattern_that_is_not_read(log: Path, pattern: str, said: str) -> None:
    assert said in says(command("test-filter", pattern, log))
