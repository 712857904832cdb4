"""What `ShieldPerimeter` puts into templates: the firewall, egress, endpoints, query logs."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk.aws_cloudwatch_actions import SnsAction

from harness.function_template import of_type
from harness.linting import lint_errors
from shielded_function import ControlAlarm, Shield, ShieldedFunction, ShieldError, ShieldPerimeter, ShieldPolicy
from shielded_function.perimeter.rule_names import RESOLVER_OWN
from shielded_function.perimeter.simulated import SimulatedPerimeter
from shielded_function.testing.simulation import simulate_cloudwatch
from unit.constructs.aws import add_aspect, aws, l1_function

from .conftest import PLACE, POLICY, Make, Walls, provider, synthesize, warnings

pytestmark = pytest.mark.promise("perimeter.names")

ASSOCIATION = "AWS::Route53Resolver::FirewallRuleGroupAssociation"
ENDPOINT = "AWS::EC2::VPCEndpoint"
GROUP = "AWS::EC2::SecurityGroup"
LIST = "AWS::Route53Resolver::FirewallDomainList"
RULES = "AWS::Route53Resolver::FirewallRuleGroup"


def rules_of(template: dict[str, Any]) -> list[dict[str, Any]]:
    [group] = of_type(template, RULES).values()
    return group["FirewallRules"]


def domains_in(template: dict[str, Any]) -> list[Any]:
    return [domain for each in of_type(template, LIST).values() for domain in each["Domains"] if domain != "*"]


def egress_in(template: dict[str, Any], beginning: str = "Checkout") -> set[tuple[Any, ...]]:
    [group] = [p for name, p in of_type(template, GROUP).items() if name.startswith(beginning)]
    return {
        (rule["IpProtocol"], json.dumps(rule.get("FromPort")), json.dumps(rule.get("CidrIp") or rule.get("CidrIpv6")))
        for rule in group["SecurityGroupEgress"]
    }


def test_the_firewall_has_the_policies_names(make: Make, walls: Walls) -> None:
    make()
    make("Refund", ShieldPolicy(allow_outbound=["*.bank.example:443"], allow_aws="none"))
    make("Elsewhere", ShieldPolicy(allow_outbound=["elsewhere.example"]), vpc=None)
    template = walls(priority=300)
    allow, block = rules_of(template)
    assert (allow["Action"], allow["FirewallDomainRedirectionAction"]) == ("ALLOW", "TRUST_REDIRECTION_DOMAIN")
    assert (block["Action"], block["BlockResponse"]) == ("BLOCK", "NXDOMAIN")
    assert allow["Priority"] < block["Priority"]
    found = domains_in(template)
    assert set(RESOLVER_OWN) < set(found)
    assert {"api.stripe.com", "*.bank.example", "sqs.eu-west-1.amazonaws.com"} < set(found)
    assert "elsewhere.example" not in found
    assert "dynamodb.eu-west-1.amazonaws.com" not in found
    assert len(found) == len(set(found))
    [association] = of_type(template, ASSOCIATION).values()
    assert association["Priority"] == 300
    assert association["VpcId"] == {"Ref": next(iter(of_type(template, "AWS::EC2::VPC")))}


@pytest.mark.parametrize(("switch", "mode"), [(None, "alert"), ("alert", "block"), ("off", "block")])
def test_alert_mode_stops_nothing(tmp_path: Any, props: dict[str, Any], switch: str | None, mode: Any) -> None:
    """Nor does the switch of the context; off, the VPC has no rules."""
    app = cdk.App(outdir=str(tmp_path / "out"), context={"shield": switch} if switch else {}, analytics_reporting=False)
    shop = cdk.Stack(app, "Shop", env=PLACE)
    vpc = ec2.Vpc(shop, "Vpc", max_azs=2)
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    ShieldedFunction(shop, "Checkout", vpc=vpc, policy=POLICY.with_mode(mode), **props)
    ShieldPerimeter(shop, vpc=vpc, mode=mode)
    template = synthesize(app)
    assert [rule["Action"] for rule in rules_of(template)] == ["ALLOW", "ALERT"][switch == "off" :]
    assert bool(of_type(template, ASSOCIATION)) == (switch != "off")
    assert egress_in(template) == {("-1", "null", '"0.0.0.0/0"')}
    assert all("PolicyDocument" not in each for each in of_type(template, ENDPOINT).values())


@pytest.mark.promise("perimeter.ports")
def test_egress_is_each_functions_own(shop: cdk.Stack, vpc: ec2.Vpc, make: Make, walls: Walls) -> None:
    """File systems stay mounted; a group that functions share has the egress of each; an L1 function has its own."""
    make()
    refund = ["tcp://[2001:db8::/32]:8443", "udp://time.example:123"]
    make("Refund", ShieldPolicy(allow_outbound=refund, allow_aws="none"))
    closed = ShieldPolicy(allow_aws="none")
    make("Closed", closed)
    files = aws.efs.FileSystem(shop, "Files", vpc=vpc).add_access_point("Point")
    make("Mounts", closed, filesystem=aws.lambda_.FileSystem.from_efs_access_point(files, "/mnt/files"))
    shared = ec2.SecurityGroup(shop, "Shared", vpc=vpc)
    for port in (1, 2):
        of_port = ShieldPolicy(allow_outbound=[f"tcp://a.example:{port}"], allow_aws="none")
        make(f"Shares{port}", of_port, security_groups=[shared])
    lambdas = aws.iam.ServicePrincipal("lambda.amazonaws.com")
    group = ec2.CfnSecurityGroup(shop, "L1Group", group_description="g", vpc_id=vpc.vpc_id)
    subnets = [subnet.subnet_id for subnet in vpc.private_subnets]
    config = aws.lambda_.CfnFunction.VpcConfigProperty(subnet_ids=subnets, security_group_ids=[group.attr_group_id])
    role = aws.iam.Role(shop, "Role", assumed_by=lambdas).role_arn
    Shield(POLICY).apply(l1_function(shop, role, vpc_config=config))
    template = walls()
    [vpc_id] = of_type(template, "AWS::EC2::VPC")
    anywhere, of_policy = '"0.0.0.0/0"', {("tcp", "443", '"0.0.0.0/0"'), ("tcp", "5432", '"10.0.0.0/16"')}
    expected = {
        "Checkout": of_policy,
        "Refund": {("tcp", "8443", '"2001:db8::/32"'), ("udp", "123", anywhere)},
        "Closed": {("icmp", "252", '"255.255.255.255/32"')},
        "Mounts": {("tcp", "2049", json.dumps({"Fn::GetAtt": [vpc_id, "CidrBlock"]}))},
        "Shared": {("tcp", "1", anywhere), ("tcp", "2", anywhere)},
        "L1Group": of_policy,
    }
    assert {name: egress_in(template, name) for name in expected} == expected


def test_hosts_that_the_stack_makes(shop: cdk.Stack, vpc: ec2.Vpc, make: Make, walls: Walls) -> None:
    """A database by name and port, a VPC and a machine by their networks, a cluster's many names."""
    database = aws.rds.DatabaseInstance(shop, "Db", engine=aws.rds.DatabaseInstanceEngine.POSTGRES, vpc=vpc)
    cache: Any = {"replication_group_description": "c", "cluster_mode": "disabled", "port": 6379}
    group = aws.elasticache.CfnReplicationGroup(shop, "Cache", **cache)
    peer = ec2.Vpc(shop, "Peer", max_azs=1, ip_addresses=ec2.IpAddresses.cidr("10.9.0.0/16"))
    parameter = cdk.CfnParameter(shop, "Partner", type="String")
    hosts = [database, group, peer, f"{parameter.value_as_string}:443"]
    make(policy=ShieldPolicy(allow_outbound=hosts, allow_aws="none"))
    template = walls(also_allow=[])
    [db] = of_type(template, "AWS::RDS::DBInstance")
    [listed] = [each["Domains"] for each in of_type(template, LIST).values() if each["Domains"] != ["*"]]
    # One text with commas, split by CloudFormation, as the cluster has nobody knows how many nodes.
    assert list(listed) == ["Fn::Split"]
    assert "CidrBlock" not in json.dumps(listed)
    values = {f"{db}.Endpoint.Address": "db.example", f"{db}.Endpoint.Port": "5432", "Partner": "partner.example"}
    for name, host in (("Primary", "p.example"), ("Reader", "r.example")):
        values |= {f"Cache.{name}EndPoint.Address": host, f"Cache.{name}EndPoint.Port": "6379"}
    values |= {f"{name}.CidrBlock": "10.9.0.0/16" for name in of_type(template, "AWS::EC2::VPC")}
    nodes: Any = ["n1.example", "n2.example", "n3.example"]
    perimeter = SimulatedPerimeter.from_template(template, values={**values, "Cache.ReadEndPoint.AddressesList": nodes})
    wanted = ("db.example", "partner.example", "p.example", "r.example", *nodes)
    assert {perimeter.look_up(name) for name in wanted} == {"ALLOW"}
    assert perimeter.look_up("n4.example") == "BLOCK"
    [function] = of_type(template, "AWS::Lambda::Function")
    assert perimeter.reach(function, "db.example:5432")
    assert perimeter.reach(function, "n3.example:6379")
    assert perimeter.reach(function, "10.9.1.1:7")
    assert not perimeter.reach(function, "10.8.1.1:7")


@pytest.mark.promise("perimeter.endpoints")
def test_grants_are_names_and_endpoints(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, make: Make) -> None:
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    vpc.add_gateway_endpoint("Tables", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
    vpc.add_interface_endpoint("Queues", service=ec2.InterfaceVpcEndpointAwsService.SQS)
    bucket = s3.Bucket(shop, "Orders")
    key = aws.dynamodb.Attribute(name="id", type=aws.dynamodb.AttributeType.STRING)
    table = aws.dynamodb.TableV2(shop, "Carts", partition_key=key)
    function = make(policy=ShieldPolicy(allow_aws="granted"))
    bucket.grant_read(function)
    ShieldPerimeter(shop, vpc=vpc, accounts=["444455556666"])
    table.grant_read_data(function)  # later than the perimeter
    template = synthesize(app)
    [bucket_id] = of_type(template, "AWS::S3::Bucket")
    names = [json.dumps(domain) for domain in domains_in(template)]
    assert '"dynamodb.eu-west-1.amazonaws.com"' in names
    assert json.dumps({"Fn::Join": ["", [{"Ref": bucket_id}, ".s3.eu-west-1.amazonaws.com"]]}) in names
    endpoints = {name: each["PolicyDocument"]["Statement"] for name, each in of_type(template, ENDPOINT).items()}
    [objects] = next(each for name, each in endpoints.items() if name.startswith("VpcS3"))
    arn = {"Fn::GetAtt": [bucket_id, "Arn"]}
    assert objects["Resource"] == [arn, {"Fn::Join": ["", [arn, "/*"]]}]
    assert objects["Action"] == "s3:*"
    accounts = ["111122223333", "444455556666"]
    assert objects["Condition"] == {"StringEquals": {"aws:PrincipalAccount": accounts, "aws:ResourceAccount": accounts}}
    [items] = next(each for name, each in endpoints.items() if name.startswith("VpcTables"))
    assert len(items["Resource"]) == 1
    [messages] = next(each for name, each in endpoints.items() if name.startswith("VpcQueues"))
    assert (messages["Effect"], messages["Action"]) == ("Deny", "*")  # nothing of SQS is granted
    assert lint_errors(template) == []
    rules_of(template)[0]["Action"] = "FORBID"
    next(iter(of_type(template, ASSOCIATION).values())).pop("VpcId")
    assert len(lint_errors(template)) == 2, "cfn-lint knows these resources"


@pytest.mark.promise("perimeter.endpoints")
def test_an_organization_in_place_of_accounts(vpc: ec2.Vpc, make: Make, walls: Walls) -> None:
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    make()
    [endpoint] = of_type(walls(organization="o-a1b2c3", endpoint_policies="account"), ENDPOINT).values()
    [statement] = endpoint["PolicyDocument"]["Statement"]
    conditions = {"aws:PrincipalOrgID": "o-a1b2c3", "aws:ResourceOrgID": "o-a1b2c3"}
    assert (statement["Resource"], statement["Condition"]) == ("*", {"StringEquals": conditions})


def test_endpoints_that_stay_as_they_are(app: cdk.App, vpc: ec2.Vpc, make: Make, walls: Walls) -> None:
    """One with its own policy, one of a service without resources of an account, one whose grants name no resource."""
    anybody = aws.iam.AnyPrincipal()
    own = vpc.add_interface_endpoint("Queues", service=ec2.InterfaceVpcEndpointAwsService.SQS)
    own.add_to_policy(aws.iam.PolicyStatement(actions=["sqs:SendMessage"], resources=["*"], principals=[anybody]))
    vpc.add_interface_endpoint("Metrics", service=ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING)
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    make().add_to_role_policy(aws.iam.PolicyStatement(actions=["s3:PutObject"], resources=["*"]))
    found = of_type(walls(), ENDPOINT)
    queues, metrics, objects = (
        next(each.get("PolicyDocument") for name, each in found.items() if name.startswith(f"Vpc{kind}"))
        for kind in ("Queues", "Metrics", "S3")
    )
    assert (queues["Statement"][0]["Action"], metrics, objects["Statement"][0]["Resource"]) == (
        "sqs:SendMessage", None, "*",
    )  # fmt: skip
    told = " ".join(warnings(app))
    assert "The endpoint Shop/Vpc/Queues is left wider: it has its own policy, which stays" in told
    assert "The endpoint Shop/Vpc/Metrics is left wider: its service (monitoring)" in told
    assert "the grants of Shop/Checkout on s3 name no resources" in told


def test_several_stacks(app: cdk.App, props: dict[str, Any]) -> None:
    """The VPC in one, functions in another, the perimeter in a third: no reference goes round in a circle."""
    network, shop, walls = (cdk.Stack(app, name, env=PLACE) for name in ("Network", "Shop", "Walls"))
    vpc = ec2.Vpc(network, "Vpc", max_azs=2)
    vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    bucket = s3.Bucket(shop, "Orders")
    database = aws.rds.DatabaseInstance(shop, "Db", engine=aws.rds.DatabaseInstanceEngine.POSTGRES, vpc=vpc)
    policy = ShieldPolicy(allow_outbound=[database, vpc], allow_aws="granted")
    bucket.grant_read(ShieldedFunction(shop, "Checkout", vpc=vpc, policy=policy, **props))
    ShieldPerimeter(walls, vpc=vpc, also_allow=["pool.ntp.org"])
    template = synthesize(app, "Walls")
    names = json.dumps(domains_in(template))
    assert "pool.ntp.org" in names
    assert names.count("Fn::ImportValue") >= 2  # the database and the bucket
    assert "CidrBlock" not in names
    [endpoint] = of_type(synthesize(app, "Network"), ENDPOINT).values()
    assert endpoint["PolicyDocument"]["Statement"][0]["Resource"] == "*"
    assert any("Shop/Orders is in another stack" in text for text in warnings(app, "Walls"))


def test_functions_may_be_shielded_later(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, props: dict[str, Any]) -> None:
    """By `Shield.everywhere`, and by an aspect."""
    ShieldPerimeter(shop, vpc=vpc)
    aws.lambda_.Function(shop, "Checkout", vpc=vpc, **props)
    later = cdk.Stack(app, "Later", env=PLACE)
    aws.lambda_.Function(later, "Refund", vpc=vpc, **props)
    Shield.everywhere(shop, POLICY)
    cdk.Aspects.of(later).add(Shield(ShieldPolicy(allow_outbound=["tcp://refund.example:444"], allow_aws="all")))
    names = domains_in(synthesize(app))
    assert {"api.stripe.com", "refund.example", "lambda.eu-west-1.amazonaws.com"} < set(names)
    assert len(names) > 2000  # more lists than the first function needed
    found = egress_in(synthesize(app, "Later"), "Refund")
    assert ("tcp", "444", '"0.0.0.0/0"') in found
    assert ("tcp", "443", '"0.0.0.0/0"') in found


def test_a_function_on_a_capacity_provider(shop: cdk.Stack, vpc: ec2.Vpc, make: Make, walls: Walls) -> None:
    """Its names are in the list, with those of its logs, and the provider's group has its egress."""
    capacity: Any = provider(shop, vpc)
    capacity.add_function(make(vpc=None, policy=ShieldPolicy(allow_outbound=["api.stripe.com:8443"], allow_aws="none")))
    vpc.add_interface_endpoint("Logs", service=ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS)
    template = walls()
    names = domains_in(template)
    assert {"api.stripe.com", "logs.eu-west-1.amazonaws.com", "xray.eu-west-1.amazonaws.com"} < set(names)
    anywhere = '"0.0.0.0/0"'
    opened = {("tcp", "443", anywhere), ("tcp", "8443", anywhere), ("udp", "8443", anywhere)}
    assert egress_in(template, "Instances") == opened
    [logs] = [each for name, each in of_type(template, "AWS::EC2::VPCEndpoint").items() if "Logs" in name]
    assert logs["PolicyDocument"]["Statement"][0]["Resource"] == "*"


@pytest.mark.parametrize("of_l1", [True, False])
def test_an_imported_vpc(app: cdk.App, shop: cdk.Stack, make: Make, walls: Walls, of_l1: bool) -> None:
    """By its id, which is a token where L1 constructs make it."""
    network = ec2.CfnVPC(shop, "Network", cidr_block="10.2.0.0/16")
    subnet = ec2.CfnSubnet(shop, "Subnet", vpc_id=network.ref, cidr_block="10.2.0.0/24")
    ids: Any = {"vpc_id": "vpc-0a1b2c3d", "private_subnet_ids": ["subnet-0a1b2c3d"], "vpc_cidr_block": "10.1.0.0/16"}
    if of_l1:
        ids = {"vpc_id": network.ref, "private_subnet_ids": [subnet.ref]}
    imported = ec2.Vpc.from_vpc_attributes(shop, "Imported", availability_zones=["eu-west-1a"], **ids)
    make(vpc=imported)
    template = walls(vpc=imported, also_allow_aws=["ecr"] if of_l1 else "all")
    [association] = of_type(template, ASSOCIATION).values()
    assert association["VpcId"] == ({"Ref": "Network"} if of_l1 else "vpc-0a1b2c3d")
    assert {"api.stripe.com", "api.ecr.eu-west-1.amazonaws.com"} < set(domains_in(template))
    assert egress_in(template) == {("tcp", "443", '"0.0.0.0/0"'), ("tcp", "5432", '"10.0.0.0/16"')}
    assert any("The VPC is imported" in text for text in warnings(app))


def test_query_logs_and_their_alarm(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, make: Make) -> None:
    """A line that the firewall stopped raises the alarm, another does not, and an excepted host neither."""
    topic = aws.sns.Topic(shop, "Topic")
    make()
    told: Any = {"actions": [SnsAction(topic)], "runbook": "https://run.example"}
    alarm = ControlAlarm(except_hosts=["*.noise.example"], threshold=2, **told)
    perimeter = ShieldPerimeter(shop, vpc=vpc, alarm=alarm)
    assert perimeter.log_group is not None
    perimeter.metric_violations().create_alarm(shop, "Mine", threshold=2, evaluation_periods=1)
    template = synthesize(app)
    [vpc_id] = of_type(template, "AWS::EC2::VPC")
    cloudwatch = simulate_cloudwatch(template, values={vpc_id: "vpc-1"})
    [found] = [each for each in cloudwatch.alarms if each.place.logical_id.startswith("ShieldPerimeter")]
    [config] = of_type(template, "AWS::Route53Resolver::ResolverQueryLoggingConfig").values()
    group_id = config["DestinationArn"]["Fn::GetAtt"][0]
    assert template["Resources"][group_id]["Properties"]["RetentionInDays"] == 30
    [group] = [each.log_group for each in cloudwatch.filters if group_id in each.log_group]

    def line(name: str, action: str | None) -> str:
        firewall = {"firewall_rule_action": action} if action else {}
        return json.dumps({"vpc_id": "vpc-1", "query_name": name, "srcaddr": "10.0.0.7", **firewall})

    quiet = [line("api.stripe.com.", None), line("x.noise.example.", "BLOCK"), line("evil.example.", "BLOCK")]
    cloudwatch.put_log_events(group, quiet, at=60)
    cloudwatch.evaluate(at=60)
    assert found not in cloudwatch.firing
    cloudwatch.put_log_events(group, [line("evil.example.", "BLOCK"), line("evil.example.", "ALERT")], at=120)
    cloudwatch.evaluate(at=120)
    assert found in cloudwatch.firing
    assert any(each.place.logical_id.startswith("Mine") for each in cloudwatch.firing)
    [resource] = [each for name, each in of_type(template, "AWS::CloudWatch::Alarm").items() if "Perimeter" in name]
    assert resource["AlarmActions"] == [{"Ref": next(iter(of_type(template, "AWS::SNS::Topic")))}]
    assert resource["AlarmDescription"].endswith("https://run.example")


@pytest.mark.parametrize("given", [True, False])
def test_no_query_logs_of_its_own(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, make: Make, given: bool) -> None:
    """There are some already, or none are wanted."""
    group = logs.LogGroup(shop, "Queries")
    make()
    perimeter = ShieldPerimeter(shop, vpc=vpc, log_group=group if given else None, query_logs=given)
    template = synthesize(app)
    assert not of_type(template, "AWS::Route53Resolver::ResolverQueryLoggingConfig")
    assert not of_type(template, "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation")
    [group_id] = [name for name in of_type(template, "AWS::Logs::LogGroup") if name.startswith("Queries")]
    filters = of_type(template, "AWS::Logs::MetricFilter").values()
    assert ({"Ref": group_id} in [each["LogGroupName"] for each in filters]) == given
    if not given:
        assert (perimeter.log_group, perimeter.metric_filter, perimeter.alarm) == (None, None, None)
        with pytest.raises(ShieldError, match="metric_violations: there are no query logs: leave query_logs=False out"):
            perimeter.metric_violations()


def test_aspects_behind_it_have_their_say(app: cdk.App, shop: cdk.Stack, vpc: ec2.Vpc, make: Make) -> None:
    """It reads nothing early that the CDK would then keep, such as the containers of a task."""
    ShieldPerimeter(shop, vpc=vpc, also_allow=[])
    task = ecs.FargateTaskDefinition(shop, "Task")
    task.add_container("Main", image=ecs.ContainerImage.from_registry("nginx"))
    ecs.FargateService(shop, "Web", cluster=ecs.Cluster(shop, "Cluster", vpc=vpc), task_definition=task)
    make()

    def add_sidecar(node: Any) -> None:
        if isinstance(node, ecs.TaskDefinition) and node.find_container("Sidecar") is None:
            node.add_container("Sidecar", image=ecs.ContainerImage.from_registry("envoy"))

    add_aspect(shop, add_sidecar, priority=990)
    [definition] = of_type(synthesize(app), "AWS::ECS::TaskDefinition").values()
    assert [each["Name"] for each in definition["ContainerDefinitions"]] == ["Main", "Sidecar"]


def test_names_lead_to_ipv6_where_it_can_be(shop: cdk.Stack, make: Make, walls: Walls) -> None:
    dual = ec2.Vpc(shop, "Dual", max_azs=2, ip_protocol=ec2.IpProtocol.DUAL_STACK)
    policy = ShieldPolicy(allow_outbound=["tcp://api.stripe.com:443"], allow_aws="none")
    make(policy=policy, vpc=dual, ipv6_allowed_for_dual_stack=True)
    assert egress_in(walls(vpc=dual)) == {("tcp", "443", '"0.0.0.0/0"'), ("tcp", "443", '"::/0"')}
