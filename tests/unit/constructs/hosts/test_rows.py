"""Every row of the tables, on a synthesized template: the entry that a function gets is the right attribute."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_amazonmq as amazonmq
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_apprunner as apprunner
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_docdb as docdb
from aws_cdk import aws_dsql as dsql
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_elasticloadbalancing as classic
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_elasticsearch as elasticsearch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_memorydb as memorydb
from aws_cdk import aws_neptune as neptune
from aws_cdk import aws_opensearchserverless as aoss
from aws_cdk import aws_opensearchservice as opensearch
from aws_cdk import aws_rds as rds
from aws_cdk import aws_redshift as redshift
from aws_cdk import aws_redshiftserverless as redshift_serverless
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3express as s3express
from aws_cdk import aws_timestream as timestream

from harness.linting import lint
from shielded_function import hosts

SUFFIX = {"Ref": "AWS::URLSuffix"}
REGION = {"Ref": "AWS::Region"}


def att(logical_id: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def join(*pieces: Any, by: str = "") -> dict[str, Any]:
    return {"Fn::Join": [by, list(pieces)]}


def port(host: Any, port: Any) -> dict[str, Any]:
    return join(host, ":", port)


def host_of(url: Any) -> dict[str, Any]:
    return {"Fn::Select": [2, {"Fn::Split": ["/", url]}]}


@dataclass
class Case:
    """A construct, made in `Shop`, and its entries as the template has them."""

    make: Callable[[cdk.Stack], Any]
    expected: list[Any]


CASES: dict[str, Case] = {}


def row(*expected: Any) -> Callable[[Callable[[cdk.Stack], Any]], Callable[[cdk.Stack], Any]]:
    def add(make: Callable[[cdk.Stack], Any]) -> Callable[[cdk.Stack], Any]:
        CASES[make.__name__] = Case(make, list(expected))
        return make

    return add


def vpc(stack: cdk.Stack) -> ec2.Vpc:
    found = stack.node.try_find_child("Vpc")
    return found if isinstance(found, ec2.Vpc) else ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=0)


def isolated() -> ec2.SubnetSelection:
    return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)


def rename(construct: Any, logical_id: str, *path: str) -> Any:
    """Gives the resource that the expectation names a short id."""
    child = construct
    for part in path or ("Resource",):
        child = child.node.find_child(part)
    child.override_logical_id(logical_id)
    return construct


@row(port(att("Db", "Endpoint.Address"), att("Db", "Endpoint.Port")))
def rds_instance(stack: cdk.Stack) -> Any:
    made = rds.DatabaseInstance(
        stack, "X", engine=rds.DatabaseInstanceEngine.POSTGRES, vpc=vpc(stack), vpc_subnets=isolated()
    )
    return rename(made, "Db")


@row(port(att("Db", "Endpoint.Address"), att("Db", "Endpoint.Port")))
def rds_instance_from_snapshot(stack: cdk.Stack) -> Any:
    made = rds.DatabaseInstanceFromSnapshot(
        stack,
        "X",
        snapshot_identifier="s",
        engine=rds.DatabaseInstanceEngine.POSTGRES,
        vpc=vpc(stack),
        vpc_subnets=isolated(),
    )
    return rename(made, "Db")


@row(port(att("Db", "Endpoint.Address"), att("Db", "Endpoint.Port")))
def rds_read_replica(stack: cdk.Stack) -> Any:
    source = rds_instance(stack)
    made = rds.DatabaseInstanceReadReplica(
        stack,
        "Replica",
        source_database_instance=source,
        instance_type=ec2.InstanceType("t3.small"),
        vpc=vpc(stack),
        vpc_subnets=isolated(),
    )
    rename(source, "Source")
    return rename(made, "Db")


@row("db.abc.us-east-1.rds.amazonaws.com:5432")
def rds_instance_imported(stack: cdk.Stack) -> Any:
    return rds.DatabaseInstance.from_database_instance_attributes(
        stack,
        "X",
        instance_identifier="db",
        instance_endpoint_address="db.abc.us-east-1.rds.amazonaws.com",
        port=5432,
        security_groups=[],
    )


AURORA = rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_16_6)
CLUSTER = [
    port(att("Db", "Endpoint.Address"), att("Db", "Endpoint.Port")),
    port(att("Db", "ReadEndpoint.Address"), att("Db", "Endpoint.Port")),
]


@row(*CLUSTER)
def rds_cluster(stack: cdk.Stack) -> Any:
    made = rds.DatabaseCluster(
        stack,
        "X",
        engine=AURORA,
        writer=rds.ClusterInstance.serverless_v2("w"),
        readers=[rds.ClusterInstance.serverless_v2("r")],
        vpc=vpc(stack),
        vpc_subnets=isolated(),
    )
    return rename(made, "Db")


@row(*CLUSTER)
def rds_cluster_from_snapshot(stack: cdk.Stack) -> Any:
    made = rds.DatabaseClusterFromSnapshot(
        stack,
        "X",
        engine=AURORA,
        snapshot_identifier="s",
        writer=rds.ClusterInstance.serverless_v2("w"),
        vpc=vpc(stack),
        vpc_subnets=isolated(),
    )
    return rename(made, "Db")


@row("w.x:3306", "r.x:3306")
def rds_cluster_imported(stack: cdk.Stack) -> Any:
    return rds.DatabaseCluster.from_database_cluster_attributes(
        stack,
        "X",
        cluster_identifier="c",
        cluster_endpoint_address="w.x",
        reader_endpoint_address="r.x",
        port=3306,
    )


@row("w.x:3306")
def rds_cluster_imported_without_reader(stack: cdk.Stack) -> Any:
    return rds.DatabaseCluster.from_database_cluster_attributes(
        stack, "X", cluster_identifier="c", cluster_endpoint_address="w.x", port=3306
    )


@row(*CLUSTER)
def rds_serverless(stack: cdk.Stack) -> Any:
    made = rds.ServerlessCluster(stack, "X", engine=AURORA, vpc=vpc(stack), vpc_subnets=isolated())
    return rename(made, "Db")


@row(*CLUSTER)
def rds_serverless_from_snapshot(stack: cdk.Stack) -> Any:
    made = rds.ServerlessClusterFromSnapshot(
        stack,
        "X",
        engine=AURORA,
        snapshot_identifier="s",
        vpc=vpc(stack),
        vpc_subnets=isolated(),
    )
    return rename(made, "Db")


@row("w.x:3306", "r.x:3306")
def rds_serverless_imported(stack: cdk.Stack) -> Any:
    return rds.ServerlessCluster.from_serverless_cluster_attributes(
        stack,
        "X",
        cluster_identifier="c",
        cluster_endpoint_address="w.x",
        reader_endpoint_address="r.x",
        port=3306,
    )


def rds_proxy_of(stack: cdk.Stack) -> rds.DatabaseProxy:
    database = rds_instance(stack)
    assert database.secret
    return database.add_proxy("P", secrets=[database.secret], vpc=vpc(stack), vpc_subnets=isolated())


@row(join(att("Proxy", "Endpoint"), ":5432"))
def rds_proxy(stack: cdk.Stack) -> Any:
    return rename(rds_proxy_of(stack), "Proxy")


@row(join(att("E", "Endpoint"), ":5432"))
def rds_proxy_endpoint(stack: cdk.Stack) -> Any:
    made = rds.DatabaseProxyEndpoint(stack, "Y", db_proxy=rds_proxy_of(stack), vpc=vpc(stack), vpc_subnets=isolated())
    return rename(made, "E")


@row("p.x")
def rds_proxy_imported(stack: cdk.Stack) -> Any:
    return rds.DatabaseProxy.from_database_proxy_attributes(
        stack,
        "X",
        db_proxy_arn="arn:aws:rds:us-east-1:111111111111:db-proxy:p",
        db_proxy_name="p",
        endpoint="p.x",
        security_groups=[],
    )


@row(join(att("X", "Endpoint"), ":5432"))
def rds_cfn_proxy(stack: cdk.Stack) -> Any:
    return rds.CfnDBProxy(
        stack, "X", auth=[], db_proxy_name="p", engine_family="POSTGRESQL", role_arn="a", vpc_subnet_ids=["s"]
    )


@row(att("X", "Endpoint"))
def rds_cfn_proxy_endpoint(stack: cdk.Stack) -> Any:
    return rds.CfnDBProxyEndpoint(stack, "X", db_proxy_endpoint_name="e", db_proxy_name="p", vpc_subnet_ids=["s"])


@row(port(att("X", "Endpoint.Address"), att("X", "Endpoint.Port")))
def rds_cfn_instance(stack: cdk.Stack) -> Any:
    return rds.CfnDBInstance(stack, "X", engine="postgres")


@row(
    port(att("X", "Endpoint.Address"), att("X", "Endpoint.Port")),
    port(att("X", "ReadEndpoint.Address"), att("X", "Endpoint.Port")),
)
def rds_cfn_cluster(stack: cdk.Stack) -> Any:
    return rds.CfnDBCluster(stack, "X", engine="aurora-postgresql")


def docdb_cluster_of(stack: cdk.Stack) -> docdb.DatabaseCluster:
    return docdb.DatabaseCluster(
        stack,
        "X",
        master_user=docdb.Login(username="u"),
        instance_type=ec2.InstanceType("r5.large"),
        instances=2,
        vpc=vpc(stack),
        vpc_subnets=isolated(),
    )


@row(
    port(att("Db", "Endpoint"), att("Db", "Port")),
    port(att("Db", "ReadEndpoint"), att("Db", "Port")),
    port(att("One", "Endpoint"), att("Db", "Port")),
    port(att("Two", "Endpoint"), att("Db", "Port")),
)
def docdb_cluster(stack: cdk.Stack) -> Any:
    made = rename(docdb_cluster_of(stack), "Db")
    rename(made, "One", "Instance1")
    return rename(made, "Two", "Instance2")


@row("w.x:27017", "r.x:27017", "one.x:27017")
def docdb_cluster_imported(stack: cdk.Stack) -> Any:
    return docdb.DatabaseCluster.from_database_cluster_attributes(
        stack,
        "X",
        cluster_identifier="c",
        cluster_endpoint_address="w.x",
        reader_endpoint_address="r.x",
        instance_endpoint_addresses=["one.x"],
        instance_identifiers=["one"],
        port=27017,
    )


@row(port(att("I", "Endpoint"), att("I", "Port")))
def docdb_instance(stack: cdk.Stack) -> Any:
    made = docdb.DatabaseInstance(
        stack, "Y", cluster=docdb_cluster_of(stack), instance_type=ec2.InstanceType("r5.large")
    )
    return rename(made, "I")


@row(port(att("X", "Endpoint"), att("X", "Port")))
def docdb_cfn_instance(stack: cdk.Stack) -> Any:
    return docdb.CfnDBInstance(stack, "X", db_cluster_identifier="c", db_instance_class="db.r5.large")


@row(port(att("X", "Endpoint"), att("X", "Port")), port(att("X", "ReadEndpoint"), att("X", "Port")))
def neptune_cluster(stack: cdk.Stack) -> Any:
    return neptune.CfnDBCluster(stack, "X")


@row(port(att("X", "Endpoint"), att("X", "Port")))
def neptune_instance(stack: cdk.Stack) -> Any:
    return neptune.CfnDBInstance(stack, "X", db_instance_class="db.r5.large")


@row(port(att("X", "Endpoint.Address"), att("X", "Endpoint.Port")))
def redshift_cluster(stack: cdk.Stack) -> Any:
    return redshift.CfnCluster(
        stack, "X", cluster_type="single-node", db_name="d", master_username="u", node_type="ra3.large"
    )


@row(join(att("X", "Workgroup.Endpoint.Address"), ":5439"))
def redshift_workgroup(stack: cdk.Stack) -> Any:
    return redshift_serverless.CfnWorkgroup(stack, "X", workgroup_name="w")


@row(join(att("X", "Endpoint"), ":5432"))
def dsql_cluster(stack: cdk.Stack) -> Any:
    return dsql.CfnCluster(stack, "X")


@row(att("X", "Endpoint"))
def influxdb_instance(stack: cdk.Stack) -> Any:
    return timestream.CfnInfluxDBInstance(stack, "X")


@row(join(att("D", "DomainEndpoint"), ":443"))
def opensearch_domain(stack: cdk.Stack) -> Any:
    made = opensearch.Domain(stack, "X", version=opensearch.EngineVersion.OPENSEARCH_2_19)
    return rename(made, "D")


@row("search-x-abc.us-east-1.es.amazonaws.com:443")
def opensearch_domain_imported(stack: cdk.Stack) -> Any:
    return opensearch.Domain.from_domain_endpoint(stack, "X", "https://search-x-abc.us-east-1.es.amazonaws.com")


@row(join(att("X", "DomainEndpoint"), ":443"))
def opensearch_cfn_domain(stack: cdk.Stack) -> Any:
    return opensearch.CfnDomain(stack, "X")


@row(join(att("D", "DomainEndpoint"), ":443"))
def elasticsearch_domain(stack: cdk.Stack) -> Any:
    made = elasticsearch.Domain(stack, "X", version=elasticsearch.ElasticsearchVersion.V7_10)
    return rename(made, "D")


@row("search-x-abc.us-east-1.es.amazonaws.com:443")
def elasticsearch_domain_imported(stack: cdk.Stack) -> Any:
    return elasticsearch.Domain.from_domain_endpoint(stack, "X", "https://search-x-abc.us-east-1.es.amazonaws.com")


@row(join(att("X", "DomainEndpoint"), ":443"))
def elasticsearch_cfn_domain(stack: cdk.Stack) -> Any:
    return elasticsearch.CfnDomain(stack, "X")


@row(join(host_of(att("X", "CollectionEndpoint")), ":443"))
def opensearch_serverless(stack: cdk.Stack) -> Any:
    return aoss.CfnCollection(stack, "X", name="c")


def replication_group(stack: cdk.Stack, **props: Any) -> elasticache.CfnReplicationGroup:
    return elasticache.CfnReplicationGroup(stack, "X", replication_group_description="d", **props)


BELOW = join(
    "*.",
    {"Fn::Select": [1, {"Fn::Split": ["clustercfg.", att("X", "ConfigurationEndPoint.Address")]}]},
    ":",
    att("X", "ConfigurationEndPoint.Port"),
)


@row(BELOW)
def elasticache_cluster_mode(stack: cdk.Stack) -> Any:
    return replication_group(stack, cluster_mode="enabled", transit_encryption_enabled=True)


@row(BELOW)
def elasticache_cluster_mode_by_parameter_group(stack: cdk.Stack) -> Any:
    return replication_group(
        stack, cache_parameter_group_name="default.redis7.cluster.on", transit_encryption_enabled=True
    )


READ_PORT = att("X", "PrimaryEndPoint.Port")
NODES = att("X", "ReadEndPoint.AddressesList")
ONE_GROUP = [
    port(att("X", "PrimaryEndPoint.Address"), READ_PORT),
    port(att("X", "ReaderEndPoint.Address"), att("X", "ReaderEndPoint.Port")),
    join({"Fn::Join": [":6379,", NODES]}, ":6379"),
]


@row(*ONE_GROUP)
def elasticache_one_group(stack: cdk.Stack) -> Any:
    return replication_group(stack, num_cache_clusters=2)


@row(*ONE_GROUP)
def elasticache_one_group_by_cluster_mode(stack: cdk.Stack) -> Any:
    return replication_group(stack, cluster_mode="disabled", cache_parameter_group_name="mine")


@row(*ONE_GROUP[:2], {"Fn::Join": [",", NODES]})
def elasticache_one_group_with_a_port_from_outside(stack: cdk.Stack) -> Any:
    parameter = cdk.CfnParameter(stack, "Port", type="Number")
    return replication_group(stack, port=parameter.value_as_number)


@row(*ONE_GROUP[:2], join({"Fn::Join": [":7000,", NODES]}, ":7000"))
def elasticache_one_group_with_a_port(stack: cdk.Stack) -> Any:
    return replication_group(stack, port=7000)


MEMCACHED = att("X", "ConfigurationEndpoint.Address")
MEMCACHED_PORT = att("X", "ConfigurationEndpoint.Port")


@row(
    port(MEMCACHED, MEMCACHED_PORT),
    port({"Fn::Join": [".0001.", {"Fn::Split": [".cfg.", MEMCACHED]}]}, MEMCACHED_PORT),
    port({"Fn::Join": [".0002.", {"Fn::Split": [".cfg.", MEMCACHED]}]}, MEMCACHED_PORT),
)
def elasticache_memcached(stack: cdk.Stack) -> Any:
    return elasticache.CfnCacheCluster(
        stack, "X", cache_node_type="cache.t3.micro", engine="memcached", num_cache_nodes=2
    )


@row(port(att("X", "RedisEndpoint.Address"), att("X", "RedisEndpoint.Port")))
def elasticache_redis(stack: cdk.Stack) -> Any:
    return elasticache.CfnCacheCluster(stack, "X", cache_node_type="cache.t3.micro", engine="redis", num_cache_nodes=1)


@row(
    port(att("X", "Endpoint.Address"), att("X", "Endpoint.Port")),
    port(att("X", "ReaderEndpoint.Address"), att("X", "ReaderEndpoint.Port")),
)
def elasticache_serverless(stack: cdk.Stack) -> Any:
    return elasticache.CfnServerlessCache(stack, "X", engine="valkey", serverless_cache_name="c")


@row(
    join(
        "*.",
        {"Fn::Select": [1, {"Fn::Split": ["clustercfg.", att("X", "ClusterEndpoint.Address")]}]},
        ":6379",
    )
)
def memorydb_cluster(stack: cdk.Stack) -> Any:
    return memorydb.CfnCluster(stack, "X", acl_name="a", cluster_name="c", node_type="db.t4g.small")


def broker(stack: cdk.Stack, engine: str, mode: str) -> amazonmq.CfnBroker:
    return amazonmq.CfnBroker(
        stack,
        "X",
        broker_name="b",
        deployment_mode=mode,
        engine_type=engine,
        host_instance_type="mq.m5.large",
        publicly_accessible=False,
        users=[],
    )


def broker_host(attribute: str, index: int) -> dict[str, Any]:
    address = host_of({"Fn::Select": [index, att("X", attribute)]})
    return {"Fn::Select": [0, {"Fn::Split": [":", address]}]}


@row(broker_host("OpenWireEndpoints", 0), broker_host("OpenWireEndpoints", 1))
def active_mq(stack: cdk.Stack) -> Any:
    return broker(stack, "ActiveMQ", "ACTIVE_STANDBY_MULTI_AZ")


@row(broker_host("AmqpEndpoints", 0))
def rabbit_mq(stack: cdk.Stack) -> Any:
    return broker(stack, "RABBITMQ", "CLUSTER_MULTI_AZ")


def function(stack: cdk.Stack) -> lambda_.Function:
    return lambda_.Function(
        stack,
        "Other",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("pass"),
    )


@row(join(host_of(att("U", "FunctionUrl")), ":443"))
def function_url(stack: cdk.Stack) -> Any:
    return rename(function(stack).add_function_url(), "U")


@row(join(host_of(att("X", "FunctionUrl")), ":443"))
def cfn_url(stack: cdk.Stack) -> Any:
    return lambda_.CfnUrl(stack, "X", auth_type="NONE", target_function_arn="f")


def execute_api(api: Any) -> dict[str, Any]:
    return join(api, ".execute-api.", REGION, ".", SUFFIX, ":443")


@row(execute_api({"Ref": "A"}))
def http_api(stack: cdk.Stack) -> Any:
    return rename(apigatewayv2.HttpApi(stack, "X"), "A")


@row(join("abc.execute-api.", REGION, ".", SUFFIX, ":443"))
def http_api_imported(stack: cdk.Stack) -> Any:
    return apigatewayv2.HttpApi.from_http_api_attributes(stack, "X", http_api_id="abc")


@row(execute_api({"Ref": "A"}))
def http_stage(stack: cdk.Stack) -> Any:
    api = rename(apigatewayv2.HttpApi(stack, "X"), "A")
    return apigatewayv2.HttpStage(stack, "Y", http_api=api, stage_name="s")


@row(execute_api({"Ref": "A"}))
def http_stage_imported(stack: cdk.Stack) -> Any:
    api = rename(apigatewayv2.HttpApi(stack, "X"), "A")
    return apigatewayv2.HttpStage.from_http_stage_attributes(stack, "Y", api=api, stage_name="s")


@row(execute_api({"Ref": "A"}))
def web_socket_api(stack: cdk.Stack) -> Any:
    return rename(apigatewayv2.WebSocketApi(stack, "X"), "A")


@row(join("abc.execute-api.", REGION, ".", SUFFIX, ":443"))
def web_socket_api_imported(stack: cdk.Stack) -> Any:
    return apigatewayv2.WebSocketApi.from_web_socket_api_attributes(stack, "X", web_socket_id="abc")


@row(execute_api({"Ref": "A"}))
def web_socket_stage(stack: cdk.Stack) -> Any:
    api = rename(apigatewayv2.WebSocketApi(stack, "X"), "A")
    return apigatewayv2.WebSocketStage(stack, "Y", web_socket_api=api, stage_name="s")


@row(execute_api({"Ref": "A"}))
def web_socket_stage_imported(stack: cdk.Stack) -> Any:
    api = rename(apigatewayv2.WebSocketApi(stack, "X"), "A")
    return apigatewayv2.WebSocketStage.from_web_socket_stage_attributes(stack, "Y", api=api, stage_name="s")


@row(join(host_of(att("X", "ApiEndpoint")), ":443"))
def cfn_api(stack: cdk.Stack) -> Any:
    return apigatewayv2.CfnApi(stack, "X", name="a", protocol_type="HTTP")


def rest_api_of(stack: cdk.Stack) -> apigateway.RestApi:
    api = apigateway.RestApi(stack, "X")
    api.root.add_method("GET")
    return rename(api, "A")


@row(execute_api({"Ref": "A"}))
def rest_api(stack: cdk.Stack) -> Any:
    return rest_api_of(stack)


@row(execute_api({"Ref": "A"}))
def lambda_rest_api(stack: cdk.Stack) -> Any:
    return rename(apigateway.LambdaRestApi(stack, "X", handler=cast("Any", function(stack))), "A")


@row(execute_api({"Ref": "A"}))
def spec_rest_api(stack: cdk.Stack) -> Any:
    made = apigateway.SpecRestApi(stack, "X", api_definition=apigateway.ApiDefinition.from_inline({"openapi": "3.0.2"}))
    return rename(made, "A")


@row(join("abc.execute-api.", REGION, ".", SUFFIX, ":443"))
def rest_api_imported(stack: cdk.Stack) -> Any:
    return apigateway.RestApi.from_rest_api_id(stack, "X", "abc")


@row(execute_api({"Ref": "A"}))
def rest_stage(stack: cdk.Stack) -> Any:
    return rest_api_of(stack).deployment_stage


@row(execute_api({"Ref": "A"}))
def rest_stage_imported(stack: cdk.Stack) -> Any:
    return apigateway.Stage.from_stage_attributes(stack, "Y", rest_api=rest_api_of(stack), stage_name="s")


@row(execute_api({"Ref": "X"}))
def cfn_rest_api(stack: cdk.Stack) -> Any:
    return apigateway.CfnRestApi(stack, "X", name="a")


def certificate(stack: cdk.Stack) -> Any:
    return acm.Certificate.from_certificate_arn(stack, "C", "arn:aws:acm:us-east-1:111111111111:certificate/c")


@row(join({"Ref": "D"}, ":443"))
def rest_domain(stack: cdk.Stack) -> Any:
    made = apigateway.DomainName(stack, "X", certificate=certificate(stack), domain_name="api.example.com")
    return rename(made, "D")


@row("api.example.com:443")
def rest_domain_imported(stack: cdk.Stack) -> Any:
    return apigateway.DomainName.from_domain_name_attributes(
        stack, "X", domain_name="api.example.com", domain_name_alias_hosted_zone_id="z", domain_name_alias_target="t"
    )


@row(join({"Ref": "D"}, ":443"))
def http_domain(stack: cdk.Stack) -> Any:
    made = apigatewayv2.DomainName(stack, "X", certificate=certificate(stack), domain_name="api.example.com")
    return rename(made, "D")


@row("api.example.com:443")
def http_domain_imported(stack: cdk.Stack) -> Any:
    return apigatewayv2.DomainName.from_domain_name_attributes(
        stack, "X", name="api.example.com", regional_domain_name="r", regional_hosted_zone_id="z"
    )


GRAPHQL = [join(att("A", "GraphQLDns"), ":443"), join(att("A", "RealtimeDns"), ":443")]


@row(*GRAPHQL)
def graphql_api(stack: cdk.Stack) -> Any:
    schema = appsync.Definition.from_file(str(Path(__file__).parent / "schema.graphql"))
    return rename(appsync.GraphqlApi(stack, "X", name="a", definition=schema), "A")


@row(*GRAPHQL)
def cfn_graphql_api(stack: cdk.Stack) -> Any:
    return appsync.CfnGraphQLApi(stack, "A", authentication_type="AWS_IAM", name="a")


@row(join(att("A", "Dns.Http"), ":443"), join(att("A", "Dns.Realtime"), ":443"))
def event_api(stack: cdk.Stack) -> Any:
    return rename(appsync.EventApi(stack, "X", api_name="a"), "A")


@row("h.x:443", "r.x:443")
def event_api_imported(stack: cdk.Stack) -> Any:
    return appsync.EventApi.from_event_api_attributes(stack, "X", api_id="a", http_dns="h.x", realtime_dns="r.x")


@row(join(att("D", "DomainName"), ":443"))
def distribution(stack: cdk.Stack) -> Any:
    made = cloudfront.Distribution(
        stack, "X", default_behavior=cloudfront.BehaviorOptions(origin=origins.HttpOrigin("o.example"))
    )
    return rename(made, "D")


@row("d111111abcdef8.cloudfront.net:443")
def distribution_imported(stack: cdk.Stack) -> Any:
    return cloudfront.Distribution.from_distribution_attributes(
        stack, "X", distribution_id="E", domain_name="d111111abcdef8.cloudfront.net"
    )


@row(join(att("X", "ServiceUrl"), ":443"))
def app_runner(stack: cdk.Stack) -> Any:
    return apprunner.CfnService(stack, "X", source_configuration=apprunner.CfnService.SourceConfigurationProperty())


@row(att("V", "CidrBlock"))
def network(stack: cdk.Stack) -> Any:
    return rename(vpc(stack), "V")


@row(att("V", "CidrBlock"), {"Fn::Select": [0, att("V", "Ipv6CidrBlocks")]})
def network_of_both_protocols(stack: cdk.Stack) -> Any:
    made = ec2.Vpc(stack, "X", max_azs=1, nat_gateways=0, ip_protocol=ec2.IpProtocol.DUAL_STACK)
    return rename(made, "V")


@row(att("V", "CidrBlock"), "10.1.0.0/16")
def network_with_a_second_block(stack: cdk.Stack) -> Any:
    made = rename(vpc(stack), "V")
    ec2.CfnVPCCidrBlock(made, "Second", vpc_id=made.vpc_id, cidr_block="10.1.0.0/16")
    return made


@row("10.2.0.0/16")
def network_imported(stack: cdk.Stack) -> Any:
    return ec2.Vpc.from_vpc_attributes(stack, "X", vpc_id="v", availability_zones=["a"], vpc_cidr_block="10.2.0.0/16")


@row(att("X", "CidrBlock"))
def cfn_vpc(stack: cdk.Stack) -> Any:
    return ec2.CfnVPC(stack, "X", cidr_block="10.3.0.0/16")


@row("10.0.0.0/24")
def subnet(stack: cdk.Stack) -> Any:
    return ec2.Subnet(stack, "X", availability_zone="a", cidr_block="10.0.0.0/24", vpc_id="v")


@row("10.0.1.0/24")
def subnet_imported(stack: cdk.Stack) -> Any:
    return ec2.Subnet.from_subnet_attributes(stack, "X", subnet_id="s", ipv4_cidr_block="10.0.1.0/24")


@row(att("B", "DNSName"))
def application_load_balancer(stack: cdk.Stack) -> Any:
    return rename(elbv2.ApplicationLoadBalancer(stack, "X", vpc=vpc(stack), vpc_subnets=isolated()), "B")


@row(att("B", "DNSName"))
def network_load_balancer(stack: cdk.Stack) -> Any:
    return rename(elbv2.NetworkLoadBalancer(stack, "X", vpc=vpc(stack), vpc_subnets=isolated()), "B")


@row(att("B", "DNSName"))
def classic_load_balancer(stack: cdk.Stack) -> Any:
    return rename(classic.LoadBalancer(stack, "X", vpc=vpc(stack), subnet_selection=isolated()), "B")


@row("b.elb.amazonaws.com")
def application_load_balancer_imported(stack: cdk.Stack) -> Any:
    return elbv2.ApplicationLoadBalancer.from_application_load_balancer_attributes(
        stack,
        "X",
        load_balancer_arn="arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/b/1",
        load_balancer_dns_name="b.elb.amazonaws.com",
        security_group_id="sg-1",
    )


@row("b.elb.amazonaws.com")
def network_load_balancer_imported(stack: cdk.Stack) -> Any:
    return elbv2.NetworkLoadBalancer.from_network_load_balancer_attributes(
        stack,
        "X",
        load_balancer_arn="arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/net/b/1",
        load_balancer_dns_name="b.elb.amazonaws.com",
    )


@row(att("X", "DNSName"))
def cfn_load_balancer(stack: cdk.Stack) -> Any:
    return elbv2.CfnLoadBalancer(stack, "X")


@row(att("X", "DNSName"))
def cfn_classic_load_balancer(stack: cdk.Stack) -> Any:
    return classic.CfnLoadBalancer(stack, "X", listeners=[])


@row({"Fn::Select": [1, {"Fn::Split": [":", {"Fn::Select": [0, att("E", "DnsEntries")]}]}]})
def interface_endpoint(stack: cdk.Stack) -> Any:
    made = ec2.InterfaceVpcEndpoint(
        stack,
        "X",
        vpc=vpc(stack),
        subnets=isolated(),
        service=ec2.InterfaceVpcEndpointService("com.amazonaws.vpce.us-east-1.vpce-svc-1", 443),
    )
    return rename(made, "E")


@row(att("I", "PrivateIp"), att("I", "PrivateDnsName"))
def machine(stack: cdk.Stack) -> Any:
    made = ec2.Instance(
        stack,
        "X",
        vpc=vpc(stack),
        vpc_subnets=isolated(),
        instance_type=ec2.InstanceType("t3.micro"),
        machine_image=ec2.MachineImage.generic_linux({"us-east-1": "ami-1"}),
    )
    return rename(made, "I")


@row(att("I", "PrivateIp"), att("I", "PrivateDnsName"))
def bastion(stack: cdk.Stack) -> Any:
    made = ec2.BastionHostLinux(stack, "X", vpc=vpc(stack), subnet_selection=isolated())
    rename(made.instance, "I")
    return made


@row({"Ref": "B"})
def bucket(stack: cdk.Stack) -> Any:
    return rename(s3.Bucket(stack, "X"), "B")


@row("shop-orders")
def bucket_imported(stack: cdk.Stack) -> Any:
    return s3.Bucket.from_bucket_name(stack, "X", "shop-orders")


@row({"Ref": "X"})
def cfn_bucket(stack: cdk.Stack) -> Any:
    return s3.CfnBucket(stack, "X")


@row({"Ref": "X"})
def directory_bucket(stack: cdk.Stack) -> Any:
    return s3express.CfnDirectoryBucket(stack, "X", data_redundancy="SingleAvailabilityZone", location_name="use1-az4")


@row(att("X", "Alias"))
def access_point(stack: cdk.Stack) -> Any:
    return s3.CfnAccessPoint(stack, "X", bucket="b")


@dataclass
class Outcome:
    """What became of a case: its entries, or the error, and its template with an output for each entry."""

    entries: list[hosts.Entry]
    error: Exception | None = None
    template: dict[str, Any] | None = None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cdk.out")


@pytest.fixture(scope="module")
def outcomes(folder: Path) -> dict[str, Outcome]:
    """All cases, each in a stack of its own, synthesized at once."""
    app = cdk.App(outdir=str(folder), analytics_reporting=False)
    outcomes: dict[str, Outcome] = {}
    for name, case in CASES.items():
        stack = cdk.Stack(app, name.replace("_", "-"))
        try:
            found = hosts.entries_of(case.make(stack))
        except Exception as error:  # of this case alone
            outcomes[name] = Outcome([], error)
            continue
        outcomes[name] = Outcome([*found.outbound, *found.buckets])
        for number, entry in enumerate(outcomes[name].entries):
            cdk.CfnOutput(stack, f"Entry{number}", value=entry.text)
    assembly = app.synth()
    for name, outcome in outcomes.items():
        outcome.template = assembly.get_stack_by_name(name.replace("_", "-")).template
    return outcomes


@pytest.mark.parametrize("name", CASES)
def test_a_row_gives_the_right_attributes(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name]
    if outcome.error:
        raise outcome.error
    assert outcome.template
    outputs = outcome.template.get("Outputs", {})
    assert [outputs[f"Entry{number}"]["Value"] for number in range(len(outcome.entries))] == CASES[name].expected
    assert all(0 < entry.longest <= 1024 for entry in outcome.entries)


def test_cloudformation_knows_every_attribute(outcomes: dict[str, Outcome]) -> None:
    """The outputs alone, beside bare resources: cfn-lint knows each type's attributes, and the rules of functions."""
    resources: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    for name, outcome in outcomes.items():
        template = outcome.template or {}
        for output, value in template.get("Outputs", {}).items():
            outputs[f"{name}{output}".replace("_", "")] = _with_bare_resources(
                value, template.get("Resources", {}), resources
            )
    found: Any = lint(json.dumps({"Resources": resources, "Outputs": outputs}), regions=["us-east-1"])
    assert [
        f"{problem.path}: {problem.message}" for problem in found if problem.path and problem.path[0] == "Outputs"
    ] == []
    assert len(resources) > 30


def _with_bare_resources(value: Any, made: dict[str, Any], resources: dict[str, Any]) -> Any:
    """The same value, with references to a resource of that type without properties, which is added."""
    if isinstance(value, list):
        return [_with_bare_resources(item, made, resources) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("Ref") or value.get("Fn::GetAtt", [None])[0]
    if reference not in made:
        return {key: _with_bare_resources(item, made, resources) for key, item in value.items()}
    kind = made[reference]["Type"]
    logical_id = kind.removeprefix("AWS::").replace("::", "")
    resources[logical_id] = {"Type": kind}
    return {"Ref": logical_id} if "Ref" in value else {"Fn::GetAtt": [logical_id, value["Fn::GetAtt"][1]]}
