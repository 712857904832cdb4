"""docs/security/incidents.md is what a drill says, and README has its numbers."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from integration.cli.running import command
from integration.docs.incidents import PAGE, POLICY, became, facts, page, synthesize
from integration.docs.pages import ROOT
from shielded_function import ShieldPolicy
from shielded_function_emulator.incidents import find as find_incident
from shielded_function_emulator.incidents import incidents
from shielded_function_emulator.languages import find

pytestmark = pytest.mark.promise("cli.drill")
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_has_each_incident() -> None:
    rows = [line for line in TEXT.splitlines() if re.match(r"\| \[", line)]
    assert [row[: len(facts(each))] for row, each in zip(rows, incidents().values(), strict=True)] == [
        facts(each) for each in incidents().values()
    ]


def test_the_sum_is_that_of_the_rows_and_readme_has_it() -> None:
    rows = re.findall(r"^\| \[.*?\]\(.*?\), \w+, \d{4}, at ([a-z ]+) \|.*\| ([a-z ]+) \|$", TEXT, re.MULTILINE)
    count = Counter(outcome for _, outcome in rows)
    scripts = sum(when == "the install" for when, _ in rows)
    summary = (
        f"Of {len(rows)} incidents, {len(rows) - count['not run']} are replayed: the shield stops {count['stopped']}, "
        f"stops {count['partly']} in part, and lets {count['passed']} pass. Install scripts among them: {scripts}."
    )
    assert summary in TEXT
    assert summary in (ROOT / "README.md").read_text(encoding="utf-8").replace("\n", " ")


@pytest.mark.long
def test_the_page_is_current() -> None:
    if missing := find("nodejs22.x").missing():
        pytest.skip(missing)
    assert page() == TEXT, "run `python -m integration.docs.incidents` in tests/"


def test_a_learned_policy_gives_the_same(tmp_path: Path) -> None:
    """A policy that is learned from the calls of the function."""
    code = "import urllib.request\ndef handler(*_):\n    urllib.request.urlopen('https://api.stripe.com').close()\n"
    before = synthesize(tmp_path / "before", "Python", ShieldPolicy(allow_aws="none"), code)
    (tmp_path / "charge.json").write_text("{}")
    reply = ("--reply", f"api.stripe.com={tmp_path / 'charge.json'}", "--reply", "*.amazonaws.com=moto")
    log, learned = tmp_path / "run.log", tmp_path / "policy.toml"
    for done in (
        command("run", before, "Python", "--alert", *reply, "--log", log),
        command("learn", log, "--output", learned),
    ):
        assert done.returncode in (0, 3), done.stdout + done.stderr
    policy = ShieldPolicy.from_file(learned)
    assert policy.allow_outbound == POLICY.allow_outbound
    after = synthesize(tmp_path / "after", "Python", policy)
    chosen = ("litellm", "mistralai", "xrpl", "ironworm", "chalk", "allowed-host", "bucket")
    named = [argument for id in chosen for argument in ("--incident", id)]
    done = command("drill", after, "Python", *named, "--json")
    assert done.returncode == 0, done.stderr
    for each in json.loads(done.stdout)["incidents"]:
        assert f"{facts(find_incident(each['id']))} {became(each)} |" in TEXT.splitlines()
