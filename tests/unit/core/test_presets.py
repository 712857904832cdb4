"""Presets: what becomes of the fields, and what is refused. tests/lab/presets runs their libraries."""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any, get_args

import pytest

from shielded_function import ShieldPolicy
from shielded_function.cli import policy as policies
from shielded_function.policy.denied_presets import DATA, denied_presets
from shielded_function.policy.lengths import environment_bytes
from shielded_function.policy.presets import PRESETS, PresetName
from shielded_function.shield.resolution import resolve_policy
from shielded_function_runtime import core

pytestmark = pytest.mark.promise("policy.presets")

NUMBA, SNAPPY = "/tmp/numba/**", "/tmp/snappy-*-libsnappyjava.so"
MEMORY = ("libffi", "libllvmlite")


def test_a_preset_adds_to_the_fields() -> None:
    policy = ShieldPolicy(allow_tmp=["/tmp/mine"], presets=["snappy-java", "numba", "Numba"])
    assert policy.presets == ("snappy-java", "numba")
    assert policy.allow_tmp == ("/tmp/mine", SNAPPY, NUMBA)
    assert policy.allow_executable_memory == MEMORY
    assert policy.executable_memory is None
    assert policy.decide("tmp", "/tmp/snappy-1.1.10-0b5c-libsnappyjava.so").action == "allow"
    assert policy.decide("tmp", "/tmp/other").action == "deny"


def test_the_environment_has_no_preset() -> None:
    policy = ShieldPolicy(presets=["numba"], allow_aws="all")
    by_hand = ShieldPolicy(allow_tmp=[NUMBA], allow_executable_memory=[*MEMORY], allow_aws="all")
    assert policy.to_env() == by_hand.to_env()
    assert policy.to_lines() == by_hand.to_lines()
    assert policy == by_hand == ShieldPolicy.from_env(policy.to_env())
    assert hash(policy) == hash(by_hand)


def test_entries_that_are_there_are_not_added_again() -> None:
    policy = ShieldPolicy(allow_tmp=[NUMBA, "/tmp/z"], presets=["numba"])
    assert policy.allow_tmp == (NUMBA, "/tmp/z")
    assert dataclasses.replace(policy, allow_tmp=["/tmp/z"]).allow_tmp == ("/tmp/z", NUMBA)


def test_a_sum_has_the_presets_of_both() -> None:
    both = ShieldPolicy(presets=["snappy-java"]) + ShieldPolicy(presets=["numba"])
    assert both.presets == ("snappy-java", "numba")
    assert both.allow_executable_memory == MEMORY
    assert both.with_mode("alert").presets == both.presets


def test_the_file_of_the_guide(tmp_path: Path) -> None:
    """docs/guide/files-and-programs.md shows it."""
    page = (Path(__file__).parents[3] / "docs" / "guide" / "files-and-programs.md").read_text()
    (tmp_path / "policy.toml").write_text(page.partition("```toml\n")[2].partition("```")[0])
    read = ShieldPolicy.from_file(tmp_path / "policy.toml")
    assert read.presets == ShieldPolicy.from_dict(read.to_dict()).presets == ("snappy-java", "numba")


def test_the_command_lists_all(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert policies.presets(json=True) == 0
    listed = json.loads(capsys.readouterr().out)
    assert tuple(listed) == tuple(PRESETS) == get_args(PresetName)
    assert listed["numba"]["adds"] == {"allow_tmp": [NUMBA], "allow_executable_memory": [*MEMORY]}
    assert policies.presets(json=False) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in PRESETS)
    assert SNAPPY in shown


def test_explain_says_what_a_preset_adds() -> None:
    explained = ShieldPolicy(presets=["numba"], allow_tmp=["/tmp/mine"]).explain()

    def entries(field: str) -> dict[str, str]:
        return {each.entry: each.meaning for each in explained if each.field == field and each.entry}

    assert entries("presets") == {"numba": PRESETS["numba"].meaning}
    assert [each.endswith("(preset numba)") for each in entries("allow_tmp").values()] == [False, True]
    assert list(entries("allow_executable_memory")) == [*MEMORY]
    asked = "memory that libllvmlite itself asks for (preset numba)"
    assert entries("allow_executable_memory")["libllvmlite"] == asked
    assert not any("preset" in each.meaning for each in ShieldPolicy().explain())


def test_equal_policies_keep_their_own_presets() -> None:
    """What is worked out once for each policy is not another's that has the same entries."""
    policy = ShieldPolicy(presets=["numba"])
    by_hand = ShieldPolicy(allow_tmp=[NUMBA], allow_executable_memory=[*MEMORY])
    function: Any = None  # asked for tokens only
    assert resolve_policy(policy, function).policy.presets == ("numba",)
    assert resolve_policy(by_hand, function).policy.presets == ()


# The lists of hosts that deny_outbound takes by name: they are hosts that no ordinary function needs.

# Of services that functions use, beside AWS's; tests/lab/workloads runs some of their SDKs.
ORDINARY = (
    "api.stripe.com api.twilio.com api.openai.com api.anthropic.com generativelanguage.googleapis.com "
    "api.github.com github.com gitlab.com sentry.io "
    "o1.ingest.sentry.io api.datadoghq.com http-intake.logs.datadoghq.eu otlp.nr-data.net api.honeycomb.io "
    "events.launchdarkly.com tenant.auth0.com tenant.okta.com api.sendgrid.com api.mailgun.net api.postmarkapp.com "
    "storage.googleapis.com oauth2.googleapis.com firestore.googleapis.com www.googleapis.com "
    "login.microsoftonline.com graph.microsoft.com contoso.blob.core.windows.net vault.azure.net "
    "account.snowflakecomputing.com cluster.mongodb.net api.shopify.com api.hubapi.com api.salesforce.com "
    "api.segment.io api.mixpanel.com api.cloudflare.com slack.com api.pagerduty.com events.pagerduty.com "
    "api.notion.com api.airtable.com huggingface.co api.algolia.net"
)


def aws_hosts() -> list[str]:
    """Every endpoint of the core's own table, which is made of botocore's (build/aws_table.py)."""
    regions = ("us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1")
    asked = [core.parse(f"SHIELD_ALLOW_AWS=all\nAWS_REGION={region}\n").aws_endpoints() for region in regions]
    return sorted({host.replace("*", "any") for found in asked for host in map(str, found)})


@pytest.mark.promise("deny.presets")
@pytest.mark.parametrize(("name", "most"), [("exfiltration", 1000), ("chat-webhooks", 160)])
def test_the_data_is_clean(name: str, most: int) -> None:
    """Also, no entry is a host that functions use, and a list takes few of an environment's 4096 bytes
    (docs/guide/outbound.md has the numbers)."""
    entries = denied_presets()[f"preset:{name}"]
    policy = ShieldPolicy(outbound_connectivity="allow", deny_outbound=[f"preset:{name}"])
    assert list(policy.deny_outbound) == entries, "each is an entry in canonical form, once"
    assert policy.to_env()["SHIELD_DENY_OUTBOUND"] == ",".join(entries)
    assert environment_bytes({"SHIELD_DENY_OUTBOUND": len(",".join(entries))}) <= most
    for row in json.loads(DATA.read_text(encoding="utf-8"))["lists"][name]:
        assert row["class"]
        assert row["about"]
        assert row["source"].startswith(("https://", "http://"))
        datetime.date.fromisoformat(row["date"])
    aws = aws_hosts()
    assert len(aws) > 1000
    assert [host for host in (*aws, *ORDINARY.split()) if not policy.decide("resolve", host).allowed] == []


@pytest.mark.promise("deny.presets")
def test_a_preset_stands_among_other_entries() -> None:
    policy = ShieldPolicy(
        deny_outbound=["B\u00fccher.example", " Preset:Chat-Webhooks ", "hooks.slack.com", "b.example"]
    )
    assert (policy.deny_outbound[0], policy.deny_outbound[-1]) == ("xn--bcher-kva.example", "b.example")
    assert policy.deny_outbound.count("hooks.slack.com") == 1
    assert policy == ShieldPolicy.from_dict(policy.to_dict())
