"""A policy with the CDK's own tokens: what becomes of them in the environment of a template."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm

from shielded_function.policy import ShieldPolicy, ShieldPolicyError

pytestmark = pytest.mark.promise("policy.at-deployment")


@pytest.fixture(scope="module")
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Shop")


@pytest.fixture(scope="module")
def database(stack: cdk.Stack) -> rds.DatabaseInstance:
    vpc = ec2.Vpc(stack, "Vpc", nat_gateways=1)
    return rds.DatabaseInstance(stack, "Db", vpc=vpc, engine=rds.DatabaseInstanceEngine.POSTGRES)


def test_a_database_and_its_network(stack: cdk.Stack, database: rds.DatabaseInstance) -> None:
    endpoint = database.instance_endpoint
    policy = ShieldPolicy(
        allow_outbound=[
            endpoint.socket_address,
            f"{endpoint.hostname}:{endpoint.port}",  # a number token in a text
            f"tcp://{database.db_instance_endpoint_address}:5432",
            database.vpc.vpc_cidr_block,
            "api.example:443",
        ]
    )
    address = {"Fn::GetAtt": ["DbB482D0AD", "Endpoint.Address"]}
    port = {"Fn::GetAtt": ["DbB482D0AD", "Endpoint.Port"]}
    resolved = stack.resolve(policy.to_env()["SHIELD_ALLOW_OUTBOUND"])
    name = stack.get_logical_id(database.node.default_child)  # pyright: ignore[reportArgumentType]
    address["Fn::GetAtt"][0] = port["Fn::GetAtt"][0] = name
    vpc = resolved["Fn::Join"][1][-1]["Fn::GetAtt"]
    assert vpc[1] == "CidrBlock"
    assert resolved["Fn::Join"] == [
        "",
        [
            "api.example:443,",
            *(address, ":", port, ","),
            *(address, ":", port, ",tcp://"),
            *(address, ":5432,"),
            {"Fn::GetAtt": vpc},
        ],
    ]


def test_a_token_list_is_joined(stack: cdk.Stack) -> None:
    hosts = cdk.CfnParameter(stack, "Hosts", type="CommaDelimitedList")
    policy = ShieldPolicy(allow_outbound=[*hosts.value_as_list, "a.example"], allow_tmp=hosts.value_as_list)
    environment = stack.resolve(policy.to_env())
    joined = {"Fn::Join": [",", {"Ref": "Hosts"}]}
    assert environment["SHIELD_ALLOW_OUTBOUND"] == {"Fn::Join": ["", ["a.example,", joined]]}
    assert environment["SHIELD_ALLOW_TMP"] == joined


def test_a_bucket_by_its_token(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Orders")
    policy = ShieldPolicy(allow_buckets=[bucket.bucket_name])
    assert stack.resolve(policy.to_env()["SHIELD_ALLOW_BUCKETS"]) == {
        "Ref": stack.get_logical_id(bucket.node.default_child)  # pyright: ignore[reportArgumentType]
    }
    assert policy.decide("connect", "theirs.s3.us-east-1.amazonaws.com:443").action == "unknown"


def test_what_is_not_text(stack: cdk.Stack) -> None:
    secret = cdk.SecretValue.secrets_manager("db")
    with pytest.raises(ShieldPolicyError, match="a secret would stand in the function's environment for all to read"):
        ShieldPolicy(allow_outbound=[secret])  # pyright: ignore[reportArgumentType]
    parameter = cdk.CfnParameter(stack, "Host")
    with pytest.raises(ShieldPolicyError, match=r"make it a text with Token\.as_string\(\)"):
        ShieldPolicy(allow_outbound=[parameter.value])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ShieldPolicyError, match=r"^ShieldPolicy\.allow_tmp: .* is a construct; "):
        ShieldPolicy(allow_tmp=[parameter])  # pyright: ignore[reportArgumentType]


def test_a_parameter_that_is_yet_to_be_looked_up() -> None:
    """The synthesis before the look-up goes through, and admits nobody."""
    stack = cdk.Stack(cdk.App(), "Shop", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    host = ssm.StringParameter.value_from_lookup(stack, "/shop/host")
    assert host.startswith("dummy-value-for-")
    policy = ShieldPolicy(allow_outbound=[f"{host}:443"], allow_buckets=[host])
    assert policy.allow_outbound == ("dummy-value.invalid:443",)
    assert policy.allow_buckets == ("shielded-function-dummy-value",)


@pytest.mark.parametrize(
    ("entry", "stands"),
    [("1.2.3.4/5", "192.0.2.0/24"), ("tcp://1.2.3.4/5:5432", "tcp://192.0.2.0/24:5432")],
)
def test_a_network_that_has_yet_to_be_looked_up(entry: str, stands: str) -> None:
    """The CDK's stand-in has bits set behind its mask; the first synthesis has to go through all the same."""
    assert ShieldPolicy(allow_outbound=[entry]).allow_outbound == (stands,)
    with pytest.raises(ShieldPolicyError):
        ShieldPolicy(allow_outbound=["1.2.3.5/5"])
