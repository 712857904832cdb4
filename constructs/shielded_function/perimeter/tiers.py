"""The wall that costs nothing: isolated subnets, gateway endpoints, and security groups that lead only to these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from shielded_function_monitoring.cfn.parts import as_template

from ..reading.batching import members_of
from ..reading.late import references_in
from ..reading.paths import path_of
from ..tokens import has_token
from .egress import NFS, EgressRule, remove_covered
from .granted_actions import service_in
from .residents import ENDPOINT, INSIDE, Named, Resource
from .walls import GATEWAYS, Wall, wall_of

if TYPE_CHECKING:
    from constructs import Construct

    from .app_resources import App
    from .covered import Covered

_MADE: Final = ("dynamodb", "s3")
_TELEMETRY: Final = ("logs", "xray")
"""Services that instances of a capacity provider reach through its VPC (`covered.TELEMETRY`)."""


class FreeWall:
    """The subnets, endpoints and egress of a perimeter with a tier.

    Attributes:
        services: the services with a gateway endpoint, once made.
    """

    def __init__(self, scope: Construct, vpc: ec2.IVpc, lists: Mapping[str, str] | None) -> None:
        """
        Args:
            scope: the scope of the resources.
            vpc: the VPC.
            lists: the ids of the gateways' prefix lists by service; None to look them up.
        """
        self._scope = scope
        self._vpc = vpc
        self._lists = dict(lists or {})
        self._needs_lists = False
        self.services: set[str] = set()

    def make(self, app: App, narrow: Callable[[Resource, ec2.CfnVPCEndpoint], None]) -> None:
        """Makes the gateway endpoints that an app lacks.

        Args:
            app: the app around the VPC.
            narrow: gives an endpoint its policy.
        """
        self.services = {service_in(each.properties.get("ServiceName")) for each in app.endpoints} & {*GATEWAYS}
        isolated = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        for service in _MADE if self._vpc.isolated_subnets else ():
            if service in self.services:
                continue
            kind = getattr(ec2.GatewayVpcEndpointAwsService, service.upper())
            made = ec2.GatewayVpcEndpoint(
                self._scope, f"Gateway{service}", vpc=self._vpc, service=kind, subnets=[isolated]
            )
            resource: Any = made.node.default_child
            narrow(Resource(path_of(resource)[0], ENDPOINT, {"ServiceName": f"com.amazonaws.any.{service}"}), resource)
            self.services.add(service)

    def look_up(self) -> None:
        """Looks up the prefix lists of the gateways that are not given: `cdk synth` asks the account once."""
        self._needs_lists = True
        stack = cdk.Stack.of(self._scope)
        if has_token(stack.region) or has_token(stack.account):
            return
        for service in sorted(self.services - self._lists.keys()):
            name = f"com.amazonaws.{stack.region}.{service}"
            found = ec2.PrefixList.from_lookup(self._scope, f"{service}List", prefix_list_name=name)
            self._lists[service] = found.prefix_list_id

    def egress(self, covered: Covered, cidr: Callable[[], str]) -> list[EgressRule]:
        """The egress of one function: its gateways' prefix lists, and hosts of the VPC in place of any address.

        Raises:
            EntryError: an entry cannot be expressed, or the VPC's networks are unknown.
        """
        lists = [self._lists[each] for each in _wall_of(covered).endpoints if each in self._lists]
        rules = [EgressRule("tcp", 443, each) for each in lists]
        for target in covered.targets():
            network = target.host if target.is_network else cidr()
            rules += [EgressRule(each, target.port, network, target.kind == "ipv6") for each in target.protocols]
        if covered.resource.properties.get("FileSystemConfigs"):
            rules.append(EgressRule("tcp", NFS, cidr()))
        return remove_covered(rules)

    def problems(self, app: App, functions: Mapping[str, Covered], tier: str) -> Iterator[str]:
        """The errors of functions that need more than the wall, and of subnets with a way out. Call it last."""
        ids = members_of(self._vpc.isolated_subnets, "subnetId", form="paths")
        isolated, subnets = Named.of(as_template(found) for (found,) in ids), app.network.subnets
        others = Named(subnets.paths - isolated.paths, subnets.ids - isolated.ids)
        for path, covered in functions.items():
            wall, policies = _wall_of(covered), covered.attached.policies
            price = "" if wall.dollars_a_month is None else f", ${wall.dollars_a_month:,.2f} a month"
            for need in wall.needs:
                entry = policies.name_of(need)
                yield (
                    f"{path}: tier={tier!r} leads to no {entry} (it needs the wall {wall.tier!r}{price}): take the "
                    "entry out, leave the function out by functions=, or the tier"
                )
            if others.are_in(covered.resource):
                yield (
                    f"{path}: tier={tier!r} is for isolated subnets, and one of its subnets has a way out: "
                    "vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)"
                )
            for service in () if wall.needs else (each for each in wall.endpoints if each not in self.services):
                yield f"{path}: the VPC has no gateway endpoint of {service}: add it"
            unknown = [each for each in wall.endpoints if each not in self._lists] if self._needs_lists else []
            for service in () if wall.needs else unknown:
                yield (
                    f"{path}: the prefix list of {service} is unknown: give the stack an account and a region, or "
                    f'prefix_lists={{"{service}": "pl-..."}}'
                )
        tables = {
            table
            for each in app.everybody()
            if each.type == "AWS::EC2::SubnetRouteTableAssociation" and isolated.are_in(each)
            for table in each.references - isolated.paths
        }
        for each in app.everybody():
            if each.type == "AWS::EC2::Route" and each.references & tables:
                yield f"{each.name} is a route out of an isolated subnet, which tier={tier!r} has not: take it out"


def _wall_of(covered: Covered) -> Wall:
    policies = covered.attached.policies
    besides = _TELEMETRY if covered.on_provider else ()
    return wall_of(covered.attached.policy, _is_inside, on_behalf=policies.on_behalf, besides=besides)


def _is_inside(entry: str) -> bool:
    return any(path_of(each.target)[1].startswith(INSIDE) for each in references_in(entry))
