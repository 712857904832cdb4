"""The lists of hosts that deny_outbound takes by name: they are hosts that no ordinary function needs."""

from __future__ import annotations

import datetime
import json

import pytest

from shielded_function import ShieldPolicy
from shielded_function.policy.denied_presets import DATA, denied_presets
from shielded_function.resolution.lengths import environment_bytes
from shielded_function_runtime import core

pytestmark = pytest.mark.promise("deny.presets")

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


def test_a_preset_stands_among_other_entries() -> None:
    policy = ShieldPolicy(
        deny_outbound=["B\u00fccher.example", " Preset:Chat-Webhooks ", "hooks.slack.com", "b.example"]
    )
    assert (policy.deny_outbound[0], policy.deny_outbound[-1]) == ("xn--bcher-kva.example", "b.example")
    assert policy.deny_outbound.count("hooks.slack.com") == 1
    assert policy == ShieldPolicy.from_dict(policy.to_dict())
