"""Reads from the CDK the resources of an app that use a VPC, and the values of tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from shielded_function_monitoring.cfn.parts import as_template, divider_of, parts

from ..policy.targets import EntryError, Meaning
from ..reading.batching import members_of, read_resources
from ..reading.late import references_in
from ..reading.paths import find_constructs, path_of
from ..tokens import TEXT_TOKEN
from .residents import (
    CAPACITY_PROVIDER,
    ENDPOINT,
    FUNCTION,
    GROUP,
    SUBNET,
    UNSEEN,
    Network,
    Resource,
    others,
    with_network,
)

_EARLY: Final[Mapping[str, Sequence[str]]] = {
    ENDPOINT: ("VpcId", "ServiceName"),
    CAPACITY_PROVIDER: ("VpcConfig",),
    FUNCTION: ("VpcConfig", "FileSystemConfigs", "CapacityProviderConfig", "Role"),
    GROUP: ("VpcId", "SecurityGroupEgress"),
    SUBNET: ("VpcId",),
}
"""The types read while aspects run. The CDK keeps the first value of most lazy properties (`Lazy.any`), so a later
aspect could not change other types once they were read."""


class App:
    """The resources of a stage, and of stages nested in it, around a VPC.

    Attributes:
        resources: network resources and functions by path, read at construction, maybe while aspects run.
        constructs: each resource's construct, by its path.
        network: the VPC, of this app or imported.
    """

    def __init__(self, stage: cdk.Stage, vpc: ec2.IVpc) -> None:
        self._stage = stage
        self._everybody: list[Resource] | None = None
        found = find_constructs(stage, ["Stage"], list(_EARLY))
        stages = [each for each in found if isinstance(each, cdk.Stage)]
        self.constructs: dict[str, Any] = {path_of(construct)[0]: construct for construct in found}
        read = [Resource(*row) for each in stages for row in read_resources(each, _EARLY)]
        providers = [each for each in read if each.type == CAPACITY_PROVIDER]
        self.resources = {each.path: with_network(each, providers) if each.type == FUNCTION else each for each in read}
        subnets = [*vpc.public_subnets, *vpc.private_subnets, *vpc.isolated_subnets]
        ids = [*members_of([vpc], "vpcId", form="paths"), *members_of(subnets, "subnetId", form="paths")]
        vpc_id, *subnet_ids = (as_template(found) for (found,) in ids)
        self.network = Network.of(vpc_id, subnet_ids, read)

    def of_type(self, kind: str) -> list[Resource]:
        """The resources of a type."""
        return [resource for resource in self.resources.values() if resource.type == kind]

    @property
    def endpoints(self) -> list[Resource]:
        """The endpoints of the VPC."""
        return [each for each in self.of_type(ENDPOINT) if self.network.vpc.are_in(each)]

    def everybody(self) -> list[Resource]:
        """All resources that may be in a network, with their references. Call it after the aspects."""
        if self._everybody is None:
            found = [
                construct
                for construct in find_constructs(self._stage, ["CfnResource"])
                if not path_of(construct)[1].startswith(UNSEEN) and path_of(construct)[1] not in (FUNCTION, ENDPOINT)
            ]
            read = zip(found, members_of(found, "cfnProperties", form="paths"), strict=True)
            resources = (Resource(*path_of(each), as_template(properties or {})) for each, (properties,) in read)
            self._everybody = [*self.of_type(FUNCTION), *resources]
        return self._everybody

    def others(self, covered: Iterable[str]) -> list[Resource]:
        """The resources in the VPC except functions with these paths. Call it after the aspects."""
        return others(self.network, self.everybody(), covered)


# Values of tokens

_NETWORKS: Final = re.compile(r"\b(?:Ipv6)?CidrBlocks?\b|\bIpv6CidrBlocks\b|\bSubnetIpv6\w*\b|\bVpcIpv6\w*\b")
_ADDRESSES: Final = re.compile(r"\bPrivateIp(?:Address)?\b|\bPublicIp\b|\bPrimaryPrivateIpAddress\b")
_V6: Final = re.compile(r"Ipv6")


_MEANINGS: Final[dict[str, Meaning | str]] = {}
"""Or problems, cached by text: tokens keep their number for the process, and rules are read several times."""


def classify_in(stack: cdk.Stack) -> Callable[[str], Meaning]:
    """A function that classifies the host of an entry at deployment, from its references in a stack.

    The names of attributes distinguish addresses from names. A parameter counts as a name.
    """

    def classify(host: str) -> Meaning:
        if host not in _MEANINGS:
            _MEANINGS[host] = _read_meaning(host, stack)
        if isinstance(found := _MEANINGS[host], str):
            raise EntryError(found)
        return found

    return classify


def _read_meaning(host: str, stack: cdk.Stack) -> Meaning | str:
    if "/" in host:
        return Meaning("ipv6" if ":" in host else "ipv4")
    # The attributes' names are equal in every stack.
    attributes = [reference.display_name for reference in references_in(host)]
    try:
        value = stack.resolve({"host": host})["host"]
    except RuntimeError:
        value = None
    tree = json.dumps([value, attributes])
    for divider in map(divider_of, parts(value)):
        if not divider.endswith(","):
            continue
        if re.fullmatch(r":\d+,", divider) and TEXT_TOKEN.fullmatch(host):
            return Meaning("names", divider=divider)
        return (
            f"allow_outbound: {host}: it is a list known only at deployment, with ports in it perhaps: list "
            "its members one by one (Fn.select)"
        )
    is_network = _NETWORKS.search(tree)
    if not is_network and not _ADDRESSES.search(tree):
        return Meaning("name")
    kind, whole = ("ipv6", "/128") if _V6.search(tree) else ("ipv4", "/32")
    return Meaning(kind, "" if is_network else whole)
