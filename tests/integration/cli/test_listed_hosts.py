"""`shielded-function alerts --hosts`: who asked for something on a list, ever."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.alert_lines import alert, armed, at, connect, folded, lookup
from integration.cli.running import command

pytestmark = pytest.mark.promise("deny.listed")

LOG = [
    armed(at(20)),
    connect("webhook.site", time=at(20), through=("urllib3", "requests", "app")),
    *[connect("webhook.site", time=at(22))] * 4,
    connect("webhook.site", time=at(23), mode="block", reason="deny_outbound", function="refund"),
    lookup("c2VjcmV0.oast.fun", at(21), function="refund"),
    connect("cdn.example", ip="203.0.113.7", time=at(19), function="report", sni="PASTE.ee", protocol="tls"),
    connect("api.stripe.com"),
    alert("read_write_tmp", path="/tmp/webhook.site"),
]


@pytest.fixture
def file(log: Callable[..., Path]) -> Path:
    return log(*LOG, name="log.jsonl")


def found(*arguments: str | Path) -> list[tuple[object, ...]]:
    done = command("alerts", *arguments, "--json")
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    assert (told["whole"], told["notes"]) == (True, [])
    assert told["violations"] == sum(each["violations"] for each in told["groups"])
    keys = ("function", "listed", "mode", "violations", "first_seen", "last_seen")
    return sorted(tuple(each[key] for key in keys) for each in told["groups"])


def test_who_asked_for_something_on_a_list(file: Path) -> None:
    assert found(file, "--hosts", "preset:exfiltration") == [
        ("checkout", "webhook.site", "alert", 1, at(20), at(20)),
        ("checkout", "webhook.site", "alert", 4, at(22), at(22)),
        ("refund", "*.oast.fun", "alert", 1, at(21), at(21)),
        ("refund", "webhook.site", "block", 1, at(23), at(23)),
        ("report", "paste.ee", "alert", 1, at(19), at(19)),
    ]
    done = command("alerts", file, "--hosts", "preset:exfiltration", environment={"COLUMNS": "80"})
    assert done.returncode == 3
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "app > requests > urllib3" in " ".join(done.stdout.split())
    assert "8 violations of 5 kinds" in done.stdout
    assert "c2VjcmV0.oast.fun" in done.stdout
    assert "api.stripe.com" not in done.stdout


def test_a_list_of_ones_own(file: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("# of last week\n203.0.113.0/24  # an address counts by itself\n\nfine.example\n")
    assert [each[1] for each in found(file, "--hosts", listed)] == ["203.0.113.0/24"]
    many = [f"h{number}.example" for number in range(600)]
    listed.write_text("\n".join([*many, "api.stripe.com"]))
    every = found(file, "--hosts", listed, "--hosts", "preset:chat-webhooks")
    assert [each[1] for each in every] == ["api.stripe.com"]
    listed.write_text("fine.example\n")
    done = command("alerts", file, "--hosts", listed)
    assert (done.returncode, done.stdout) == (0, "0 violations of 0 kinds\n")


def test_it_says_what_it_did_not_read(file: Path, tmp_path: Path) -> None:
    broken = '{"function_shield":true,"v":"x"}'
    lines = [armed(), broken, folded("outbound_connectivity", 7, details={"host": "webhook.site"})]
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    done = command("alerts", tmp_path / "log", "--hosts", "preset:exfiltration")
    assert (done.returncode, done.stdout) == (2, "at least 0 violations of 0 kinds\n")
    assert "1 lines" in done.stderr
    unknown = "checkout: 7 violations were counted and not written: their targets are unknown"
    assert unknown in done.stderr
    done = command("alerts", tmp_path / "log", file, "--hosts", "preset:exfiltration", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["violations"], told["whole"]) == (3, 8, False), "something was found, perhaps not all"
    assert unknown in told["notes"]
