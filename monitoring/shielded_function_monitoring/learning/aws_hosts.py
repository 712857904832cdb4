"""Which service of AWS, or which bucket, a host name is: as the core has them, in the function's own region."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from .questions import Question, admits, decide, place_of

# Of virtual-hosted style, in every form that the core admits; the core has the last word.
_BUCKET: Final = re.compile(r"(?P<bucket>.+?)\.s3[.-](?:.*)amazonaws\.com(?:\.cn)?")
_AT_ONCE: Final = 64
"""Services of one question: a policy takes no list of all of them."""


class AwsHosts:
    """Asks the core about the hosts of one function.

    Args:
        region: the function's; without it no host is AWS's.
        account: the function's; when empty, endpoints of any account are AWS's.
        services: the names that services may have; those that the core does not know are passed over.
    """

    def __init__(self, region: str, account: str, services: Sequence[str]) -> None:
        self._place = place_of(region, account)
        self._services = known_services(tuple(services))

    def is_aws(self, host: str) -> bool:
        """Whether it is an endpoint of any service."""
        return "AWS_REGION" in self._place and self._admits("SHIELD_ALLOW_AWS=all", host)

    def bucket(self, host: str) -> str:
        """The bucket whose host name it is; empty when it is none."""
        found = _BUCKET.fullmatch(host)
        setting = f"SHIELD_ALLOW_AWS=none\nSHIELD_ALLOW_BUCKETS={found['bucket']}" if found else ""
        return found["bucket"] if found and self._admits(setting, host) else ""

    def service(self, host: str) -> str:
        """The service whose endpoint it is, as `allow_aws` takes it; empty when none is known.

        The first in the alphabet where several have it.
        """
        parts = (self._services[at : at + _AT_ONCE] for at in range(0, len(self._services), _AT_ONCE))
        return next(filter(None, (self._first(part, host) for part in parts)), "")

    def _first(self, services: Sequence[str], host: str) -> str:
        if not self._admits(f"SHIELD_ALLOW_AWS={','.join(services)}", host):
            return ""
        half = len(services) // 2
        return self._first(services[:half], host) or self._first(services[half:], host) if half else services[0]

    def _admits(self, setting: str, host: str) -> bool:
        return admits(f"{self._place}{setting}\n", Question("resolve", host))


@lru_cache(maxsize=4)
def known_services(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those names that the core knows as services, in the order of the alphabet."""
    return tuple(sorted(name for name in set(names) - {"all", "none", "granted"} if _is_service(name)))


def _is_service(name: str) -> bool:
    return decide(f"SHIELD_ALLOW_AWS={name}\n", Question("resolve", "example.com")) is not None
