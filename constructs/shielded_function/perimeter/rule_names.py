"""Derives the names that DNS Firewall admits from a policy. Pure.

DNS Firewall accepts a name, or a name with `*` in place of its first labels: `*.example.com` is every name below
example.com, without example.com itself, as in `allow_outbound`
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-user-managed-domain-lists.html). Where
an AWS endpoint has more unknown labels, every name below its known part is admitted; only AWS assigns such names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from shielded_function_runtime import core

from ..policy.targets import EntryError, Target
from ..tokens import TEXT_TOKEN, has_token

if TYPE_CHECKING:
    from ..policy import ShieldPolicy

LONGEST: Final = 255
"""Characters of a domain in a list
(https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_UpdateFirewallDomains.html)."""
_DOMAIN: Final = re.compile(r"(?:\*|(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)\.?")

RESOLVER_OWN: Final = (
    "localhost",
    "*.compute.internal",
    "*.ec2.internal",
    *(f"*.{network}.in-addr.arpa" for network in ("10", "127", "168.192", "254.169")),
    *(f"*.{second}.172.in-addr.arpa" for second in range(16, 32)),
)
"""Names that programs look up to identify themselves. Resolver answers these without asking other servers
(https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html), so no data leaves by them, and they
raise no alarm."""

_NOWHERE: Final = "zz-unknown-1"
_HOME: Final = "us-east-1"
_ACCOUNT: Final = "000000000000"
_BUCKET: Final = "shielded-function-bucket"
_ZONES: Final = range(1, 7)
"""The last parts of the ids of a region's zones: use1-az1 to use1-az6 are the most that a region has
(https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html)."""
_DIRECTIONS: Final = {
    "central": "c", "east": "e", "north": "n", "northeast": "ne", "northwest": "nw", "south": "s", "southeast": "se",
    "southwest": "sw", "west": "w",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """The place where functions run.

    Attributes:
        region: their region, possibly a token.
        account: their account, possibly a token; empty where unknown.
    """

    region: str
    account: str = ""

    @property
    def known_region(self) -> str:
        """The region; empty where it is known only at deployment."""
        return "" if has_token(self.region) else self.region


def domains_of(policy: ShieldPolicy, targets: Iterable[Target], place: Place) -> list[str]:
    """The names that a function may look up, as domains of DNS Firewall, possibly with tokens. Without `RESOLVER_OWN`.

    Args:
        policy: its `allow_aws` is resolved: no "granted" in it.
        targets: the targets of its `allow_outbound`.
        place: the place where the function runs.

    Raises:
        EntryError: DNS Firewall accepts no such name.
    """
    if policy.outbound_connectivity == "allow":
        return ["*"]
    listed = [_check(target) for target in targets if not target.is_network]
    return list(dict.fromkeys((*listed, *aws_domains(policy, place))))


def _check(target: Target) -> str:
    if has_token(target.host):
        return target.host
    if not _DOMAIN.fullmatch(target.host) or len(target.host) > LONGEST:
        raise EntryError(
            f"allow_outbound: {target.entry}: a domain list of DNS Firewall takes letters, digits, hyphens and dots, "
            f"{LONGEST} at most: list the domain above it, with *."
        )
    return target.host


def aws_domains(policy: ShieldPolicy, place: Place) -> list[str]:
    """The domains for only `allow_aws` and `allow_buckets`."""
    services = policy.allow_aws or "all"
    scope = services if isinstance(services, str) else ",".join(services)
    buckets = [str(bucket) for bucket in policy.allow_buckets]
    found: list[str] = []
    for pattern in _patterns(scope, bool(buckets), place.known_region):
        text = pattern.replace(_NOWHERE, place.region)
        found.extend(_domains(text, pattern, buckets, place))
    return list(dict.fromkeys(text.replace(_ACCOUNT, place.account or "*") for text in found))


@lru_cache(maxsize=64)
def _patterns(scope: str, has_buckets: bool, region: str) -> Sequence[str]:
    """The core's patterns. For an unknown region they match any region of the partition aws, also names that only the
    home region has."""
    settings = f"SHIELD_ALLOW_AWS={scope}\nSHIELD_ACCOUNT_ID={_ACCOUNT}\n"
    if has_buckets:
        settings += f"SHIELD_ALLOW_BUCKETS={_BUCKET}\n"
    found = core.parse(f"{settings}AWS_REGION={region or _NOWHERE}\n").aws_endpoints()
    if not region:
        home = core.parse(f"{settings}AWS_REGION={_HOME}\n").aws_endpoints()
        found += [pattern for pattern in home if _HOME not in pattern]
    return tuple(dict.fromkeys(found))


def _domains(text: str, pattern: str, buckets: Sequence[str], place: Place) -> Iterator[str]:
    """A pattern as domains; its open parts are in capitals. `text` is the pattern with the region."""
    if text.startswith("B.") and buckets:
        yield from (f"{bucket}{text[1:]}" for bucket in buckets)
    elif pattern.startswith(("L--x-s3.Z.", "L--xa-s3.Z.")):
        behind = text.partition(".Z.")[2]
        names = [bucket for bucket in buckets if re.search(r"--[a-z0-9]+-az\d+--x-s3$", bucket)]
        zones = _zones(place.known_region) if not buckets else ()
        yield from (f"*.{zone}.{behind}" for zone in zones)
        for name in names:
            zone = name.split("--")[-2]
            yield from (f"{name}.s3express-{fips}{zone}.{behind}" for fips in ("", "fips-"))
    elif _open_label(pattern) < 0:
        yield text
    else:
        labels = text.split(".") if not has_token(text) else _labels(text)
        yield ".".join(("*", *labels[_open_label(pattern) + 1 :]))


def _labels(text: str) -> list[str]:
    """The labels of a text with tokens, which may contain dots."""
    return re.findall(f"(?:{TEXT_TOKEN.pattern}|[^.])+", text)


def _open_label(pattern: str) -> int:
    """The index of the last open label; -1 for none."""
    return max((at for at, label in enumerate(pattern.split(".")) if re.search("[A-Z]", label)), default=-1)


def _zones(region: str) -> list[str]:
    """The labels of S3 Express: `s3express-use1-az4`. Empty for an unknown region."""
    *prefix, direction, number = region.split("-") if region else ("", "", "")
    short = _DIRECTIONS.get(direction, "")
    if not short or not prefix:
        return []
    code = "".join(part if at == 0 else part[:1] for at, part in enumerate(prefix)) + short + number
    return [f"s3express-{fips}{code}-az{zone}" for zone in _ZONES for fips in ("", "fips-")]
