"""The cheapest wall of a function, its price, and the tier of a perimeter that makes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from shielded_function import ShieldPolicy
from shielded_function.checks.cloud_assembly import read_assembly
from shielded_function.cli.blast_radius import radii_of
from shielded_function.perimeter.walls import AS_OF, PRICES, ZONES, Wall, summary_of, wall_of
from unit.constructs.aws import aws

from .conftest import Make

pytestmark = pytest.mark.promise("perimeter.wall")

PAGE = Path(__file__).parents[4] / "docs" / "guide" / "perimeter.md"
ZONE = PRICES["interface"].dollars * 730
NAT = PRICES["nat"].dollars * 730
# The policy -> tier, endpoints, needs, and dollars a month.
WALLS: tuple[tuple[dict[str, Any], str, list[str], list[str], float | None], ...] = (
    ({"allow_aws": "none"}, "free", [], [], 0),
    ({"allow_aws": ["s3", "dynamodb"]}, "free", ["dynamodb", "s3"], [], 0),
    ({"allow_aws": "none", "allow_buckets": ["orders", "log--use1-az4--x-s3"]}, "free", ["s3", "s3express"], [], 0),
    ({"allow_aws": "none", "allow_outbound": ["10.0.0.0/16:5432", "[fd00::1]:1"]}, "free", [], [], 0),
    ({"allow_aws": ["dynamodbstreams"]}, "endpoints", ["streams.dynamodb"], ["allow_aws=dynamodbstreams"], ZONE),
    (
        {"allow_aws": ["s3", "kinesis", "stepfunctions"]},
        "endpoints",
        ["s3", "kinesis-streams", "states"],
        ["allow_aws=kinesis", "allow_aws=stepfunctions"],
        2 * ZONE,
    ),
    ({"allow_aws": "none", "allow_outbound": ["a.example:443"]}, "names", [], ["a.example:443"], NAT),
    ({"allow_aws": "none", "allow_outbound": ["203.0.113.7"]}, "names", [], ["203.0.113.7"], NAT),
    ({"allow_aws": "all", "allow_buckets": ["orders"]}, "names", ["s3"], ["allow_aws=all"], NAT),
    ({"allow_aws": "none", "outbound_connectivity": "alert"}, "free", [], [], 0),
    ({"outbound_connectivity": "allow"}, "none", [], ["a policy that lists hosts"], None),
)


@pytest.mark.parametrize(("fields", "tier", "endpoints", "needs", "dollars"), WALLS)
def test_the_cheapest_wall(
    fields: dict[str, Any], tier: str, endpoints: list[str], needs: list[str], dollars: float | None
) -> None:
    wall = wall_of(ShieldPolicy(**fields))
    assert (wall.tier, list(wall.endpoints), list(wall.needs)) == (tier, endpoints, needs)
    if dollars is None:
        assert wall.dollars_a_month is None
    else:
        assert wall.dollars_a_month == pytest.approx(dollars * (ZONES if tier == "endpoints" else 1), abs=0.01)
    look_ups = any("resolver" in each for each in wall.admits)
    assert look_ups == (tier in ("free", "endpoints")), "DNS Firewall is part of the wall of names"


def test_hosts_inside_and_services_of_others_cost_nothing() -> None:
    policy = ShieldPolicy(allow_outbound=["db.example:5432"], allow_aws=["sqs", "dynamodb"])
    wall = wall_of(policy, lambda entry: entry.startswith("db."), on_behalf={"sqs"})
    assert (wall.tier, wall.endpoints, wall.left_out) == ("free", ["dynamodb"], ("sqs",))
    assert "other hosts of the VPC on the same port" in wall.admits
    assert wall_of(policy, lambda _: True, on_behalf={"sqs"}, besides=["logs"]).needs == ("allow_aws=logs",)
    assert wall_of(policy, lambda _: True, late=["${Services}"]).tier == "names"


def test_the_summary_names_what_costs_nothing() -> None:
    walls = {
        "Shop/A": wall_of(ShieldPolicy(allow_aws="none")),
        "Shop/B": wall_of(ShieldPolicy(allow_aws=["sqs", "s3"])),
        "Shop/C": wall_of(ShieldPolicy(allow_aws=["sqs", "sns"])),
        "Shop/D": wall_of(ShieldPolicy(outbound_connectivity="allow")),
    }
    told = summary_of(walls)
    assert told[0] == "1 of 4 functions can be walled for nothing: Shop/A"
    assert told[1] == f"2 of 4 functions by 2 interface endpoints that they share: ${2 * ZONES * ZONE:.2f} a month"
    assert told[2].startswith("1 of 4 functions have no wall")
    assert AS_OF in told[3]
    assert str(walls["Shop/D"]) == "none before a policy that lists hosts"
    assert str(Wall("free", dollars_a_month=0)) == "isolated subnets: $0.00 a month"


def test_the_radius_has_the_wall(app: cdk.App, shop: cdk.Stack, make: Make, vpc: Any) -> None:
    """Of the template: a database is inside, and Lambda polls the queue, so the code needs no way to SQS."""
    database = aws.rds.DatabaseInstance(shop, "Db", engine=aws.rds.DatabaseInstanceEngine.POSTGRES, vpc=vpc)
    table = aws.dynamodb.TableV2(
        shop, "Carts", partition_key=aws.dynamodb.Attribute(name="id", type=aws.dynamodb.AttributeType.STRING)
    )
    consumer = make("Consumer", ShieldPolicy(allow_outbound=[database], allow_aws="granted"))
    table.grant_read_data(consumer)
    queue = aws.sqs.Queue(shop, "Paid")
    consumer.add_event_source(aws.lambda_event_sources.SqsEventSource(queue))
    queue.grant_send_messages(make("Producer", ShieldPolicy(allow_aws="granted")))
    walls = {each.place.path: each.wall for each in radii_of(read_assembly(Path(app.synth().directory)))}
    found = walls["Shop/Consumer"]
    assert (found.tier, found.endpoints, found.left_out) == ("free", ["dynamodb"], ("sqs",))
    assert (walls["Shop/Producer"].tier, walls["Shop/Producer"].endpoints) == ("endpoints", ["sqs"])


def test_the_page_has_these_prices() -> None:
    page = PAGE.read_text()
    assert f"as of {AS_OF}" in page
    for price in PRICES.values():
        row = next((line for line in page.splitlines() if line.startswith("|") and price.page in line), "")
        assert row or not price.dollars, price.page
        assert re.search(rf"\${price.dollars:.4f}".rstrip("0").replace(".", r"\."), page) or not price.dollars
