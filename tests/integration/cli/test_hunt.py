"""`shielded-function hunt`: who asked for something on a list, ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.alert_lines import alert, armed, at, connect, folded, lookup
from integration.cli.running import command

pytestmark = pytest.mark.promise("deny.hunt")

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
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(LOG) + "\n")
    return path


def test_who_asked_for_something_on_a_list(log: Path) -> None:
    done = command("hunt", log, "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    keys = ("function", "target", "entry", "mode", "violations", "first_seen", "last_seen")
    assert [tuple(each[key] for key in keys) for each in told["found"]] == [
        ("refund", "webhook.site:443", "webhook.site", "block", 1, at(23), at(23)),
        ("checkout", "webhook.site:443", "webhook.site", "alert", 5, at(20), at(22)),
        ("refund", "c2VjcmV0.oast.fun", "*.oast.fun", "alert", 1, at(21), at(21)),
        ("report", "PASTE.ee:443", "paste.ee", "alert", 1, at(19), at(19)),
    ]
    assert told["found"][1]["who"] == "app > requests > urllib3"
    assert (told["functions"], told["notes"]) == (3, [])
    done = command("hunt", log, environment={"COLUMNS": "80"})
    assert done.returncode == 1
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.startswith("found (3 functions, 52 entries)")
    assert "c2VjcmV0.oast.fun" in done.stdout


def test_a_list_of_ones_own(log: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("# of last week\n203.0.113.0/24  # an address counts by itself\n\nfine.example\n")
    done = command("hunt", log, "--list", listed, "--json")
    assert [each["entry"] for each in json.loads(done.stdout)["found"]] == ["203.0.113.0/24"]
    many = [f"h{number}.example" for number in range(600)]
    listed.write_text("\n".join([*many, "api.stripe.com"]))
    done = command("hunt", log, "--list", listed, "--list", "preset:chat-webhooks", "--json")
    assert [each["entry"] for each in json.loads(done.stdout)["found"]] == ["api.stripe.com"]
    listed.write_text("fine.example\n")
    done = command("hunt", log, "--list", listed)
    assert (done.returncode, done.stdout) == (0, "nothing found (3 functions, 1 entries)\n")


def test_it_says_what_it_did_not_read(tmp_path: Path) -> None:
    broken = '{"function_shield":true,"v":"x"}'
    lines = [armed(), broken, folded("outbound_connectivity", 7, details={"host": "webhook.site"})]
    (tmp_path / "log").write_text("\n".join(lines) + "\n")
    done = command("hunt", tmp_path / "log")
    assert (done.returncode, done.stdout) == (3, "nothing found (1 functions, 52 entries)\n")
    assert "1 lines" in done.stderr
    assert "checkout: 7 violations were counted and not written: their targets are unknown" in done.stderr
    (tmp_path / "log").write_text("START RequestId: 1\n")
    done = command("hunt", tmp_path / "log")
    assert done.returncode == 2
    assert "the shield wrote no line: are the functions shielded?" in done.stderr


@pytest.mark.parametrize(
    ("text", "listed", "said"),
    [
        ("https://x.example/\n", "list", 'list, line 1: "https://x.example/" is a URL; use "x.example:443"'),
        ("# nothing\n", "list", "it has no entry"),
        ("", "preset:paste", "there is no 'preset:paste'; there are preset:exfiltration, preset:chat-webhooks"),
        ("", "missing", "missing cannot be read: No such file or directory"),
    ],
)
def test_a_list_that_is_wrong(log: Path, tmp_path: Path, text: str, listed: str, said: str) -> None:
    (tmp_path / "list").write_text(text)
    done = command("hunt", log, "--list", listed if ":" in listed else tmp_path / listed)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
