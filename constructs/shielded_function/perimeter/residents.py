"""Residents of a VPC: resources in its subnets that look up names. Pure.

DNS Firewall applies to the whole VPC, so every resident resolves only the names of the functions' policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, NamedTuple

from shielded_function_monitoring.cfn.parts import map_constructs, references, texts

from ..names import l2_path
from ..tokens import has_token

FUNCTION: Final = "AWS::Lambda::Function"
CAPACITY_PROVIDER: Final = "AWS::Lambda::CapacityProvider"
SUBNET: Final = "AWS::EC2::Subnet"
ENDPOINT: Final = "AWS::EC2::VPCEndpoint"
GROUP: Final = "AWS::EC2::SecurityGroup"
GROUP_EGRESS: Final = "AWS::EC2::SecurityGroupEgress"

UNSEEN: Final = (
    *("AWS::ApiGateway::", "AWS::ApiGatewayV2::", "AWS::ApplicationAutoScaling::", "AWS::CDK::", "AWS::CloudWatch::"),
    *("AWS::Cognito::", "AWS::DynamoDB::", "AWS::ECR::", "AWS::IAM::", "AWS::KMS::", "AWS::Lambda::LayerVersion"),
    *("AWS::Lambda::Permission", "AWS::Logs::", "AWS::Route53Resolver::Firewall"),
    *("AWS::Route53Resolver::ResolverQueryLogging", "AWS::S3::", "AWS::SNS::", "AWS::SQS::"),
    "AWS::SecretsManager::ResourcePolicy",
)
"""Prefixes of the types whose properties are not read, as they are never in a VPC."""

_SILENT: Final = (
    *("AWS::EC2::EgressOnlyInternetGateway", "AWS::EC2::FlowLog", "AWS::EC2::InternetGateway", "AWS::EC2::NatGateway"),
    *("AWS::EC2::NetworkAcl", "AWS::EC2::Route", "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet"),
    *("AWS::EC2::TransitGateway", "AWS::EC2::VPC", "AWS::EC2::VPN", "AWS::EFS::MountTarget"),
    *("AWS::ElasticLoadBalancing::", "AWS::ElasticLoadBalancingV2::"),
    *("AWS::CloudFormation::", "AWS::SSM::Parameter", "Custom::"),
)
"""Prefixes of the types that may name a subnet without looking up names in it: the network itself, load balancers,
mount targets, and resources that only store a subnet's id."""

_DATABASES: Final = (
    *("AWS::DAX::", "AWS::DocDB::", "AWS::ElastiCache::", "AWS::MemoryDB::", "AWS::Neptune::", "AWS::RDS::"),
)
INSIDE: Final = (*_DATABASES, "AWS::EC2::Subnet", "AWS::EC2::VPC")
"""Prefixes of the types whose hosts and networks are in the VPC, which needs no way out."""


@dataclass(frozen=True)
class Resource:
    """A resource of the app.

    Attributes:
        path: its construct path.
        type: its CloudFormation type.
        properties: its properties, as of `batching.read_resources`.
    """

    path: str
    type: str
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False)

    @property
    def name(self) -> str:
        """Its readable name."""
        return l2_path(self.path)

    @cached_property
    def references(self) -> frozenset[str]:
        """The paths of the constructs that its properties refer to."""
        return frozenset(each["Construct"][0] for each in references(self.properties) if "Construct" in each)

    @cached_property
    def literals(self) -> tuple[str, ...]:
        """The literal texts in its properties."""
        return tuple(texts(map_constructs(self.properties, lambda *_: None)))


class Named(NamedTuple):
    """Constructs of the app, by their paths, and imported ones, by their ids."""

    paths: frozenset[str]
    ids: frozenset[str]

    @classmethod
    def of(cls, values: Iterable[Any]) -> Named:
        """Those of ids in the form of `batching.read_resources`; the values of tokens are unknown."""
        values = list(values)
        paths = (each["Construct"][0] for value in values for each in references(value) if "Construct" in each)
        ids = (each for each in values if isinstance(each, str) and each and not has_token(each))
        return cls(frozenset(paths), frozenset(ids))

    def are_in(self, resource: Resource) -> bool:
        """Whether a resource names one of them, as far as its properties show."""
        return bool(self.paths & resource.references) or any(i in text for text in resource.literals for i in self.ids)


class Network(NamedTuple):
    """A VPC in an app, and its subnets."""

    vpc: Named
    subnets: Named

    @classmethod
    def of(cls, vpc: Any, subnets: Iterable[Any], resources: Iterable[Resource]) -> Network:
        """A network, including subnets that other constructs created in the VPC; of ids as in `Named.of`."""
        own, named = Named.of([vpc]), Named.of(subnets)
        more = {each.path for each in resources if each.type == SUBNET and own.are_in(each)}
        return cls(own, named._replace(paths=named.paths | more))


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
        if resource.path not in ours and not resource.type.startswith(_SILENT) and network.subnets.are_in(resource)
    ]


def with_network(function: Resource, providers: Iterable[Resource]) -> Resource:
    """A function with the network of its capacity provider, if any, as it runs on the provider's instances."""
    for provider in providers:
        if provider.path in function.references:
            return replace(function, properties={**function.properties, **provider.properties})
    return function


def is_database(resource: Resource) -> bool:
    """Whether it is a database or its subnet group. An RDS import from S3 uses the VPC's endpoint."""
    return resource.type.startswith(_DATABASES)
