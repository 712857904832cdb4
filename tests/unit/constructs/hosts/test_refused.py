"""What `hosts` says of constructs that it does not take, and that asking for a type costs nothing."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from shielded_function import ShieldPolicy, hosts
from shielded_function.hosts.refused import REFUSED, SERVICES
from shielded_function.policy import ShieldPolicyError
from unit.constructs.aws import aws, new

from .conftest import make_function

Make = Callable[[cdk.Stack], Any]


NODES = aws.msk.CfnCluster.BrokerNodeGroupInfoProperty(client_subnets=["s"], instance_type="kafka.m5.large")
BALANCERS = aws.elasticloadbalancingv2.NetworkLoadBalancer
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/net/b/1"


def group(**props: Any) -> Make:
    return new(aws.elasticache.CfnReplicationGroup, replication_group_description="d", **props)


ERRORS: dict[str, tuple[Make, str]] = {
    "queue": (new(aws.sqs.Queue), "Shop/X .*: it is an AWS service: list `sqs` in allow_aws"),
    "imported table": (new(aws.dynamodb.Table.from_table_name, table_name="t"), "list `dynamodb` in allow_aws"),
    "secret": (new(aws.secretsmanager.Secret), "a secret is not a host"),
    "value of a secret": (lambda _: cdk.SecretValue.secrets_manager("s"), "a secret is not a host"),
    "function": (lambda stack: make_function(stack, "X"), r"list its URL \(fn.add_function_url\(\)\)"),
    "MSK": (
        new(
            aws.msk.CfnCluster,
            broker_node_group_info=NODES,
            cluster_name="c",
            kafka_version="3",
            number_of_broker_nodes=3,
        ),
        "CloudFormation does not tell an MSK cluster's brokers: list their names as text",
    ),
    "DAX": (new(aws.dax.CfnCluster, iam_role_arn="r", node_type="dax.r5.large", replication_factor=1), "list the VPC"),
    "security group": (new(aws.ec2.SecurityGroup.from_security_group_id, security_group_id="sg-1"), "list the VPC"),
    "imported endpoint": (
        new(aws.ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes, port=443, vpc_endpoint_id="v"),
        "list the name as text",
    ),
    "database's endpoint": (lambda _: aws.rds.Endpoint("a.example", 5432), "endpoint.socket_address"),
    "imported GraphQL API": (
        new(aws.appsync.GraphqlApi.from_graphql_api_attributes, graphql_api_id="a"),
        "list its host as text",
    ),
    "VPC without a network": (
        new(aws.ec2.Vpc.from_vpc_attributes, vpc_id="v", availability_zones=["a"]),
        "does not tell its host .*'vpcCidrBlock' was not supplied",
    ),
    "load balancer without a name": (
        new(
            aws.elasticloadbalancingv2.NetworkLoadBalancer.from_network_load_balancer_attributes,
            load_balancer_arn=BALANCER,
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
    "MemoryDB without TLS": (
        new(aws.memorydb.CfnCluster, acl_name="a", cluster_name="c", node_type="n", tls_enabled=False),
        "without tls_enabled=True",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_the_error_says_what_to_write_instead(name: str, stack: cdk.Stack) -> None:
    make, text = ERRORS[name]
    with pytest.raises(ShieldPolicyError, match=text) as caught:
        hosts.entries_of(make(stack))
    assert caught.value.field == "allow_outbound"


def test_an_unknown_construct_gets_the_list_of_what_is_accepted(stack: cdk.Stack) -> None:
    with pytest.raises(ShieldPolicyError, match=r"Shop/X \(aws_iam.User\) is not known") as caught:
        hosts.check_construct(aws.iam.User(stack, "X"), "allow_outbound")
    assert [name for name in hosts.accepted() if name not in str(caught.value)] == []
    with pytest.raises(ShieldPolicyError) as caught:
        hosts.check_construct(aws.iam.User(stack, "Y"), "allow_buckets")
    assert "an S3 bucket" in str(caught.value)
    assert "RDS" not in str(caught.value)
    with pytest.raises(ShieldPolicyError, match=r"allow_tmp: Shop/B .* is a construct: write texts"):
        hosts.check_construct(aws.s3.CfnBucket(stack, "B"), "allow_tmp")


def test_the_tables() -> None:
    """Their services are those of `allow_aws`, and a type is in one row."""
    assert ShieldPolicy(allow_aws=SERVICES).allow_aws == SERVICES
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


def test_the_tables_import_no_service() -> None:
    """A service's module takes up to two seconds; those that are needed are loaded already."""
    code = (
        "import sys, shielded_function.hosts as h; "
        "print([m for m in sys.modules if m.startswith('aws_cdk.aws_') and m.count('.') == 1])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
