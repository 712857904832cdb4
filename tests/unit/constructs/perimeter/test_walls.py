"""The cheapest wall of a function, its price, and the tier of a perimeter that makes it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from harness.function_template import of_type
from harness.linting import lint_errors
from shielded_function import ShieldedFunction, ShieldError, ShieldPerimeter, ShieldPolicy
from shielded_function.checks.cloud_assembly import read_assembly
from shielded_function.cli.blast_radius import radii_of
from shielded_function.perimeter.simulated import SimulatedPerimeter
from shielded_function.perimeter.walls import AS_OF, PRICES, ZONES, Wall, summary_of, wall_of
from unit.constructs.aws import aws

from .conftest import LISTS, NETWORKS, PLACE, Make, synthesize

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
    table = table_of(shop)
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


# The tier of a perimeter

GRANTED = ShieldPolicy(allow_aws="granted")


def table_of(stack: cdk.Stack, name: str = "Carts") -> Any:
    key = aws.dynamodb.Attribute(name="id", type=aws.dynamodb.AttributeType.STRING)
    return aws.dynamodb.TableV2(stack, name, partition_key=key)


@pytest.mark.promise("perimeter.tier")
def test_the_free_tier_makes_endpoints_policies_and_groups(
    app: cdk.App, shop: cdk.Stack, make: Make, isolated: dict[str, Any]
) -> None:
    vpc = isolated["vpc"]
    cluster = aws.rds.DatabaseInstance(
        shop,
        "Db",
        engine=aws.rds.DatabaseInstanceEngine.POSTGRES,
        port=5432,
        **isolated,
    )
    reads = make("Reads", GRANTED, **isolated)
    bucket = aws.s3.Bucket(shop, "Orders")
    bucket.grant_read(reads)
    table_of(shop).grant_read_data(
        make("Both", ShieldPolicy(allow_outbound=[cluster], allow_aws="granted"), **isolated)
    )
    make("Nothing", ShieldPolicy(allow_aws="none"), **isolated)
    ShieldPerimeter(shop, vpc=vpc, tier="free", prefix_lists=LISTS, lock_credentials=True)
    template = synthesize(app)
    assert not [name for name in ("FirewallRuleGroup", "FirewallDomainList", "ResolverQueryLoggingConfig")
                if of_type(template, f"AWS::Route53Resolver::{name}")]  # fmt: skip
    assert not [name for name in of_type(template, "AWS::CloudWatch::Alarm") if "Perimeter" in name]
    endpoints = {
        "s3" if "s3" in json.dumps(each["ServiceName"]) else "dynamodb": each
        for each in of_type(template, "AWS::EC2::VPCEndpoint").values()
    }
    assert set(endpoints) == {"s3", "dynamodb"}
    tables = of_type(template, "AWS::EC2::RouteTable")
    for service, each in endpoints.items():
        assert each["VpcEndpointType"] == "Gateway"
        routed = {ref["Ref"] for ref in each["RouteTableIds"]}
        assert routed == {name for name in tables if name.startswith("IsolatedIsolated")}
        [statement] = each["PolicyDocument"]["Statement"]
        assert statement["Action"] == f"{service}:*"
        assert statement["Condition"]["StringEquals"]["aws:ResourceAccount"] == ["111122223333"]
    [bucket_id] = of_type(template, "AWS::S3::Bucket")
    assert {"Fn::GetAtt": [bucket_id, "Arn"]} in endpoints["s3"]["PolicyDocument"]["Statement"][0]["Resource"]
    locks = [each for name, each in of_type(template, "AWS::IAM::Policy").items() if "Lock" in name]
    assert len(locks) == 3
    assert lint_errors(template) == []
    [vpc_id] = [name for name in of_type(template, "AWS::EC2::VPC") if name.startswith("Isolated")]
    [db] = of_type(template, "AWS::RDS::DBInstance")
    values = {f"{vpc_id}.CidrBlock": "10.0.0.0/16", f"{db}.Endpoint.Port": "5432"}
    walls = SimulatedPerimeter.from_template(template, region="eu-west-1", values=values, prefix_lists=NETWORKS)
    names = of_type(template, "AWS::Lambda::Function")
    paths = [next(each for each in names if each.startswith(name)) for name in ("Reads", "Both", "Nothing")]
    for address, port, reached in (
        ("52.218.1.1", 443, (True, False, False)),
        ("52.94.5.9", 443, (False, True, False)),
        ("52.218.1.1", 80, (False, False, False)),
        ("10.0.3.4", 5432, (False, True, False)),
        ("10.0.3.4", 443, (False, False, False)),
        ("203.0.113.7", 443, (False, False, False)),
    ):
        assert tuple(walls.connect(path, address, port) for path in paths) == reached, address
    assert walls.look_up("4a6f.evil.example") == "ALLOW", "the tunnel that this tier admits"


@pytest.mark.promise("perimeter.tier")
def test_the_closed_tier_adds_dns_firewall(app: cdk.App, shop: cdk.Stack, make: Make, isolated: dict[str, Any]) -> None:
    make("Nothing", ShieldPolicy(allow_aws="none"), **isolated)
    ShieldPerimeter(shop, vpc=isolated["vpc"], tier="closed")
    template = synthesize(app)
    assert SimulatedPerimeter.from_template(template).look_up("4a6f.evil.example") == "BLOCK"
    assert len(of_type(template, "AWS::Route53Resolver::ResolverQueryLoggingConfig")) == 1


@pytest.mark.promise("perimeter.tier")
def test_more_than_the_tier_is_an_error_with_its_entry(
    app: cdk.App, shop: cdk.Stack, make: Make, isolated: dict[str, Any], vpc: Any
) -> None:
    aws.sqs.Queue(shop, "Paid").grant_send_messages(make("Sends", GRANTED, **isolated))
    make("Calls", ShieldPolicy(allow_outbound=["api.stripe.com:443"], allow_aws="none"), **isolated)
    wide = {"vpc": isolated["vpc"], "allow_public_subnet": True}
    wide["vpc_subnets"] = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
    make("Wide", ShieldPolicy(allow_aws="none"), **wide)
    subnet = isolated["vpc"].isolated_subnets[0]
    subnet.add_route("Out", router_id="nat-1", router_type=ec2.RouterType.NAT_GATEWAY)
    ShieldPerimeter(shop, vpc=isolated["vpc"], tier="free", prefix_lists=LISTS)
    with pytest.raises(RuntimeError) as caught:
        app.synth()
    said = str(caught.value)
    for text in (
        f"Shop/Sends: tier='free' leads to no allow_aws=sqs (it needs the wall 'endpoints', ${ZONES * ZONE:.2f}",
        f"Shop/Calls: tier='free' leads to no api.stripe.com:443 (it needs the wall 'names', ${NAT:.2f}",
        "Shop/Wide: tier='free' is for isolated subnets",
        "is a route out of an isolated subnet",
    ):
        assert text in said, text


@pytest.mark.promise("perimeter.tier")
def test_prefix_lists_are_looked_up_once(app: cdk.App, shop: cdk.Stack, make: Make, isolated: dict[str, Any]) -> None:
    """The CDK asks the account when the app is synthesized by its command line."""
    aws.s3.Bucket(shop, "Orders").grant_read(make("Reads", GRANTED, **isolated))
    ShieldPerimeter(shop, vpc=isolated["vpc"], tier="free")
    manifest = json.loads((Path(app.synth().directory) / "manifest.json").read_text())
    asked = json.dumps(manifest["missing"])
    assert "com.amazonaws.eu-west-1.s3" in asked
    assert "com.amazonaws.eu-west-1.dynamodb" in asked


@pytest.mark.promise("perimeter.tier")
@pytest.mark.parametrize("switch", ["off", "alert"])
def test_the_context_leaves_the_endpoints(tmp_path: Path, props: dict[str, Any], switch: str) -> None:
    """Isolated functions need them for their work: without policies, and the groups stay as they are."""
    app = cdk.App(outdir=str(tmp_path / "out"), context={"shield": switch}, analytics_reporting=False)
    shop = cdk.Stack(app, "Shop", env=PLACE)
    vpc = ec2.Vpc(shop, "Isolated", max_azs=2, nat_gateways=0)
    subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    aws.s3.Bucket(shop, "Orders").grant_read(
        ShieldedFunction(shop, "Reads", policy=GRANTED, vpc=vpc, vpc_subnets=subnets, **props)
    )
    ShieldPerimeter(shop, vpc=vpc, tier="free")
    template = synthesize(app)
    endpoints = of_type(template, "AWS::EC2::VPCEndpoint").values()
    assert [each for each in endpoints if "PolicyDocument" in each] == []
    assert len(endpoints) == 2
    [group] = of_type(template, "AWS::EC2::SecurityGroup").values()
    assert [each["CidrIp"] for each in group["SecurityGroupEgress"]] == ["0.0.0.0/0"]


@pytest.mark.promise("perimeter.tier")
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"tier": "cheap"}, "tier: "),
        ({"prefix_lists": LISTS}, "prefix_lists: has no effect"),
        ({"tier": "free", "endpoint_policies": "none"}, "endpoint_policies: "),
        ({"tier": "free", "security_groups": False}, "security_groups: "),
        ({"tier": "free", "also_allow": ["ntp.example"]}, "also_allow: "),
    ],
)
def test_options_of_a_tier(shop: cdk.Stack, isolated: dict[str, Any], options: dict[str, Any], text: str) -> None:
    with pytest.raises(ShieldError, match=text):
        ShieldPerimeter(shop, vpc=isolated["vpc"], **options)
