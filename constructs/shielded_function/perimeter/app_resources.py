"""Reads from the CDK the resources of an app that use a VPC, and the values of tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import IConstruct

from shielded_function_monitoring.cfn.parts import joined_list, parts

from ..batching import references_of
from ..late import references_in
from ..paths import find_constructs, path_of
from ..tokens import TEXT_TOKEN, has_token
from .entries import EntryError, Kind
from .residents import (
    CAPACITY_PROVIDER,
    ENDPOINT,
    FUNCTION,
    GROUP,
    SUBNET,
    UNSEEN,
    Network,
    Resource,
    with_network,
)

_EARLY: Final[Mapping[str, Sequence[str]]] = {
    ENDPOINT: ("vpcId", "serviceName"),
    CAPACITY_PROVIDER: ("vpcConfig",),
    FUNCTION: ("vpcConfig", "fileSystemConfigs", "capacityProviderConfig", "role"),
    GROUP: ("vpcId", "securityGroupEgress"),
    SUBNET: ("vpcId",),
}
"""The types read while aspects run. The CDK keeps the first value of most lazy properties (`Lazy.any`), so a later
aspect could not change other types once they were read."""


class App:
    """The resources of a stage.

    Attributes:
        resources: network resources and functions, read at construction, maybe while aspects run.
        by_path: the resources by path.
        constructs: each resource's construct, by its path.
    """

    def __init__(self, stage: IConstruct) -> None:
        self._stage = stage
        self._everybody: list[Resource] | None = None
        self.constructs: dict[str, Any] = {}
        self.resources: list[Resource] = []
        found = find_constructs(stage, (), list(_EARLY))
        for kind, names in _EARLY.items():
            chosen = [construct for construct in found if path_of(construct)[1] == kind]
            self.constructs.update((path_of(construct)[0], construct) for construct in chosen)
            self.resources += _read(chosen, names)
        providers = self.of_type(CAPACITY_PROVIDER)
        self.resources = [with_network(each, providers) if each.type == FUNCTION else each for each in self.resources]
        self.by_path = {resource.path: resource for resource in self.resources}

    def everybody(self) -> list[Resource]:
        """All resources that may be in a network, with their references. Call it after the aspects."""
        if self._everybody is None:
            others = [
                construct
                for construct in find_constructs(self._stage, ["CfnResource"])
                if not path_of(construct)[1].startswith(UNSEEN) and path_of(construct)[1] not in (FUNCTION, ENDPOINT)
            ]
            self._everybody = [*(self.of_type(FUNCTION)), *_read(others, ())]
        return self._everybody

    def of_type(self, kind: str) -> list[Resource]:
        """The resources of a type."""
        return [resource for resource in self.resources if resource.type == kind]

    def network(self, vpc: ec2.IVpc) -> Network:
        """A VPC of this app, or an imported one."""
        subnets = [each.subnet_id for each in (*vpc.public_subnets, *vpc.private_subnets, *vpc.isolated_subnets)]
        vpc_id = vpc.vpc_id
        return Network.of(
            next(iter(_referred(vpc_id)), ""),
            vpc_id,
            [path for subnet in subnets for path in _referred(subnet)],
            [subnet for subnet in subnets if not has_token(subnet)],
            self.resources,
        )


def _referred(text: str) -> list[str]:
    """The paths of the resources that a text refers to: by a construct, or by an import of its id."""
    return [path_of(reference.target)[0] for reference in references_in(text)]


def _read(constructs: Sequence[Any], names: Sequence[str]) -> list[Resource]:
    found = zip(constructs, references_of(constructs, *names), strict=True)
    return [Resource(*path_of(each), frozenset(path for path, _ in named), values) for each, (named, values) in found]


# Values of tokens

_NETWORKS: Final = re.compile(r"\b(?:Ipv6)?CidrBlocks?\b|\bIpv6CidrBlocks\b|\bSubnetIpv6\w*\b|\bVpcIpv6\w*\b")
_ADDRESSES: Final = re.compile(r"\bPrivateIp(?:Address)?\b|\bPublicIp\b|\bPrimaryPrivateIpAddress\b")
_V6: Final = re.compile(r"Ipv6")


@dataclass(frozen=True)
class _Meaning:
    """The value of a text with tokens. `divider` stands between names; `is_whole`: the text adds no prefix."""

    kind: Kind
    is_whole: bool = False
    divider: str = ""
    problem: str = ""


_MEANINGS: Final[dict[str, _Meaning]] = {}
"""Cached by text: tokens keep their number for the life of the process, and rules are read several times."""


def classify_in(stack: cdk.Stack) -> Callable[[str], Kind]:
    """A function that classifies the host of an entry at deployment, from its references in a stack.

    The names of attributes distinguish addresses from names. A parameter counts as a name.
    """

    def classify(host: str) -> Kind:
        meaning = _meaning(host, stack)
        if meaning.problem:
            raise EntryError(meaning.problem)
        return meaning.kind

    return classify


def divider_of(host: str, stack: cdk.Stack) -> str:
    """The separator in a text of several names."""
    return _meaning(host, stack).divider


def is_address(host: str, stack: cdk.Stack) -> bool:
    """Whether a token of `classify` is an address without a prefix."""
    return _meaning(host, stack).is_whole


def _meaning(host: str, stack: cdk.Stack) -> _Meaning:
    if host not in _MEANINGS:
        _MEANINGS[host] = _read_meaning(host, stack)
    return _MEANINGS[host]


def _read_meaning(host: str, stack: cdk.Stack) -> _Meaning:
    if "/" in host:
        return _Meaning("ipv6" if ":" in host else "ipv4")
    # The attributes' names are equal in every stack.
    attributes = [reference.display_name for reference in references_in(host)]
    try:
        value = stack.resolve({"host": host})["host"]
    except RuntimeError:
        value = None
    tree = json.dumps([value, attributes])
    for between, _ in filter(None, map(joined_list, parts(value))):
        if not between.endswith(","):
            continue
        if not re.fullmatch(r":\d+,", between) or not TEXT_TOKEN.fullmatch(host):
            return _Meaning(
                "name",
                problem=f"allow_outbound: {host}: it is a list known only at deployment, with ports in it "
                "perhaps: list its members one by one (Fn.select)",
            )
        return _Meaning("names", divider=between)
    if _NETWORKS.search(tree) or _ADDRESSES.search(tree):
        return _Meaning("ipv6" if _V6.search(tree) else "ipv4", is_whole=not _NETWORKS.search(tree))
    return _Meaning("name")
