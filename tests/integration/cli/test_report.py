"""`shielded-function report`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.alert_lines import armed, at, connect, folded, tmp
from integration.cli.running import command

pytestmark = pytest.mark.promise("cli.logs")

LOG = [armed(at(20)), *[connect("api.stripe.com", time=at(20))] * 3, tmp("/tmp/</script>\x1b[2J", at(21))]


def test_a_page_and_what_is_new(log: Callable[..., Path], tmp_path: Path) -> None:
    file = log("START", *LOG)
    done = command("report", file, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "shield-report.html\n"), done.stderr
    page = (tmp_path / "shield-report.html").read_text(encoding="utf-8")
    assert page.count("<script>") == 1
    assert "/tmp/&lt;/script&gt;\\x1b[2J" in page
    assert command("report", file, "--json", "--output", "before.json", cwd=tmp_path).returncode == 0
    file = log(*LOG, folded("read_write_tmp", 18, at(22)), connect("new.example", time=at(22)))
    done = command("report", file, "--json", "--previous", "before.json", cwd=tmp_path)
    assert done.returncode == 3, "what 18 of them were about is not known"
    told = json.loads(done.stdout)
    assert told["previous"] == json.loads((tmp_path / "before.json").read_text())["made"]
    assert [each["target"] for each in told["groups"] if each["is_new"]] == ["new.example:443"]
    assert "\x1b" not in done.stdout
