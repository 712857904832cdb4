"""Every row of the tables, on a synthesized template: the entry that a function gets is the right attribute."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import pytest

from harness.linting import lint
from shielded_function import hosts
from unit.constructs import hosts as unit_hosts
from unit.constructs.aws import aws, new
from unit.constructs.hosts.conftest import make_function

pytestmark = pytest.mark.promise("construct.hosts")

apigatewayv2, elbv2 = aws.apigatewayv2, aws.elasticloadbalancingv2
AURORA: Final = aws.rds.DatabaseClusterEngine.aurora_postgres(version=aws.rds.AuroraPostgresEngineVersion.VER_16_6)
WRITER: Final = aws.rds.ClusterInstance.serverless_v2("w")
AT: Final = "{X.Endpoint.Address}:{X.Endpoint.Port}"
AT_READERS: Final = "{X.ReadEndpoint.Address}:{X.Endpoint.Port}"
PRIMARY: Final = (
    "{X.PrimaryEndPoint.Address}:{X.PrimaryEndPoint.Port}",
    "{X.ReaderEndPoint.Address}:{X.ReaderEndPoint.Port}",
)
CLUSTER: Final = "*.split('clustercfg.', {X.ConfigurationEndPoint.Address})[1]:{X.ConfigurationEndPoint.Port}"
EXECUTE_API: Final = "{X}.execute-api.{region}.{suffix}:443"
IMPORTED_API: Final = "abc.execute-api.{region}.{suffix}:443"


def vpc(s: Any) -> Any:
    """One for all of a stack."""
    return s.node.try_find_child("Vpc") or aws.ec2.Vpc(s, "Vpc", max_azs=2, nat_gateways=0)


def isolated(_: Any) -> Any:
    return aws.ec2.SubnetSelection(subnet_type=aws.ec2.SubnetType.PRIVATE_ISOLATED)


IN_VPC: Final = {"vpc": vpc, "vpc_subnets": isolated}


@dataclass(frozen=True)
class Row:
    """A construct, made in a stack, and its entries: `{X.Attribute}` is of the resource at that path."""

    make: Callable[[Any], Any]
    entries: tuple[str, ...]


def row(make: Any, *entries: str, construct_id: str = "X", **props: Any) -> Row:
    return Row(new(make, construct_id, **props), entries)


POSTGRES: Final = {"engine": aws.rds.DatabaseInstanceEngine.POSTGRES, **IN_VPC}
IMPORTED: Final = {"cluster_identifier": "c", "cluster_endpoint_address": "w.x"}
SEARCH: Final = "search-x-abc.us-east-1.es.amazonaws.com"
SIZE: Final = aws.ec2.InstanceType("r5.large")
DOCUMENTS: Final = {"master_user": aws.docdb.Login(username="u"), "instance_type": SIZE, "instances": 2, **IN_VPC}
instance = new(aws.rds.DatabaseInstance, **POSTGRES)
http, web_socket = new(apigatewayv2.HttpApi), new(apigatewayv2.WebSocketApi)


def proxy(s: Any, _: str = "") -> Any:
    database = instance(s)
    return database.add_proxy("P", secrets=[database.secret], vpc=vpc(s), vpc_subnets=isolated(s))


def replication_group(s: Any, construct_id: str, **props: Any) -> Any:
    return aws.elasticache.CfnReplicationGroup(s, construct_id, replication_group_description="d", **props)


def broker(s: Any, construct_id: str, **props: Any) -> Any:
    size: dict[str, Any] = {"host_instance_type": "mq.m5.large", "publicly_accessible": False, "users": []}
    return aws.amazonmq.CfnBroker(s, construct_id, broker_name="b", **size, **props)


def rest(s: Any, _: str = "") -> Any:
    api = aws.apigateway.RestApi(s, "X")
    api.root.add_method("GET")
    return api


def certificate(s: Any) -> Any:
    arn = "arn:aws:acm:us-east-1:111111111111:certificate/c"
    return aws.certificatemanager.Certificate.from_certificate_arn(s, "C", arn)


def two_blocks(s: Any, _: str) -> Any:
    made = vpc(s)
    aws.ec2.CfnVPCCidrBlock(made, "Second", vpc_id=made.vpc_id, cidr_block="10.1.0.0/16")
    return made


def balancer(kind: str) -> dict[str, Any]:
    arn = f"arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/{kind}/b/1"
    return {"load_balancer_arn": arn, "load_balancer_dns_name": "b.elb.amazonaws.com"}


ROWS: Final = {
    "rds_instance": row(aws.rds.DatabaseInstance, AT, **POSTGRES),
    "rds_instance_from_snapshot": row(aws.rds.DatabaseInstanceFromSnapshot, AT, snapshot_identifier="s", **POSTGRES),
    "rds_read_replica": row(
        aws.rds.DatabaseInstanceReadReplica,
        "{Replica.Endpoint.Address}:{Replica.Endpoint.Port}",
        construct_id="Replica",
        source_database_instance=instance,
        instance_type=SIZE,
        **IN_VPC,
    ),
    "rds_instance_imported": row(
        aws.rds.DatabaseInstance.from_database_instance_attributes,
        "d.x:5432",
        instance_identifier="db",
        instance_endpoint_address="d.x",
        port=5432,
        security_groups=[],
    ),
    "rds_cluster": row(
        aws.rds.DatabaseCluster,
        AT,
        AT_READERS,
        engine=AURORA,
        writer=WRITER,
        readers=[aws.rds.ClusterInstance.serverless_v2("r")],
        **IN_VPC,
    ),
    "rds_cluster_from_snapshot": row(
        aws.rds.DatabaseClusterFromSnapshot,
        AT,
        AT_READERS,
        engine=AURORA,
        snapshot_identifier="s",
        writer=WRITER,
        **IN_VPC,
    ),
    "rds_cluster_imported": row(
        aws.rds.DatabaseCluster.from_database_cluster_attributes,
        "w.x:3306",
        "r.x:3306",
        **IMPORTED,
        reader_endpoint_address="r.x",
        port=3306,
    ),
    "rds_cluster_imported_without_reader": row(
        aws.rds.DatabaseCluster.from_database_cluster_attributes, "w.x:3306", **IMPORTED, port=3306
    ),
    "rds_serverless": row(aws.rds.ServerlessCluster, AT, AT_READERS, engine=AURORA, **IN_VPC),
    "rds_serverless_from_snapshot": row(
        aws.rds.ServerlessClusterFromSnapshot, AT, AT_READERS, engine=AURORA, snapshot_identifier="s", **IN_VPC
    ),
    "rds_serverless_imported": row(
        aws.rds.ServerlessCluster.from_serverless_cluster_attributes,
        "w.x:3306",
        "r.x:3306",
        **IMPORTED,
        reader_endpoint_address="r.x",
        port=3306,
    ),
    "rds_proxy": row(proxy, "{X/P.Endpoint}:5432"),
    "rds_proxy_endpoint": row(
        aws.rds.DatabaseProxyEndpoint, "{Y.Endpoint}:5432", construct_id="Y", db_proxy=proxy, **IN_VPC
    ),
    "rds_proxy_imported": row(
        aws.rds.DatabaseProxy.from_database_proxy_attributes,
        "p.x",
        db_proxy_arn="arn:aws:rds:us-east-1:111111111111:db-proxy:p",
        db_proxy_name="p",
        endpoint="p.x",
        security_groups=[],
    ),
    "rds_cfn_proxy": row(
        aws.rds.CfnDBProxy,
        "{X.Endpoint}:5432",
        auth=[],
        db_proxy_name="p",
        engine_family="POSTGRESQL",
        role_arn="a",
        vpc_subnet_ids=["s"],
    ),
    "rds_cfn_proxy_endpoint": row(
        aws.rds.CfnDBProxyEndpoint, "{X.Endpoint}", db_proxy_endpoint_name="e", db_proxy_name="p", vpc_subnet_ids=["s"]
    ),
    "rds_cfn_instance": row(aws.rds.CfnDBInstance, AT, engine="postgres"),
    "rds_cfn_cluster": row(aws.rds.CfnDBCluster, AT, AT_READERS, engine="aurora-postgresql"),
    "docdb_cluster": row(
        aws.docdb.DatabaseCluster,
        "{X.Endpoint}:{X.Port}",
        "{X.ReadEndpoint}:{X.Port}",
        "{X/Instance1.Endpoint}:{X.Port}",
        "{X/Instance2.Endpoint}:{X.Port}",
        **DOCUMENTS,
    ),
    "docdb_cluster_imported": row(
        aws.docdb.DatabaseCluster.from_database_cluster_attributes,
        "w.x:27017",
        "r.x:27017",
        "one.x:27017",
        **IMPORTED,
        reader_endpoint_address="r.x",
        instance_endpoint_addresses=["one.x"],
        instance_identifiers=["one"],
        port=27017,
    ),
    "docdb_instance": row(
        aws.docdb.DatabaseInstance,
        "{Y.Endpoint}:{Y.Port}",
        construct_id="Y",
        cluster=new(aws.docdb.DatabaseCluster, **DOCUMENTS),
        instance_type=SIZE,
    ),
    "docdb_cfn_instance": row(
        aws.docdb.CfnDBInstance, "{X.Endpoint}:{X.Port}", db_cluster_identifier="c", db_instance_class="db.r5.large"
    ),
    "neptune_cluster": row(aws.neptune.CfnDBCluster, "{X.Endpoint}:{X.Port}", "{X.ReadEndpoint}:{X.Port}"),
    "neptune_instance": row(aws.neptune.CfnDBInstance, "{X.Endpoint}:{X.Port}", db_instance_class="db.r5.large"),
    "redshift_cluster": row(
        aws.redshift.CfnCluster, AT, cluster_type="single-node", db_name="d", master_username="u", node_type="ra3.large"
    ),
    "redshift_workgroup": row(
        aws.redshiftserverless.CfnWorkgroup, "{X.Workgroup.Endpoint.Address}:5439", workgroup_name="w"
    ),
    "dsql_cluster": row(aws.dsql.CfnCluster, "{X.Endpoint}:5432"),
    "influxdb_instance": row(aws.timestream.CfnInfluxDBInstance, "{X.Endpoint}"),
    "opensearch_domain": row(
        aws.opensearchservice.Domain,
        "{X.DomainEndpoint}:443",
        version=aws.opensearchservice.EngineVersion.OPENSEARCH_2_19,
    ),
    "opensearch_domain_imported": row(
        aws.opensearchservice.Domain.from_domain_endpoint, f"{SEARCH}:443", domain_endpoint=f"https://{SEARCH}"
    ),
    "opensearch_cfn_domain": row(aws.opensearchservice.CfnDomain, "{X.DomainEndpoint}:443"),
    "elasticsearch_domain": row(
        aws.elasticsearch.Domain, "{X.DomainEndpoint}:443", version=aws.elasticsearch.ElasticsearchVersion.V7_10
    ),
    "elasticsearch_domain_imported": row(
        aws.elasticsearch.Domain.from_domain_endpoint, f"{SEARCH}:443", domain_endpoint=f"https://{SEARCH}"
    ),
    "elasticsearch_cfn_domain": row(aws.elasticsearch.CfnDomain, "{X.DomainEndpoint}:443"),
    "opensearch_serverless": row(
        aws.opensearchserverless.CfnCollection, "split('/', {X.CollectionEndpoint})[2]:443", name="c"
    ),
    "elasticache_cluster_mode": row(
        replication_group, CLUSTER, cluster_mode="enabled", transit_encryption_enabled=True
    ),
    "elasticache_cluster_mode_by_parameter_group": row(
        replication_group,
        CLUSTER,
        cache_parameter_group_name="default.redis7.cluster.on",
        transit_encryption_enabled=True,
    ),
    "elasticache_one_group": row(
        replication_group, *PRIMARY, "join(':6379,', {X.ReadEndPoint.AddressesList}):6379", num_cache_clusters=2
    ),
    "elasticache_one_group_by_cluster_mode": row(
        replication_group,
        *PRIMARY,
        "join(':6379,', {X.ReadEndPoint.AddressesList}):6379",
        cluster_mode="disabled",
        cache_parameter_group_name="mine",
    ),
    "elasticache_one_group_with_a_port_from_outside": row(
        replication_group,
        *PRIMARY,
        "join(',', {X.ReadEndPoint.AddressesList})",
        port=lambda s: cdk.CfnParameter(s, "Port", type="Number").value_as_number,
    ),
    "elasticache_one_group_with_a_port": row(
        replication_group, *PRIMARY, "join(':7000,', {X.ReadEndPoint.AddressesList}):7000", port=7000
    ),
    "elasticache_memcached": row(
        aws.elasticache.CfnCacheCluster,
        "{X.ConfigurationEndpoint.Address}:{X.ConfigurationEndpoint.Port}",
        "join('.0001.', split('.cfg.', {X.ConfigurationEndpoint.Address})):{X.ConfigurationEndpoint.Port}",
        "join('.0002.', split('.cfg.', {X.ConfigurationEndpoint.Address})):{X.ConfigurationEndpoint.Port}",
        cache_node_type="cache.t3.micro",
        engine="memcached",
        num_cache_nodes=2,
    ),
    "elasticache_redis": row(
        aws.elasticache.CfnCacheCluster,
        "{X.RedisEndpoint.Address}:{X.RedisEndpoint.Port}",
        cache_node_type="cache.t3.micro",
        engine="redis",
        num_cache_nodes=1,
    ),
    "elasticache_serverless": row(
        aws.elasticache.CfnServerlessCache,
        AT,
        "{X.ReaderEndpoint.Address}:{X.ReaderEndpoint.Port}",
        engine="valkey",
        serverless_cache_name="c",
    ),
    "memorydb_cluster": row(
        aws.memorydb.CfnCluster,
        "*.split('clustercfg.', {X.ClusterEndpoint.Address})[1]:6379",
        acl_name="a",
        cluster_name="c",
        node_type="db.t4g.small",
    ),
    "active_mq": row(
        broker,
        "split(':', split('/', {X.OpenWireEndpoints}[0])[2])[0]",
        "split(':', split('/', {X.OpenWireEndpoints}[1])[2])[0]",
        engine_type="ActiveMQ",
        deployment_mode="ACTIVE_STANDBY_MULTI_AZ",
    ),
    "rabbit_mq": row(
        broker,
        "split(':', split('/', {X.AmqpEndpoints}[0])[2])[0]",
        engine_type="RABBITMQ",
        deployment_mode="CLUSTER_MULTI_AZ",
    ),
    "function_url": row(
        lambda s, _: make_function(s).add_function_url(), "split('/', {Fn/FunctionUrl.FunctionUrl})[2]:443"
    ),
    "cfn_url": row(aws.lambda_.CfnUrl, "split('/', {X.FunctionUrl})[2]:443", auth_type="NONE", target_function_arn="f"),
    "http_api": row(apigatewayv2.HttpApi, EXECUTE_API),
    "http_api_imported": row(apigatewayv2.HttpApi.from_http_api_attributes, IMPORTED_API, http_api_id="abc"),
    "http_stage": row(apigatewayv2.HttpStage, EXECUTE_API, construct_id="Y", http_api=http, stage_name="s"),
    "http_stage_imported": row(
        apigatewayv2.HttpStage.from_http_stage_attributes, EXECUTE_API, construct_id="Y", api=http, stage_name="s"
    ),
    "web_socket_api": row(apigatewayv2.WebSocketApi, EXECUTE_API),
    "web_socket_api_imported": row(
        apigatewayv2.WebSocketApi.from_web_socket_api_attributes, IMPORTED_API, web_socket_id="abc"
    ),
    "web_socket_stage": row(
        apigatewayv2.WebSocketStage, EXECUTE_API, construct_id="Y", web_socket_api=web_socket, stage_name="s"
    ),
    "web_socket_stage_imported": row(
        apigatewayv2.WebSocketStage.from_web_socket_stage_attributes,
        EXECUTE_API,
        construct_id="Y",
        api=web_socket,
        stage_name="s",
    ),
    "cfn_api": row(apigatewayv2.CfnApi, "split('/', {X.ApiEndpoint})[2]:443", name="a", protocol_type="HTTP"),
    "rest_api": row(rest, EXECUTE_API),
    "lambda_rest_api": row(aws.apigateway.LambdaRestApi, EXECUTE_API, handler=make_function),
    "spec_rest_api": row(
        aws.apigateway.SpecRestApi,
        EXECUTE_API,
        api_definition=aws.apigateway.ApiDefinition.from_inline({"openapi": "3.0.2"}),
    ),
    "rest_api_imported": row(
        aws.apigateway.RestApi.from_rest_api_id, IMPORTED_API, rest_api_id="abc", construct_id="abc"
    ),
    "rest_stage": row(lambda s, _: rest(s).deployment_stage, EXECUTE_API),
    "rest_stage_imported": row(
        aws.apigateway.Stage.from_stage_attributes, EXECUTE_API, construct_id="Y", rest_api=rest, stage_name="s"
    ),
    "cfn_rest_api": row(aws.apigateway.CfnRestApi, EXECUTE_API, name="a"),
    "rest_domain": row(aws.apigateway.DomainName, "{X}:443", certificate=certificate, domain_name="api.example.com"),
    "rest_domain_imported": row(
        aws.apigateway.DomainName.from_domain_name_attributes,
        "api.example.com:443",
        domain_name="api.example.com",
        domain_name_alias_hosted_zone_id="z",
        domain_name_alias_target="t",
    ),
    "http_domain": row(apigatewayv2.DomainName, "{X}:443", certificate=certificate, domain_name="api.example.com"),
    "http_domain_imported": row(
        apigatewayv2.DomainName.from_domain_name_attributes,
        "api.example.com:443",
        name="api.example.com",
        regional_domain_name="r",
        regional_hosted_zone_id="z",
    ),
    "graphql_api": row(
        aws.appsync.GraphqlApi,
        "{X.GraphQLDns}:443",
        "{X.RealtimeDns}:443",
        name="a",
        definition=aws.appsync.Definition.from_file(str(Path(unit_hosts.__file__).with_name("schema.graphql"))),
    ),
    "cfn_graphql_api": row(
        aws.appsync.CfnGraphQLApi,
        "{A.GraphQLDns}:443",
        "{A.RealtimeDns}:443",
        construct_id="A",
        authentication_type="AWS_IAM",
        name="a",
    ),
    "event_api": row(aws.appsync.EventApi, "{X.Dns.Http}:443", "{X.Dns.Realtime}:443", api_name="a"),
    "event_api_imported": row(
        aws.appsync.EventApi.from_event_api_attributes,
        "h.x:443",
        "r.x:443",
        api_id="a",
        http_dns="h.x",
        realtime_dns="r.x",
    ),
    "distribution": row(
        aws.cloudfront.Distribution,
        "{X.DomainName}:443",
        default_behavior=aws.cloudfront.BehaviorOptions(origin=aws.cloudfront_origins.HttpOrigin("o.example")),
    ),
    "distribution_imported": row(
        aws.cloudfront.Distribution.from_distribution_attributes,
        "d111111abcdef8.cloudfront.net:443",
        distribution_id="E",
        domain_name="d111111abcdef8.cloudfront.net",
    ),
    "app_runner": row(
        aws.apprunner.CfnService,
        "{X.ServiceUrl}:443",
        source_configuration=aws.apprunner.CfnService.SourceConfigurationProperty(),
    ),
    "network": row(lambda s, _: vpc(s), "{Vpc.CidrBlock}"),
    "network_of_both_protocols": row(
        aws.ec2.Vpc,
        "{X.CidrBlock}",
        "{X.Ipv6CidrBlocks}[0]",
        max_azs=1,
        nat_gateways=0,
        ip_protocol=aws.ec2.IpProtocol.DUAL_STACK,
    ),
    "network_with_a_second_block": row(two_blocks, "{Vpc.CidrBlock}", "10.1.0.0/16"),
    "network_imported": row(
        aws.ec2.Vpc.from_vpc_attributes,
        "10.2.0.0/16",
        vpc_id="v",
        availability_zones=["a"],
        vpc_cidr_block="10.2.0.0/16",
    ),
    "cfn_vpc": row(aws.ec2.CfnVPC, "{X.CidrBlock}", cidr_block="10.3.0.0/16"),
    "subnet": row(aws.ec2.Subnet, "10.0.0.0/24", availability_zone="a", cidr_block="10.0.0.0/24", vpc_id="v"),
    "subnet_imported": row(
        aws.ec2.Subnet.from_subnet_attributes, "10.0.1.0/24", subnet_id="s", ipv4_cidr_block="10.0.1.0/24"
    ),
    "application_load_balancer": row(elbv2.ApplicationLoadBalancer, "{X.DNSName}", **IN_VPC),
    "network_load_balancer": row(elbv2.NetworkLoadBalancer, "{X.DNSName}", **IN_VPC),
    "classic_load_balancer": row(
        aws.elasticloadbalancing.LoadBalancer, "{X.DNSName}", vpc=vpc, subnet_selection=isolated
    ),
    "application_load_balancer_imported": row(
        elbv2.ApplicationLoadBalancer.from_application_load_balancer_attributes,
        "b.elb.amazonaws.com",
        **balancer("app"),
        security_group_id="sg-1",
    ),
    "network_load_balancer_imported": row(
        elbv2.NetworkLoadBalancer.from_network_load_balancer_attributes, "b.elb.amazonaws.com", **balancer("net")
    ),
    "cfn_load_balancer": row(elbv2.CfnLoadBalancer, "{X.DNSName}"),
    "cfn_classic_load_balancer": row(aws.elasticloadbalancing.CfnLoadBalancer, "{X.DNSName}", listeners=[]),
    "interface_endpoint": row(
        aws.ec2.InterfaceVpcEndpoint,
        "split(':', {X.DnsEntries}[0])[1]",
        vpc=vpc,
        subnets=isolated,
        service=aws.ec2.InterfaceVpcEndpointService("com.amazonaws.vpce.us-east-1.vpce-svc-1", 443),
    ),
    "machine": row(
        aws.ec2.Instance,
        "{X.PrivateIp}",
        "{X.PrivateDnsName}",
        **IN_VPC,
        instance_type=aws.ec2.InstanceType("t3.micro"),
        machine_image=aws.ec2.MachineImage.generic_linux({"us-east-1": "ami-1"}),
    ),
    "bastion": row(
        aws.ec2.BastionHostLinux,
        "{X/Resource.PrivateIp}",
        "{X/Resource.PrivateDnsName}",
        vpc=vpc,
        subnet_selection=isolated,
    ),
    "bucket": row(aws.s3.Bucket, "{X}"),
    "bucket_imported": row(
        aws.s3.Bucket.from_bucket_name, "shop-orders", bucket_name="shop-orders", construct_id="shop-orders"
    ),
    "cfn_bucket": row(aws.s3.CfnBucket, "{X}"),
    "directory_bucket": row(
        aws.s3express.CfnDirectoryBucket, "{X}", data_redundancy="SingleAvailabilityZone", location_name="use1-az4"
    ),
    "access_point": row(aws.s3.CfnAccessPoint, "{X.Alias}", bucket="b"),
}


def rendered(value: Any, names: dict[str, str]) -> Any:
    """A value of a template as a row writes it; `names` are the paths of resources by their ids."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return [rendered(each, names) for each in value]
    [(function, given)] = value.items()
    if function == "Ref":
        return f"{{{names[given]}}}"
    if function == "Fn::GetAtt":
        return f"{{{names[given[0]]}.{given[1]}}}"
    first, second = given[0], rendered(given[1], names)
    if function == "Fn::Join":
        return first.join(second) if isinstance(second, list) else f"join({first!r}, {second})"
    return {"Fn::Split": f"split({first!r}, {second})", "Fn::Select": f"{second}[{first}]"}[function]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[hosts.Entry] | Exception, dict[str, Any]]]:
    """All rows, each in a stack of its own, synthesized at once: its entries or the error, and the template."""
    context = {"aws:cdk:enable-path-metadata": True}
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("cdk.out")), analytics_reporting=False, context=context)
    found: dict[str, list[hosts.Entry] | Exception] = {}
    for name, each in ROWS.items():
        stack = cdk.Stack(app, name.replace("_", "-"))
        try:
            entries = hosts.entries_of(each.make(stack))
        except Exception as error:  # of this row alone
            found[name] = error
            continue
        found[name] = here = [*entries.outbound, *entries.buckets]
        for number, entry in enumerate(here):
            cdk.CfnOutput(stack, f"Entry{number}", value=entry.text)
    assembly = app.synth()
    return {name: (each, assembly.get_stack_by_name(name.replace("_", "-")).template) for name, each in found.items()}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_gives_the_right_attributes(name: str, made: dict[str, Any]) -> None:
    entries, template = made[name]
    if isinstance(entries, Exception):
        raise entries
    names = {"AWS::Region": "region", "AWS::URLSuffix": "suffix"}
    for logical_id, resource in template.get("Resources", {}).items():
        path = resource.get("Metadata", {}).get("aws:cdk:path", "").split("/")
        names[logical_id] = "/".join(path[1:]).removesuffix("/Resource")
    outputs = template.get("Outputs", {})
    values = [outputs[f"Entry{number}"]["Value"] for number in range(len(entries))]
    assert [rendered(value, names) for value in values] == list(ROWS[name].entries)
    assert all(0 < entry.longest <= 1024 for entry in entries)


@pytest.mark.long
def test_cloudformation_knows_every_attribute(made: dict[str, Any]) -> None:
    """The outputs alone, beside bare resources: cfn-lint knows each type's attributes, and the rules of functions."""
    resources: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    for name, (_, template) in made.items():
        for output, value in template.get("Outputs", {}).items():
            outputs[f"{name}{output}".replace("_", "")] = _with_bare_resources(
                value, template.get("Resources", {}), resources
            )
    found: Any = lint(json.dumps({"Resources": resources, "Outputs": outputs}), regions=["us-east-1"])
    assert [
        f"{problem.path}: {problem.message}" for problem in found if problem.path and problem.path[0] == "Outputs"
    ] == []
    assert len(resources) > 30


def _with_bare_resources(value: Any, there: dict[str, Any], resources: dict[str, Any]) -> Any:
    """The same value, with references to a resource of that type without properties, which is added."""
    if isinstance(value, list):
        return [_with_bare_resources(item, there, resources) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("Ref") or value.get("Fn::GetAtt", [None])[0]
    if reference not in there:
        return {key: _with_bare_resources(item, there, resources) for key, item in value.items()}
    kind = there[reference]["Type"]
    logical_id = kind.removeprefix("AWS::").replace("::", "")
    resources[logical_id] = {"Type": kind}
    return {"Ref": logical_id} if "Ref" in value else {"Fn::GetAtt": [logical_id, value["Fn::GetAtt"][1]]}
