"""`shielded-function report`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.alert_lines import armed, at, connect, folded, tmp
from integration.cli.running import command

pytestmark = pytest.mark.promise("cli.logs")

LOG = [armed(at(20)), *[connect("api.stripe.com", time=at(20))] * 3, tmp("/tmp/</script>\x1b[2J", at(21))]


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
