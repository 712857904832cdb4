"""Which service of AWS, or which bucket, a host name is: as the core has them, in the function's own region."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from .questions import Question, admits, place_of

# Of virtual-hosted style, in every form that the core admits; the core has the last word.
_BUCKET: Final = re.compile(r"(?P<bucket>.+?)\.s3[.-](?:.*)amazonaws\.com(?:\.cn)?")


class AwsHosts:
    """Asks the core about the hosts of one function.

    Args:
        region: the function's; without it no host is AWS's.
        account: the function's; when empty, endpoints of any account are AWS's.
        services: those that a host may be of, as the core calls them.
    """

    def __init__(self, region: str, account: str, services: Sequence[str]) -> None:
        self._place, self._services = place_of(region, account), services

    def is_aws(self, host: str) -> bool:
        """Whether it is an endpoint of any service."""
        return "AWS_REGION" in self._place and self._admits("SHIELD_ALLOW_AWS=all", host)

    def bucket(self, host: str) -> str:
        """The bucket whose host name it is; empty when it is none."""
        found = _BUCKET.fullmatch(host)
        setting = f"SHIELD_ALLOW_AWS=none\nSHIELD_ALLOW_BUCKETS={found['bucket']}" if found else ""
        return found["bucket"] if found and self._admits(setting, host) else ""

    def service(self, host: str) -> str:
        """The first service whose endpoint it is, as `allow_aws` takes it; empty when none is known."""
        return next((name for name in self._services if self._admits(f"SHIELD_ALLOW_AWS={name}", host)), "")

    def _admits(self, setting: str, host: str) -> bool:
        return admits(f"{self._place}{setting}\n", Question("resolve", host))
