"""The longest length of values known only at deployment, as a function's environment is limited to 4 KB."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from shielded_function_monitoring.cfn.parts import joined_again, parts
from shielded_function_monitoring.cfn.template import ref_of

UNKNOWN: Final[Mapping[str, int]] = {
    "allow_outbound": 253,
    "allow_buckets": 63,
    "allow_tmp": 255,
    "allow_child_process": 255,
    "allow_executable_memory": 64,
}
"""The bytes that a token counts as, by its list: a host name (RFC 1035), a bucket's name
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html), a component of a path (NAME_MAX of
Linux), the name of a library (core/object_names.h). A list of unknown length counts as one such value."""
_PORT: Final = 5

MAX_ENVIRONMENT: Final = 4096
"""Bytes of all variables, measured by Lambda as one JSON object
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""

_PSEUDO: Final[Mapping[str, int]] = {
    "AWS::AccountId": 12,
    "AWS::Partition": 10,
    "AWS::Region": 16,
    "AWS::StackName": 128,
    "AWS::URLSuffix": 16,
}
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html"""

_DYNAMIC: Final = re.compile(r"\{\{resolve:[^}]*\}\}")


def longest_of(tree: Any, field: str) -> int:
    """The most bytes of a resolved value, in this list."""
    return _longest(tree, UNKNOWN[field])


def _longest(tree: Any, unknown: int) -> int:
    if isinstance(tree, str):
        known = _DYNAMIC.sub("", tree)
        return len(known.encode()) + unknown * len(_DYNAMIC.findall(tree))
    pieces = [piece for piece in parts(tree) if piece]
    if pieces == [tree]:
        text = joined_again(tree)
        return _longest(text, unknown) if text else _PSEUDO.get(ref_of(tree), unknown)
    ports = [str(before).endswith(":") and not isinstance(piece, str) for before, piece in pairwise(["", *pieces])]
    return sum(
        min(_PORT, unknown) if is_port else _longest(piece, unknown)
        for piece, is_port in zip(pieces, ports, strict=True)
    )


def environment_size(environment: Mapping[str, Any]) -> int:
    """Bytes that Lambda counts. Values known only at deployment count as empty, so it is a lower bound."""
    known = {name: _known(value) for name, value in environment.items()}
    return len(json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode())


def _known(value: Any) -> str:
    if ref_of(value) == "AWS::AccountId":
        return "0" * 12  # an account has twelve digits
    return value if isinstance(value, str) else ""


def environment_bytes(values: Mapping[str, int]) -> int:
    """Bytes that variables add to an environment, from the length of each value.

    Lambda measures the environment as one JSON object: two quotes for the name, two for the value, a colon, a comma.
    """
    return sum(len(name) + length + len('"":"",') for name, length in values.items())


def json_length(value: str) -> int:
    """Bytes of a text within a JSON string."""
    return len(json.dumps(value, ensure_ascii=False).encode()) - 2
