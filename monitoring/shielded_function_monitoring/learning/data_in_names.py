"""Host names that look as if they carried data: the domain's name server reads the labels.

Data has to be written in letters and digits, which makes long words that change between the two often; names that
people and services give do not. CloudFormation's names (app-uploads5f2c81d0-1xj2k3l4m5n6o), GUIDs and pods' names
(api-7d4b9c6f8d-x2k9q) are not taken for data. Names that are random by themselves (function URLs, OpenSearch domains,
aliases of access points) are.
"""

from __future__ import annotations

import re
from typing import Final

_LABELS_LONGEST: Final = 63  # in front of the domain: more than any one label
_WORD_LONGEST: Final = 31  # a hash, a key, 16 bytes in hexadecimal are longer
_MIXED_WORD, _MIXED_CHANGES = 24, 6  # shorter pieces of them
_SCRAMBLED_SUM, _SCRAMBLED_CHANGES = 40, 2  # in pieces, or with hyphens in between; v2, use1 and shard0 change once
_CHANGE: Final = re.compile(r"(?<=\d)(?=\D)|(?<=\D)(?=\d)", re.ASCII)


def looks_like_data(host: str) -> bool:
    """Whether the labels in front of a host name's last two look like data."""
    labels = ".".join(host.split(".")[:-2])
    return len(labels) > _LABELS_LONGEST or words_look_like_data(labels)


def words_look_like_data(name: str) -> bool:
    """Whether the words of any name look like data. Dots, hyphens and underscores separate words."""
    words = [(len(word), len(_CHANGE.findall(word))) for word in re.split(r"[._-]", name)]
    return any(
        length > _WORD_LONGEST or (length >= _MIXED_WORD and changes >= _MIXED_CHANGES) for length, changes in words
    ) or (sum(length for length, changes in words if changes >= _SCRAMBLED_CHANGES) >= _SCRAMBLED_SUM)
