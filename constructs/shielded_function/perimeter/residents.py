"""Residents of a VPC: resources in its subnets that look up names. Pure.

DNS Firewall applies to the whole VPC, so every resident resolves only the names of the functions' policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from shielded_function_monitoring.cfn.parts import texts

from ..names import l2_path
from ..tokens import has_token

FUNCTION: Final = "AWS::Lambda::Function"
CAPACITY_PROVIDER: Final = "AWS::Lambda::CapacityProvider"
SUBNET: Final = "AWS::EC2::Subnet"
ENDPOINT: Final = "AWS::EC2::VPCEndpoint"
GROUP: Final = "AWS::EC2::SecurityGroup"
GROUP_EGRESS: Final = "AWS::EC2::SecurityGroupEgress"

UNSEEN: Final = (
    "AWS::ApiGateway::",
    "AWS::ApiGatewayV2::",
    "AWS::ApplicationAutoScaling::",
    "AWS::CDK::",
    "AWS::CloudWatch::",
    "AWS::Cognito::",
    "AWS::DynamoDB::",
    "AWS::ECR::",
    "AWS::IAM::",
    "AWS::KMS::",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Logs::",
    "AWS::Route53Resolver::Firewall",
    "AWS::Route53Resolver::ResolverQueryLogging",
    "AWS::S3::",
    "AWS::SNS::",
    "AWS::SQS::",
    "AWS::SecretsManager::ResourcePolicy",
)
"""Prefixes of the types whose properties are not read, as they are never in a VPC."""

_SILENT: Final = (
    "AWS::CloudFormation::",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::FlowLog",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::NetworkAcl",
    "AWS::EC2::Route",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::TransitGateway",
    "AWS::EC2::VPC",
    "AWS::EC2::VPN",
    "AWS::EFS::MountTarget",
    "AWS::ElasticLoadBalancing::",
    "AWS::ElasticLoadBalancingV2::",
    "AWS::SSM::Parameter",
    "Custom::",
)
"""Prefixes of the types that may name a subnet without looking up names in it: the network itself, load balancers,
mount targets, and resources that only store a subnet's id."""


_DATABASES: Final = (
    "AWS::DAX::",
    "AWS::DocDB::",
    "AWS::ElastiCache::",
    "AWS::MemoryDB::",
    "AWS::Neptune::",
    "AWS::RDS::",
)


@dataclass(frozen=True)
class Resource:
    """A resource of the app.

    Attributes:
        path: its construct path.
        type: its CloudFormation type.
        references: the paths of the constructs that its properties refer to.
        properties: its properties, resolved, in the CDK's names.
    """

    path: str
    type: str
    references: frozenset[str] = frozenset()
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False)

    @property
    def name(self) -> str:
        """Its readable name."""
        return l2_path(self.path)


@dataclass(frozen=True)
class Network:
    """A VPC in an app.

    Attributes:
        paths: the paths of the VPC and its subnets.
        ids: the ids of imported ones.
    """

    vpc: str
    vpc_id: str
    paths: frozenset[str]
    ids: frozenset[str]

    @classmethod
    def of(cls, vpc: str, vpc_id: str, subnets: Iterable[str], ids: Iterable[str], all_: Iterable[Resource]) -> Network:
        """A network, including subnets that other constructs created in the VPC."""
        more = (r.path for r in all_ if r.type == SUBNET and (vpc in r.references or _names(r.properties, [vpc_id])))
        return cls(vpc, vpc_id, frozenset((*subnets, *more)), frozenset(ids))

    def has(self, resource: Resource) -> bool:
        """Whether a resource is in one of the subnets, as far as its properties show."""
        return bool(self.paths & resource.references) or _names(resource.properties, self.ids)

    def is_of(self, resource: Resource) -> bool:
        """Whether a resource refers to the VPC itself."""
        return self.vpc in resource.references or _names(resource.properties, [self.vpc_id])


def others(network: Network, resources: Iterable[Resource], covered: Iterable[str]) -> list[Resource]:
    """The other resources in the VPC. A capacity provider counts by its functions.

    Args:
        network: the VPC.
        resources: all resources.
        covered: the paths of the functions' resources whose policies define the rules.
    """
    resources = list(resources)
    used = {path for each in resources if each.type == FUNCTION for path in each.references}
    ours = {*covered, *(each.path for each in resources if each.type == CAPACITY_PROVIDER and each.path in used)}
    return [
        resource
        for resource in resources
        if resource.path not in ours and not resource.type.startswith(_SILENT) and network.has(resource)
    ]


def with_network(function: Resource, providers: Iterable[Resource]) -> Resource:
    """A function with the network of its capacity provider, if any, as it runs on the provider's instances."""
    for provider in providers:
        if provider.path in function.references:
            return replace(
                function,
                references=function.references | provider.references,
                properties={**function.properties, "vpcConfig": provider.properties.get("vpcConfig")},
            )
    return function


def is_database(resource: Resource) -> bool:
    """Whether it is a database or its subnet group. An RDS import from S3 uses the VPC's endpoint."""
    return resource.type.startswith(_DATABASES)


def _names(value: Any, wanted: Iterable[str]) -> bool:
    """Whether a resolved value contains one of these texts."""
    known = [text for text in wanted if text and not has_token(text)]
    return bool(known) and any(text in each for each in texts(value) for text in known)
