"""What is refused, and what the error says to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs

from harness.function_template import of_type
from shielded_function import ControlAlarm, LogOptions, ShieldError, ShieldPerimeter, ShieldPolicy
from shielded_function.perimeter import firewall
from shielded_function.shield.function_policy import FunctionPolicy
from shielded_function.testing import SimulatedPerimeter
from unit.constructs.aws import aws

from .conftest import POLICY, Make, Refused, Walls, provider, warnings
from .test_template import egress_in

pytestmark = pytest.mark.promise("perimeter.unseen")


GROUP = logs.LogGroup.from_log_group_name(cdk.Stack(), "Given", "queries")
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"mode": "on"}, "mode: 'on' is not one of block, alert"),
    ({"priority": 100}, "priority: 100 is no whole number from 101 to 9900"),
    ({"security_groups": "no"}, "security_groups: 'no' is neither True nor False"),
    ({"threats": "yes"}, "threats: 'yes' is neither True nor False"),
    ({"endpoint_policies": True}, "endpoint_policies: True is not one of granted, account, none"),
    ({"organization": "mine"}, "organization: 'mine' is no organization's id"),
    ({"accounts": ["12"]}, "accounts: .* is no list of accounts, twelve digits each"),
    ({"accounts": "111122223333"}, "accounts: '111122223333' is no list"),
    ({"functions": "Shop"}, "functions: 'Shop' is not a list"),
    ({"functions": ["Shop"]}, r"functions\[0\]: 'Shop' is no construct"),
    ({"query_logs": "yes"}, "query_logs: 'yes' is neither True nor False"),
    ({"query_logs": GROUP}, "query_logs: <.*> is neither True nor False; write log_group="),
    ({"log_group": LogOptions()}, r"log_group: LogOptions\(...\) is no log group; options of one are logs="),
    ({"logs": GROUP}, r"logs: <.*> is no LogOptions; .* log_group="),
    ({"logs": LogOptions(), "log_group": GROUP}, "logs: are options of the log group that is made, and"),
    ({"log_group": GROUP, "query_logs": False}, "log_group: has no effect beside query_logs=False"),
    ({"alarm": True}, "alarm: True is no ControlAlarm"),
    ({"alarm": ControlAlarm(except_paths=["/tmp/*"])}, "ControlAlarm.except_paths has no effect on look-ups"),
    ({"also_allow": ["a b"]}, "also_allow: "),
    ({"also_allow_aws": ["lambada"]}, "also_allow_aws: "),
]


@pytest.mark.parametrize(("given", "text"), WRONG)
def test_arguments_are_checked(shop: cdk.Stack, vpc: ec2.Vpc, given: dict[str, Any], text: str) -> None:
    with pytest.raises(ShieldError, match=f"^Shop/Perimeter: .*{text}"):
        ShieldPerimeter(shop, "Perimeter", vpc=vpc, **given)


def test_a_vpc_has_one_perimeter(shop: cdk.Stack, vpc: ec2.Vpc) -> None:
    ShieldPerimeter(shop, "One", vpc=vpc)
    with pytest.raises(ShieldError, match="vpc: it has a perimeter already, Shop/One: give that one all functions"):
        ShieldPerimeter(shop, "Two", vpc=vpc)


def instance(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    kind = ec2.InstanceType("t3.micro")
    ec2.Instance(stack, "Bastion", vpc=vpc, instance_type=kind, machine_image=ec2.AmazonLinuxImage())


def database(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    aws.rds.DatabaseInstance(stack, "Db", engine=aws.rds.DatabaseInstanceEngine.POSTGRES, vpc=vpc)


def function(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    code = aws.lambda_.Code.from_inline("x")
    aws.lambda_.Function(stack, "Plain", vpc=vpc, runtime=aws.lambda_.Runtime.PYTHON_3_13, handler="i.h", code=code)


def untyped(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    """What MicroVMs and web functions go out by; as a type, or with a property, that this CDK does not know yet."""
    where = {"SubnetIds": [subnet.subnet_id for subnet in vpc.private_subnets]}
    new = {"Configuration": {"VpcEgressConfiguration": where}}
    cdk.CfnResource(stack, "New", type="AWS::Lambda::NetworkConnector", properties=new)
    cdk.CfnResource(stack, "Bare", type="AWS::Lambda::Function", properties={"VpcConfig": where})


def by_hand(stack: cdk.Stack, vpc: ec2.Vpc) -> None:
    """In a subnet that the VPC's construct does not know."""
    subnet = ec2.CfnSubnet(stack, "Extra", vpc_id=vpc.vpc_id, cidr_block="10.0.250.0/24")
    ec2.CfnNetworkInterface(stack, "Card", subnet_id=subnet.ref)


RESIDENTS: dict[Callable[[cdk.Stack, ec2.Vpc], object], str] = {
    instance: "Shop/Bastion (AWS::EC2::Instance)",
    database: "Shop/Db/SubnetGroup (AWS::RDS::DBSubnetGroup)",
    function: "Shop/Plain (AWS::Lambda::Function)",
    by_hand: "Shop/Card (AWS::EC2::NetworkInterface)",
    untyped: "Shop/Bare (AWS::Lambda::Function), Shop/New (AWS::Lambda::NetworkConnector)",
    provider: "Shop/Capacity (AWS::Lambda::CapacityProvider)",  # functions of other apps may run on it
}


@pytest.mark.parametrize("who", [list(RESIDENTS)[:3], list(RESIDENTS)[3:]])
def test_others_in_the_vpc_are_told(shop: cdk.Stack, vpc: ec2.Vpc, make: Make, who: Any, refused: Refused) -> None:
    for add in who:
        add(shop, vpc)
    make()
    text = refused()
    told, _, fix = text.partition("Shop/Perimeter: the VPC is not the functions' alone: ")[2].partition(". ")
    assert sorted(told.replace("/Default", "").split(", ")) == sorted(
        ", ".join(RESIDENTS[add] for add in who).split(", ")
    )
    assert "also_allow=[] if they need none" in fix


@pytest.mark.promise("perimeter.names")
@pytest.mark.parametrize("also", [{}, {"also_allow": ["tcp://api.stripe.com:443"]}])
def test_a_vpc_of_others_alone(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, walls: Walls, also: Any) -> None:
    """Programs that take no shield, and what goes out by a network connector, may have a perimeter too.

    Endpoints of others stay: images of ECR come from a bucket of AWS's, which no condition on the account admits.
    """
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    function(shop, vpc)
    untyped(shop, vpc)
    template = walls(also_allow_aws=["sqs"], **also)
    simulated = SimulatedPerimeter.from_template(template, region="eu-west-1")
    found = [simulated.look_up(name) for name in ("api.stripe.com", "sqs.eu-west-1.amazonaws.com", "evil.example")]
    assert found == ["ALLOW" if also else "BLOCK", "ALLOW", "BLOCK"]
    [endpoint] = of_type(template, "AWS::EC2::VPCEndpoint").values()
    assert "PolicyDocument" not in endpoint
    assert "The endpoint Shop/Vpc/S3 is left wider: the VPC has other residents" in " ".join(warnings(app))


@pytest.mark.parametrize(("mode", "action"), [("block", "BLOCK"), ("alert", "ALERT")])
def test_threats_are_looked_for_first(mode: Any, action: str, walls: Walls) -> None:
    template = walls(also_allow=["*.example.com"], threats=True, mode=mode)
    (group,) = of_type(template, "AWS::Route53Resolver::FirewallRuleGroup").values()
    rules = sorted(group["FirewallRules"], key=lambda rule: rule["Priority"])
    threats = [rule for rule in rules if "DnsThreatProtection" in rule]
    assert rules[:3] == threats
    assert [rule["DnsThreatProtection"] for rule in threats] == list(firewall.THREATS)
    assert {(rule["Action"], rule["ConfidenceThreshold"]) for rule in threats} == {(action, "HIGH")}
    assert SimulatedPerimeter.from_template(template).look_up("a.example.com") == "ALLOW"


def test_the_network_itself_is_nobody(shop: cdk.Stack, make: Make, walls: Walls) -> None:
    """NAT gateways, routes, endpoints, flow logs, and who only notes a subnet's id."""
    vpc = ec2.Vpc(shop, "Full", max_azs=2, nat_gateways=1, flow_logs={"All": ec2.FlowLogOptions()})
    vpc.add_interface_endpoint("Queues", service=ec2.InterfaceVpcEndpointAwsService.SQS)
    aws.ssm.StringParameter(shop, "Noted", string_value=vpc.private_subnets[0].subnet_id)
    other = ec2.Vpc(shop, "Other", max_azs=1)
    instance(shop, other)
    make(vpc=vpc)
    assert of_type(walls(vpc=vpc), "AWS::Route53Resolver::FirewallRuleGroup")


def test_egress_to_a_group(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, make: Make, walls: Walls) -> None:
    """As `connections.allow_to` writes it, where the policy has the port; and the warning for what it has not."""
    own = ec2.SecurityGroup(shop, "Own", vpc=vpc, allow_all_outbound=False)
    peer = ec2.SecurityGroup(shop, "Peer", vpc=vpc)
    own.add_egress_rule(peer, ec2.Port.tcp(5432))
    own.add_egress_rule(ec2.Peer.ipv4("198.51.100.0/24"), ec2.Port.tcp(25))
    make(security_groups=[own])
    make("Refund", ShieldPolicy(allow_outbound=["api.stripe.com"], allow_aws="none"))
    walls()
    any_port = "Shop/Refund may use any port of api.stripe.com, so its security group lets every port out"
    assert any(any_port in text for text in warnings(app))
    assert [text for text in warnings(app) if "loses the egress" in text] == [
        "Shop/Own loses the egress tcp 25 to 198.51.100.0/24, which no policy of its functions lists: list it in "
        "allow_outbound if it is needed. [ack: shielded-function:perimeterEgress-Shop/Own/Resource-tcp 25 to "
        "198.51.100.0/24]"
    ]


def test_more_names_than_the_firewall_takes(make: Make, monkeypatch: pytest.MonkeyPatch, refused: Refused) -> None:
    monkeypatch.setattr(firewall, "LISTS", 1)
    make(policy=ShieldPolicy(allow_aws="all"))
    assert "more than the 1,000 names that DNS Firewall takes: list domains by *. in place of their hosts" in refused()


def test_a_name_without_a_port(app: cdk.App, shop: cdk.Stack, make: Make, monkeypatch: Any, walls: Walls) -> None:
    """Without tokens; and an entry that a grant wrote is nobody's to edit.

    A granted name gives way to one with a port, which `allow_to` wrote. One that is listed both ways may use any port.
    """
    parameter = cdk.CfnParameter(shop, "Partner").value_as_string
    granted = {"search.example": "Shop/Search.DomainEndpoint"}
    monkeypatch.setattr(FunctionPolicy, "granted_hosts", property(lambda _: granted))
    make(policy=ShieldPolicy(allow_outbound=[parameter, "search.example"], allow_aws="none"))
    make("Port", ShieldPolicy(allow_outbound=["search.example", "tcp://search.example:443"], allow_aws="none"))
    make("Refund", ShieldPolicy(allow_outbound=["other.example", "other.example:443"], allow_aws="none"))
    template = walls()
    told = " ".join(text for text in warnings(app) if "every port" in text)
    assert "Shop/Checkout may use any port of <known at deployment>, so its security group" in told
    assert "Shop/Checkout is granted Shop/Search.DomainEndpoint, whose port is not known, so its security" in told
    assert "list it with its port, by shield.allow_to(...)" in told
    assert "${Token" not in told
    assert "Shop/Port" not in told
    assert egress_in(template, "Port") == {("tcp", "443", '"0.0.0.0/0"')}
    assert ("tcp", "0", '"0.0.0.0/0"') in egress_in(template, "Refund")


def test_an_unshielded_function_on_a_capacity_provider(
    shop: cdk.Stack, vpc: ec2.Vpc, make: Make, props: dict[str, Any], refused: Refused
) -> None:
    """It is told, not the provider; and its security group is not the shielded function's alone."""
    capacity: Any = provider(shop, vpc)
    capacity.add_function(make(vpc=None))
    capacity.add_function(aws.lambda_.Function(shop, "Plain", **props))
    text = refused()
    assert "the VPC is not the functions' alone: Shop/Plain (AWS::Lambda::Function)." in text
    assert "Shop/Plain has the security group Shop/Instances of Shop/Checkout too" in text


@pytest.mark.promise("perimeter.ports")
def test_functions_and_groups_that_do_not_fit(shop: cdk.Stack, vpc: ec2.Vpc, make: Make, refused: Refused) -> None:
    """Each is told, in one error."""
    later = cdk.CfnParameter(shop, "Hosts", type="CommaDelimitedList").value_as_list
    ports = [f"tcp://a.example:{port}" for port in range(1, 62)]
    for name, outbound in (("Later", later), ("Sip", ["_sip.example.com:5060"]), ("Many", ports)):
        make(name, ShieldPolicy(allow_outbound=outbound, allow_aws="none"))
    make("Alerts", POLICY.with_mode("alert"))
    make("Open", ShieldPolicy(outbound_connectivity="allow"))
    make("Theirs", security_groups=[ec2.SecurityGroup.from_security_group_id(shop, "Group", "sg-0a1b2c3d")])
    shared: Any = ec2.SecurityGroup(shop, "Shared", vpc=vpc)
    machine: Any = {"instance_type": ec2.InstanceType("t3.micro"), "machine_image": ec2.AmazonLinuxImage()}
    ec2.Instance(shop, "Bastion", vpc=vpc, security_group=shared, **machine)
    make("Shares", security_groups=[shared])
    rule: Any = {"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_ip": "0.0.0.0/0"}
    ec2.CfnSecurityGroupEgress(shop, "Mine", group_id=shared.security_group_id, **rule)
    chosen = [shop.node.find_child(name) for name in ("Later", "Sip", "Many", "Alerts", "Open", "Theirs", "Shares")]
    make("Unnamed")  # it would be cut off
    said = refused(functions=[*chosen, make("Outside", vpc=None)])
    for text in (
        "Shop/Alerts: its outbound_connectivity only alerts, and the perimeter would block",
        "Shop/Open: its outbound_connectivity is allow",
        "it is a list known only at deployment",
        "Shop/Sip: allow_outbound: _sip.example.com:5060: a domain list of DNS Firewall takes letters",
        "Shop/Many/SecurityGroup",
        "need 61 egress rules for IPv4, of which a security group takes 60",
        "Shop/Theirs: its security group sg-0a1b2c3d is not of this app",
        "give the function a group of this app, or say security_groups=False",
        "Shop/Bastion has the security group Shop/Shared of Shop/Shares too",
        "Shop/Mine opens tcp 22 to 0.0.0.0/0, which no policy of Shop/Shares lists",
        "functions: Shop/Outside: it is no shielded function in the VPC",
        "Shop/Unnamed (AWS::Lambda::Function)",
    ):
        assert text in said


def test_nobody_in_the_vpc(make: Make, refused: Refused) -> None:
    make(vpc=None)
    assert "there is no shielded function in the VPC: give functions vpc=" in refused()


def test_groups_may_stay_as_they_are(shop: cdk.Stack, make: Make, walls: Walls) -> None:
    group = ec2.SecurityGroup.from_security_group_id(shop, "Theirs", "sg-0a1b2c3d")
    make(security_groups=[group])
    walls(security_groups=False)
