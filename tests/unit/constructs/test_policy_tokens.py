"""A policy with the CDK's own tokens: what becomes of them in the environment of a template."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm

from shielded_function.policy import ShieldPolicy, ShieldPolicyError

pytestmark = pytest.mark.promise("policy.at-deployment")


@pytest.fixture(scope="module")
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Shop")


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


def test_what_is_yet_to_be_looked_up() -> None:
    """The synthesis before the look-up goes through, and admits nobody. A network has bits behind its mask."""
    stack = cdk.Stack(cdk.App(), "Shop", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    host = ssm.StringParameter.value_from_lookup(stack, "/shop/host")
    assert host.startswith("dummy-value-for-")
    policy = ShieldPolicy(allow_outbound=[f"{host}:443"], allow_buckets=[host])
    assert policy.allow_outbound == ("dummy-value.invalid:443",)
    assert policy.allow_buckets == ("shielded-function-dummy-value",)
    for entry, stands in (("1.2.3.4/5", "192.0.2.0/24"), ("tcp://1.2.3.4/5:5432", "tcp://192.0.2.0/24:5432")):
        assert ShieldPolicy(allow_outbound=[entry]).allow_outbound == (stands,)
    with pytest.raises(ShieldPolicyError):
        ShieldPolicy(allow_outbound=["1.2.3.5/5"])
