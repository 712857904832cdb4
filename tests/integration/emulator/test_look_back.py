"""The end of `make demo`: the log of the function in alert mode becomes a report and a policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from shielded_function import ShieldPolicy
from shielded_function.cli import demo
from shielded_function.testing import alert_line


def test_a_report_to_open_and_the_policy_that_was_learnt(tmp_path: Path) -> None:
    log = tmp_path / "alert.log"
    details = {"host": "api.payments.example", "port": 443, "protocol": "tcp", "syscall": "connect"}
    line = alert_line("Checkout-Watched", "outbound_connectivity", "alert", details=details, time=1_800_000_000)
    log.write_text(f"START RequestId: 1\n{line}\n")
    said = demo._look_back(log)
    report, policy = tmp_path / "report.html", tmp_path / "learned.toml"
    assert said[:2] == [f"report: {report}", f"learned policy: {policy}"]
    assert "api.payments.example" in report.read_text()
    assert "".join(said).count("api.payments.example:443") == 1
    assert ShieldPolicy.from_file(policy).allow_outbound == ("api.payments.example:443",)


def test_what_fails_is_said_and_stops_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert demo._look_back(tmp_path / "nothing.log") == []
    said = capfd.readouterr().err
    assert "demo: report: " in said
    assert "demo: learn: " in said
