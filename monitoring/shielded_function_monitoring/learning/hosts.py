"""Reads names of hosts: the domain, data in the name, and the service of AWS, or the bucket, that has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import takewhile
from typing import Final

from publicsuffixlist import PublicSuffixList

from .questions import Question, admits, place_of

MANY_NAMES: Final = 20
"""Different names below one domain: with more, none of them becomes an entry by itself."""
_LABELS_LONGEST: Final = 63  # in front of the domain: more than any one label
_WORD_LONGEST: Final = 31  # a hash, a key, 16 bytes in hexadecimal are longer
_MIXED_WORD, _MIXED_CHANGES = 24, 6  # shorter pieces of them
_SCRAMBLED_SUM, _SCRAMBLED_CHANGES = 40, 2  # in pieces, or with hyphens in between; v2, use1 and shard0 change once
_suffixes: Final = cache(PublicSuffixList)
_CHANGE: Final = re.compile(r"(?<=\d)(?=\D)|(?<=\D)(?=\d)", re.ASCII)
# Of virtual-hosted style, in every form that the core admits; the core has the last word.
_BUCKET: Final = re.compile(r"(?P<bucket>.+?)\.s3[.-](?:.*)amazonaws\.com(?:\.cn)?")


def domain_of(name: str) -> str:
    """The registered domain (`a.b.example.co.uk`: `example.co.uk`); empty where none is known."""
    return _suffixes().privatesuffix(name) or ""


def common_domain(names: Sequence[str]) -> str:
    """The longest domain that all names are below."""
    columns = zip(*(name.split(".")[:0:-1] for name in names), strict=False)
    return ".".join([labels[0] for labels in takewhile(lambda labels: len({*labels}) == 1, columns)][::-1])


def crowded(places: Iterable[tuple[str, str]], many: int) -> dict[str, Sequence[str]]:
    """The places (directories, domains) that more than `many` different things are in, with these."""
    found: dict[str, set[str]] = {}
    for place, thing in places:
        if place:
            found.setdefault(place, set()).add(thing)
    return {place: sorted(things) for place, things in found.items() if len(things) > many}


def looks_like_data(host: str) -> bool:
    """Whether the labels in front of a host name's last two look like data: the domain's name server reads them.

    Data has to be written in letters and digits, which makes long words that change between the two often; names that
    people and services give do not. CloudFormation's names (app-uploads5f2c81d0-1xj2k3l4m5n6o), GUIDs and pods' names
    (api-7d4b9c6f8d-x2k9q) are not taken for data. Names that are random by themselves (function URLs, OpenSearch
    domains, aliases of access points) are.
    """
    labels = ".".join(host.split(".")[:-2])
    return len(labels) > _LABELS_LONGEST or words_look_like_data(labels)


def words_look_like_data(name: str) -> bool:
    """Whether the words of any name look like data. Dots, hyphens and underscores separate words."""
    words = [(len(word), len(_CHANGE.findall(word))) for word in re.split(r"[._-]", name)]
    return any(
        length > _WORD_LONGEST or (length >= _MIXED_WORD and changes >= _MIXED_CHANGES) for length, changes in words
    ) or (sum(length for length, changes in words if changes >= _SCRAMBLED_CHANGES) >= _SCRAMBLED_SUM)


class AwsHosts:
    """Asks the core which hosts are AWS's, in one function's own region.

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
