"""Both halves of a policy: `explain --perimeter`, and what passes neither, one, or both."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from typer.testing import CliRunner

from harness.function_template import of_type
from shielded_function import ShieldPerimeter, ShieldPolicy
from shielded_function.cli.app import app as command_line
from shielded_function.perimeter.halves import as_json, halves_of
from shielded_function.perimeter.simulated import SimulatedPerimeter
from shielded_function.policy import ShieldPolicyError

from .conftest import Make, synthesize

PAGE = Path(__file__).parents[4] / "docs" / "guide" / "perimeter.md"
CHECKOUT = ShieldPolicy(
    allow_outbound=["tcp://api.stripe.com:443", "tcp://10.0.0.0/16:5432"], allow_aws=["sqs"], allow_buckets=["orders"]
)
REFUND = ShieldPolicy(allow_outbound=["tcp://refund.example:443"], allow_aws="none")
SAID = {True: "passes", False: "stopped"}


# What Checkout's code tries, with the event and the target as `ShieldPolicy.decide` takes them.
ATTEMPTS: tuple[tuple[str, Any, str], ...] = (
    ("connect to a listed host", "connect", "api.stripe.com:443"),
    ("connect to a listed network", "connect", "10.0.3.4:5432"),
    ("call a listed AWS service", "connect", "sqs.eu-west-1.amazonaws.com:443"),
    ("put an object into a listed bucket", "connect", "orders.s3.eu-west-1.amazonaws.com:443"),
    ("look up a host that is not listed", "resolve", "evil.example"),
    ("carry data in a name: `<data>.evil.example`", "resolve", "4a6f686e.evil.example"),
    ("connect to a listed host on another port", "connect", "api.stripe.com:22"),
    ("connect to a literal address on a port that nothing opens", "connect", "203.0.113.7:22"),
    ("ask another resolver", "udp", "203.0.113.53:53"),
    ("connect to a listed network on another port", "connect", "10.0.3.4:22"),
    ("connect to a literal address of IPv6", "connect", "[2001:db8::7]:443"),
    ("call another AWS service", "connect", "dynamodb.eu-west-1.amazonaws.com:443"),
    ("put an object into somebody else's bucket, by name", "connect", "theirs.s3.eu-west-1.amazonaws.com:443"),
    ("call anybody's function URL", "connect", "abc.lambda-url.eu-west-1.on.aws:443"),
    ("connect to a host that only another function of the VPC lists", "connect", "refund.example:443"),
    ("connect to a literal address on a port that a name opens", "connect", "203.0.113.7:443"),
)


@pytest.mark.promise("perimeter.no-contradiction")
def test_what_passes_neither_one_or_both(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, make: Make) -> None:
    """The page's table is this one. Nothing that the engine lets through is stopped outside."""
    make(policy=CHECKOUT)
    make("Refund", REFUND)
    ShieldPerimeter(shop, vpc=vpc)
    template = synthesize(app)
    [function] = [name for name in of_type(template, "AWS::Lambda::Function") if name.startswith("Checkout")]
    values = {f"{name}.CidrBlock": "10.0.0.0/16" for name in of_type(template, "AWS::EC2::VPC")}
    perimeter = SimulatedPerimeter.from_template(template, region="eu-west-1", values=values)
    rows: list[str] = []
    for what, event, target in ATTEMPTS:
        inside = CHECKOUT.decide(event, target, region="eu-west-1", account="111122223333").allowed
        if event == "resolve":
            outside = perimeter.look_up(target) != "BLOCK"
        else:
            outside = perimeter.reach(function, target, "udp" if event == "udp" else "tcp")
        rows.append(f"| {what} | {SAID[inside]} | {SAID[outside]} |")
    assert rows == re.findall(r"^\| .* \| (?:passes|stopped) \| (?:passes|stopped) \|$", PAGE.read_text(), re.MULTILINE)
    assert not [row for row in rows if row.endswith("| passes | stopped |")]
    both = [row for row in rows if row.endswith("| stopped | stopped |")]
    inner = [row for row in rows if row.endswith("| stopped | passes |")]
    assert (len(both), len(inner), len(rows)) == (10, 2, 16)


def test_halves_have_a_line_for_each_entry() -> None:
    found = {(half.field, half.entry): half.perimeter for half in halves_of(CHECKOUT, "eu-west-1")}
    assert found["allow_outbound", "tcp://api.stripe.com:443"] == "looked up; tcp 443 to any address"
    assert found["allow_outbound", "tcp://10.0.0.0/16:5432"] == "tcp 5432 to 10.0.0.0/16"
    assert re.fullmatch(r"\d+ names are looked up; tcp 443 to any address", found["allow_aws", "sqs"])
    assert found["allow_buckets", "orders"] == "its 5 names are looked up"
    assert found["read_handler", "allow"] == "nothing"
    assert found["check_tls_name", "on"].startswith("nothing")
    nothing = {half.field: half.perimeter for half in halves_of(ShieldPolicy(allow_aws="none"), "eu-west-1")}
    assert nothing["allow_aws"] == "no name of AWS's is looked up"
    denied = halves_of(ShieldPolicy(deny_outbound=["webhook.site"], allow_aws="all"), "eu-west-1")
    assert {half.entry: half.perimeter for half in denied if half.field == "deny_outbound"} == {
        "webhook.site": "nothing: its rules are those of a whole VPC"
    }
    assert "refuses" in halves_of(ShieldPolicy(outbound_connectivity="allow"), "eu-west-1")[0].perimeter


def run(*arguments: str, **environment: str) -> Any:
    return CliRunner().invoke(command_line, ["explain", "--perimeter", *arguments], env=environment)


def test_the_command_prints_both(tmp_path: Path) -> None:
    """Or says what cannot be."""
    file = tmp_path / "policy.toml"
    file.write_text('allow_outbound = ["tcp://api.stripe.com:443"]\nallow_aws = ["sqs"]\n')
    shown = run("--policy", str(file), "--region", "eu-west-1", COLUMNS="200")
    assert shown.exit_code == 0
    assert "looked up; tcp 443 to any address" in shown.output
    assert "outside it in eu-west-1" in shown.output
    printed = json.loads(run("--policy", str(file), "--json").output)
    assert {"api.stripe.com", "sqs.us-east-1.amazonaws.com"} < set(printed["domains"])
    assert {(rule["ipProtocol"], rule["fromPort"]) for rule in printed["egress"]} == {("tcp", 443)}
    failed = run("--policy", str(file), "--region", "nowhere")
    assert "'nowhere' is no region of AWS's" in str(failed.exception)
    file.write_text('allow_outbound = ["_sip.example.com"]')
    failed = run("--policy", str(file), "--region", "us-east-1")
    assert "a domain list of DNS Firewall takes letters" in str(failed.exception)


def test_what_is_known_later_is_refused() -> None:
    policy = ShieldPolicy(allow_outbound=["${Token[Db.1]}:5432"], allow_aws="none")
    with pytest.raises((ShieldPolicyError, ValueError), match="known at deployment only: see the template"):
        as_json(policy, "us-east-1")
