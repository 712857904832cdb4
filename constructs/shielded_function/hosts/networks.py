"""Networks, load balancers, endpoints and machines in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import aws_cdk as cdk

from .entry import IPV4_NETWORK, IPV6_NETWORK, REGION, SUFFIX, Entry, Row, each, host
from .kinds import type_names

_REFERENCE: Final = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference"

_BALANCER: Final = len("internal-") + 32 + 1 + 16 + len(".elb.") + REGION + 1 + SUFFIX
"""`internal-name-1234567890.us-east-1.elb.amazonaws.com`, `name-1234567890abcdef.elb.us-east-1.amazonaws.com`; names
have up to 32 characters
(https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html)."""
_ENDPOINT: Final = len("*.vpce-") + 17 + 1 + 8 + 1 + 63 + 1 + REGION + len(".vpce.") + SUFFIX
"""`vpce-01abc23456de78f9g-12abccd3.ec2.us-east-1.vpce.amazonaws.com`
(https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html)."""
_MACHINE: Final = len("i-0123456789abcdef0.") + REGION + len(".compute.internal")


def _network(vpc: Any) -> Iterator[Entry]:
    """Its network, and networks added to it in the construct: IPv6 and secondary ones."""
    yield Entry(vpc.vpc_cidr_block, IPV4_NETWORK)
    for child in vpc.node.children:
        if "aws_ec2.CfnVPCCidrBlock" not in type_names(child):
            continue
        if child.cidr_block is not None:
            yield Entry(child.cidr_block, IPV4_NETWORK)
        elif child.ipv6_cidr_block is not None:
            yield Entry(child.ipv6_cidr_block, IPV6_NETWORK)
        elif child.amazon_provided_ipv6_cidr_block or child.ipv6_pool is not None:
            yield Entry(cdk.Fn.select(0, vpc.vpc_ipv6_cidr_blocks), IPV6_NETWORK)


def _dns_name(attribute: str) -> Any:
    """The regional name, which is the first: `hosted zone:name`. S3's begins with `*.`, as entries may."""

    def read(endpoint: Any) -> list[Entry]:
        return [Entry(cdk.Fn.select(1, cdk.Fn.split(":", cdk.Fn.select(0, getattr(endpoint, attribute)))), _ENDPOINT)]

    return read


ROWS: Final = (
    Row(
        "a VPC (its networks)",
        ("aws_ec2.Vpc", "aws_ec2.IVpc"),
        _network,
        f"{_REFERENCE}/aws-resource-ec2-vpc.html",
    ),
    Row(
        "a CfnVPC",
        ("aws_ec2.CfnVPC",),
        host("attr_cidr_block", IPV4_NETWORK),
        f"{_REFERENCE}/aws-resource-ec2-vpc.html",
    ),
    Row(
        "a subnet (its network)",
        ("aws_ec2.Subnet", "aws_ec2.ISubnet"),
        host("ipv4_cidr_block", IPV4_NETWORK),
        f"{_REFERENCE}/aws-resource-ec2-subnet.html",
    ),
    Row(
        "a load balancer",
        (
            "aws_elasticloadbalancingv2.BaseLoadBalancer",
            "aws_elasticloadbalancingv2.ILoadBalancerV2",
            "aws_elasticloadbalancingv2.IApplicationLoadBalancer",
            "aws_elasticloadbalancingv2.INetworkLoadBalancer",
            "aws_elasticloadbalancing.LoadBalancer",
        ),
        host("load_balancer_dns_name", _BALANCER),
        f"{_REFERENCE}/aws-resource-elasticloadbalancingv2-loadbalancer.html",
    ),
    Row(
        "a CfnLoadBalancer",
        ("aws_elasticloadbalancingv2.CfnLoadBalancer", "aws_elasticloadbalancing.CfnLoadBalancer"),
        host("attr_dns_name", _BALANCER),
        f"{_REFERENCE}/aws-resource-elasticloadbalancingv2-loadbalancer.html",
    ),
    Row(
        "an interface VPC endpoint (its regional name)",
        ("aws_ec2.InterfaceVpcEndpoint",),
        _dns_name("vpc_endpoint_dns_entries"),
        f"{_REFERENCE}/aws-resource-ec2-vpcendpoint.html",
    ),
    Row(
        "an EC2 instance (its private address and name)",
        ("aws_ec2.Instance", "aws_ec2.BastionHostLinux", "aws_ec2.IInstance"),
        each(host("instance_private_ip", len("255.255.255.255")), host("instance_private_dns_name", _MACHINE)),
        f"{_REFERENCE}/aws-resource-ec2-instance.html",
    ),
)
