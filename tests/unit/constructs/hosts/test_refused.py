"""What `hosts` says of constructs that it does not take, and that asking for a type costs nothing."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_dax as dax
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_memorydb as memorydb
from aws_cdk import aws_msk as msk
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from shielded_function import ShieldPolicy, hosts
from shielded_function.hosts.refused import REFUSED, SERVICES
from shielded_function.policy import ShieldPolicyError

from .conftest import make_function

Make = Callable[[cdk.Stack], Any]


def group(**props: Any) -> Make:
    return lambda stack: elasticache.CfnReplicationGroup(stack, "X", replication_group_description="d", **props)


def msk_cluster(stack: cdk.Stack) -> Any:
    nodes = msk.CfnCluster.BrokerNodeGroupInfoProperty(client_subnets=["s"], instance_type="kafka.m5.large")
    return msk.CfnCluster(
        stack, "X", broker_node_group_info=nodes, cluster_name="c", kafka_version="3.8.x", number_of_broker_nodes=3
    )


def dax_cluster(stack: cdk.Stack) -> Any:
    return dax.CfnCluster(stack, "X", iam_role_arn="r", node_type="dax.r5.large", replication_factor=1)


def memorydb_without_tls(stack: cdk.Stack) -> Any:
    return memorydb.CfnCluster(stack, "X", acl_name="a", cluster_name="c", node_type="n", tls_enabled=False)


ERRORS: dict[str, tuple[Make, str]] = {
    "queue": (lambda stack: sqs.Queue(stack, "X"), "Shop/X .*: it is an AWS service: list `sqs` in allow_aws"),
    "imported topic": (
        lambda stack: sns.Topic.from_topic_arn(stack, "X", "arn:aws:sns:us-east-1:111111111111:t"),
        "list `sns` in allow_aws",
    ),
    "imported table": (lambda stack: dynamodb.Table.from_table_name(stack, "X", "t"), "list `dynamodb` in allow_aws"),
    "key": (lambda stack: kms.Key(stack, "X"), "list `kms` in allow_aws"),
    "secret": (lambda stack: secretsmanager.Secret(stack, "X"), "a secret is not a host"),
    "imported secret": (
        lambda stack: secretsmanager.Secret.from_secret_name_v2(stack, "X", "s"),
        "a secret is not a host",
    ),
    "value of a secret": (lambda _: cdk.SecretValue.secrets_manager("s"), "a secret is not a host"),
    "function": (lambda stack: make_function(stack, "X"), r"list its URL \(fn.add_function_url\(\)\)"),
    "imported function": (
        lambda stack: lambda_.Function.from_function_name(stack, "X", "f"),
        r"list its URL \(fn.add_function_url\(\)\)",
    ),
    "MSK": (msk_cluster, "CloudFormation does not tell an MSK cluster's brokers: list their names as text"),
    "MSK Serverless": (
        lambda stack: msk.CfnServerlessCluster(
            stack,
            "X",
            cluster_name="c",
            vpc_configs=[],
            client_authentication=msk.CfnServerlessCluster.ClientAuthenticationProperty(
                sasl=msk.CfnServerlessCluster.SaslProperty(iam=msk.CfnServerlessCluster.IamProperty(enabled=True))
            ),
        ),
        "list their names as text",
    ),
    "DAX": (dax_cluster, "list the VPC"),
    "security group": (lambda stack: ec2.SecurityGroup.from_security_group_id(stack, "X", "sg-1"), "list the VPC"),
    "imported endpoint": (
        lambda stack: ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
            stack, "X", port=443, vpc_endpoint_id="v"
        ),
        "list the name as text",
    ),
    "database's endpoint": (lambda _: rds.Endpoint("a.example", 5432), "endpoint.socket_address"),
    "imported GraphQL API": (
        lambda stack: appsync.GraphqlApi.from_graphql_api_attributes(stack, "X", graphql_api_id="a"),
        "list its host as text",
    ),
    "VPC without a network": (
        lambda stack: ec2.Vpc.from_vpc_attributes(stack, "X", vpc_id="v", availability_zones=["a"]),
        "does not tell its host .*'vpcCidrBlock' was not supplied",
    ),
    "cluster without an endpoint": (
        lambda stack: rds.DatabaseCluster.from_database_cluster_attributes(stack, "X", cluster_identifier="c"),
        "does not tell its host",
    ),
    "subnet without a network": (lambda stack: ec2.Subnet.from_subnet_id(stack, "X", "s"), "does not tell its host"),
    "load balancer without a name": (
        lambda stack: elbv2.NetworkLoadBalancer.from_network_load_balancer_attributes(
            stack, "X", load_balancer_arn="arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/net/b/1"
        ),
        "does not tell its host",
    ),
    "clustered Redis without TLS": (group(cluster_mode="enabled"), "without transit_encryption_enabled=True"),
    "Redis of an unknown kind": (group(cache_parameter_group_name="mine"), "set cluster_mode"),
    "Redis between two kinds": (group(cluster_mode="compatible"), "set cluster_mode"),
    "Redis of a confusing name": (
        group(cluster_mode="enabled", transit_encryption_enabled=True, replication_group_id="my-clustercfg"),
        "rename it",
    ),
    "MemoryDB without TLS": (memorydb_without_tls, "without tls_enabled=True"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_the_error_says_what_to_write_instead(name: str, stack: cdk.Stack) -> None:
    make, text = ERRORS[name]
    with pytest.raises(ShieldPolicyError, match=text) as caught:
        hosts.entries_of(make(stack))
    assert caught.value.field == "allow_outbound"


def test_an_unknown_construct_gets_the_list_of_what_is_accepted(stack: cdk.Stack) -> None:
    with pytest.raises(ShieldPolicyError, match=r"Shop/X \(aws_iam.User\) is not known") as caught:
        hosts.check_construct(iam.User(stack, "X"), "allow_outbound")
    assert [name for name in hosts.accepted() if name not in str(caught.value)] == []
    with pytest.raises(ShieldPolicyError) as caught:
        hosts.check_construct(iam.User(stack, "Y"), "allow_buckets")
    assert "an S3 bucket" in str(caught.value)
    assert "RDS" not in str(caught.value)


def test_lists_of_paths_take_no_constructs(stack: cdk.Stack) -> None:
    with pytest.raises(ShieldPolicyError, match=r"allow_tmp: Shop/B .* is a construct: write texts"):
        hosts.check_construct(s3.CfnBucket(stack, "B"), "allow_tmp")


def test_services_are_those_of_allow_aws() -> None:
    assert ShieldPolicy(allow_aws=SERVICES).allow_aws == SERVICES


def test_a_type_is_in_one_row() -> None:
    types = [kind for row in hosts.ROWS for kind in row.types]
    assert len(types) == len(set(types))
    assert set(types) & set(REFUSED) == set()


def test_every_type_exists_and_interfaces_classes_are_known() -> None:
    """A class that implements a row's interface, or a refused one's, has a row, so that the CDK's own are complete."""
    known = {kind for row in hosts.ROWS for kind in row.types} | set(REFUSED)
    modules = {kind.rpartition(".")[0] for kind in known if kind.startswith("aws_")}
    found: set[str] = set()
    missing: list[str] = []
    for name in modules:
        for kind in vars(importlib.import_module(f"aws_cdk.{name}")).values():
            own = getattr(kind, "__jsii_type__", "").removeprefix("aws-cdk-lib.")
            found.add(own)
            interfaces = [
                interface.__jsii_type__.removeprefix("aws-cdk-lib.")
                for parent in getattr(kind, "__mro__", ())
                for interface in vars(parent).get("__jsii_ifaces__", ())
            ]
            names = {getattr(p, "__jsii_type__", "").removeprefix("aws-cdk-lib.") for p in getattr(kind, "__mro__", ())}
            if known & set(interfaces) and not known & names:
                missing.append(own)
    assert missing == []
    assert {kind for kind in known if kind.startswith("aws_")} - found == set()


def test_a_row_is_documented() -> None:
    assert [row.name for row in hosts.ROWS if not row.document.startswith("https://docs.aws.amazon.com/")] == []


def test_the_tables_import_no_service() -> None:
    """A service's module takes up to two seconds; those that are needed are loaded already."""
    code = (
        "import sys, shielded_function.hosts as h; "
        "print([m for m in sys.modules if m.startswith('aws_cdk.aws_') and m.count('.') == 1])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
