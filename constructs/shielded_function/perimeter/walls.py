"""Derives the cheapest wall outside of a function's process from its policy, with its price. Pure.

Code that goes around the engine still meets AWS's network. A wall holds against it where the network leads only to what
the policy lists.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from ..granted.actions import endpoint_of
from ..policy.targets import read_entry
from .granted_actions import PREFIXES

if TYPE_CHECKING:
    from ..policy import ShieldPolicy

Tier = Literal["free", "endpoints", "names", "none"]
"""Isolated subnets with gateway endpoints; with interface endpoints too; with a way to named hosts; no wall, as the
policy admits every host. From the narrowest."""


class Price(NamedTuple):
    """A list price of US East (N. Virginia).

    Attributes:
        dollars: the price of one unit.
        unit: the unit.
        page: AWS's page.
    """

    dollars: float
    unit: str
    page: str


AS_OF: Final = "September 2026"
PRICES: Final = {
    # "There is no additional charge for using gateway endpoints."
    "gateway": Price(0, "endpoint", "https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html"),
    # "You will be billed for each hour that your VPC endpoint remains provisioned in each Availability Zone"
    "interface": Price(0.01, "endpoint, zone and hour", "https://aws.amazon.com/privatelink/pricing/"),
    "nat": Price(0.045, "gateway and hour", "https://aws.amazon.com/vpc/pricing/"),
    "domain": Price(0.0005, "domain and month", "https://aws.amazon.com/route53/pricing/"),
    "queries": Price(0.60, "million queries", "https://aws.amazon.com/route53/pricing/"),
}
ZONES: Final = 2
_HOURS: Final = 730  # of a month

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-networking.html: directory buckets have one, too.
GATEWAYS: Final = ("dynamodb", "s3", "s3express")
"""The services with a gateway endpoint. "Only interface endpoints are supported for DynamoDB Streams"
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/privatelink-streams.html)."""
_PRIVATE: Final = [ipaddress.ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]
_LOOK_UPS: Final = (
    "look-ups by the VPC's resolver, and data in their names: DNS Firewall closes it, "
    f"${PRICES['queries'].dollars:.2f} for each million queries"
)
_ANY_ADDRESS: Final = "any address on the ports of listed hosts, also for AWS: Network Firewall's proxy closes it"


@dataclass(frozen=True)
class Wall:
    """The cheapest wall for one function.

    Attributes:
        tier: its kind.
        endpoints: the services that need an endpoint, those of gateways first.
        needs: the entries of the policy to which an isolated subnet with gateway endpoints does not lead.
        dollars_a_month: its price in a VPC that it has to itself, in `ZONES` zones, without data; None for no wall.
        admits: the ways out that remain for code that went around the engine.
        left_out: listed services that only others use on the function's behalf, as Lambda polls a queue.
    """

    tier: Tier
    endpoints: Sequence[str] = ()
    needs: Sequence[str] = ()
    dollars_a_month: float | None = None
    admits: Sequence[str] = ()
    left_out: Sequence[str] = ()

    def __str__(self) -> str:
        if self.dollars_a_month is None:
            return f"none before {self.needs[0]}"
        way = "NAT gateway and DNS Firewall" if self.tier == "names" else "isolated subnets"
        named = f" with endpoints of {', '.join(self.endpoints)}" if self.endpoints else ""
        needs = f", for {', '.join(self.needs)}" if self.needs else ""
        left_out = f"; nothing for {', '.join(self.left_out)}, used only on its behalf" if self.left_out else ""
        return f"{way}{named}: ${self.dollars_a_month:,.2f} a month{needs}{left_out}"


def wall_of(
    policy: ShieldPolicy,
    is_inside: Callable[[str], bool] = lambda _: False,
    *,
    on_behalf: Collection[str] = (),
    besides: Sequence[str] = (),
    late: Sequence[str] = (),
) -> Wall:
    """The cheapest wall that lets everything through that a policy lists.

    Args:
        policy: the policy, with "granted" resolved. One that only alerts counts by its lists.
        is_inside: whether an entry of `allow_outbound` names a host of the function's own VPC, such as a database.
            Private networks count in any case.
        on_behalf: services that only Lambda or another service uses with the function's role.
        besides: services that its place needs besides the policy.
        late: services known only at deployment, in words.

    Raises:
        EntryError: an entry of `allow_outbound` cannot be expressed.
    """
    if policy.outbound_connectivity == "allow":
        return Wall("none", needs=("a policy that lists hosts",), admits=("any host",))
    inside = {str(each) for each in policy.allow_outbound if is_inside(str(each)) or _is_private(str(each))}
    hosts = [str(each) for each in policy.allow_outbound if str(each) not in inside]
    scope = policy.allow_aws or "all"
    listed = () if isinstance(scope, str) else tuple(map(str, scope))
    services = tuple(dict.fromkeys((*(each for each in listed if each not in on_behalf), *besides)))
    buckets = {"s3express" if str(each).endswith("--x-s3") else "s3" for each in policy.allow_buckets}
    gateways = [each for each in GATEWAYS if each in {*services, *buckets}]
    others = [each for each in services if each not in GATEWAYS]
    unnamed = [*(["allow_aws=all"] if scope == "all" else []), *(f"allow_aws={each}" for each in late)]
    needs = (*unnamed, *hosts, *(f"allow_aws={each}" for each in others))
    admits = [f"{each} of your account" for each in _owned(policy, gateways)]
    admits += ["other hosts of the VPC on the same port"] if inside else []
    left_out = tuple(each for each in listed if each not in services)
    if hosts or unnamed:
        price = PRICES["nat"].dollars * _HOURS + PRICES["domain"].dollars * len(hosts)
        return Wall("names", gateways, needs, round(price, 2), (*admits, _ANY_ADDRESS), left_out)
    price = PRICES["interface"].dollars * _HOURS * ZONES * len(others)
    endpoints = [*gateways, *map(_endpoint_of, others)]
    unpoliced = [each for each in endpoints if each not in PREFIXES]
    admits += [f"keys of any account for {', '.join(unpoliced)}, until you write its policy"] if unpoliced else []
    return Wall("endpoints" if others else "free", endpoints, needs, round(price, 2), (*admits, _LOOK_UPS), left_out)


def _endpoint_of(service: str) -> str:
    """The last part of the name of a service's endpoint: `states` of stepfunctions."""
    label = endpoint_of(service, "").partition("..")[0]
    return next((endpoint for endpoint, prefix in PREFIXES.items() if prefix == label), label)


def _is_private(entry: str) -> bool:
    network = None if "${" in entry else read_entry(entry).network
    return network is not None and any(
        network.version == each.version and network.subnet_of(each)  # pyright: ignore[reportArgumentType]
        for each in _PRIVATE
    )


def _owned(policy: ShieldPolicy, gateways: Sequence[str]) -> list[str]:
    """The resources that the gateway endpoints' policies let through."""
    named = {"dynamodb": "granted tables", "s3express": "granted directory buckets"}
    return [named.get(each, "granted buckets" if policy.allow_buckets else "buckets") for each in gateways]


def summary_of(walls: Mapping[str, Wall]) -> list[str]:
    """How many functions each kind of wall is the cheapest for, and its price in one VPC of all of them.

    Args:
        walls: each function's wall, by its construct path.
    """
    of_tier = {tier: [path for path, wall in walls.items() if wall.tier == tier] for tier in get_args(Tier)}
    free, names = of_tier["free"], of_tier["names"]
    shared = {name for path in of_tier["endpoints"] for name in walls[path].endpoints} - {*GATEWAYS}
    dollars = PRICES["interface"].dollars * _HOURS * ZONES * len(shared)
    texts = {
        "free": f"can be walled for nothing: {', '.join(free)}",
        "endpoints": f"by {len(shared)} interface endpoints that they share: ${dollars:,.2f} a month",
        "names": f"by a NAT gateway and DNS Firewall that they share: ${PRICES['nat'].dollars * _HOURS:,.2f} a month",
        "none": "have no wall before a policy that lists hosts",
    }
    found = [f"{len(of_tier[tier])} of {len(walls)} functions {text}" for tier, text in texts.items() if of_tier[tier]]
    prices = f"List prices of US East (N. Virginia), {AS_OF}; {ZONES} zones, without data and queries."
    return [*found, prices] if names or shared else found
