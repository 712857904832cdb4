"""The record of incidents is what a drill says; docs/security/incidents.md and README have its sum."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from integration.cli.running import command
from integration.docs.incidents import POLICY, drilled, outcome_of, recorded, synthesize
from integration.docs.pages import ROOT
from shielded_function import ShieldPolicy
from shielded_function_emulator.incidents import incidents
from shielded_function_emulator.languages import find

pytestmark = pytest.mark.promise("cli.drill")
PAGE = ROOT / "docs" / "security" / "incidents.md"


def test_the_sum_is_that_of_the_drill_and_readme_has_it() -> None:
    real = [(each, recorded()[name]["outcome"]) for name, each in incidents().items() if each["year"]]
    count = Counter(outcome for _, outcome in real)
    scripts = sum(each["when"] == "install" for each, _ in real)
    summary = (
        f"Of {len(real)} incidents, {len(real) - count['not run']} are replayed: the shield stops {count['stopped']}, "
        f"stops {count['partly']} in part, and lets {count['passed']} pass. Originals that were "
        f"install scripts, replayed as imports: {scripts}."
    )
    for page in (PAGE, ROOT / "README.md"):
        assert summary in page.read_text(encoding="utf-8").replace("\n", " ")


@pytest.mark.long
def test_the_record_is_current() -> None:
    if missing := find("nodejs22.x").missing():
        pytest.skip(missing)
    summary, found = drilled()
    assert (found, list(found)) == (recorded(), list(incidents())), "run `python -m integration.docs.incidents --drill`"
    assert summary in PAGE.read_text(encoding="utf-8").replace("\n", " ")


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
        assert outcome_of(each) == recorded()[each["id"]]
