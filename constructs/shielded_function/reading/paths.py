"""Construct paths. A path never changes, so it is requested once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from ..names import l2_path
from .batching import find_all, members_of

__all__ = ["described", "find_constructs", "l2_path", "path_of", "request_paths"]

# `Shop/Orders/Resource [AWS::S3::Bucket]`, the `toString` of a resource.
_DESCRIBED: Final = re.compile(r"(.*?)(?: \[([A-Za-z0-9]+(?:::[A-Za-z0-9@_-]+)+)\])?", re.DOTALL)
_KNOWN: WeakKeyDictionary[Any, tuple[str, str]] = WeakKeyDictionary()


def path_of(construct: Any) -> tuple[str, str]:
    """A construct's path and its CloudFormation type, which is empty for non-resources."""
    found = _KNOWN.get(construct)
    if found is None:
        found = _KNOWN[construct] = described(construct.to_string())
    return found


def request_paths(constructs: Iterable[Any]) -> None:
    """Requests the paths of many constructs at once, for `path_of`."""
    unknown = [construct for construct in constructs if construct not in _KNOWN]
    for construct, (text,) in zip(unknown, members_of(unknown, "toString()"), strict=True):
        _KNOWN[construct] = described(text)


def find_constructs(scope: Any, classes: Sequence[str], types: Sequence[str] = ()) -> list[Any]:
    """The results of `find_all`; `path_of` then knows their paths."""
    found = find_all(scope, classes, types)
    _KNOWN.update((construct, described(text)) for construct, text in found)
    return [construct for construct, _ in found]


def described(text: str) -> tuple[str, str]:
    """The path and type in the result of a construct's `toString`."""
    found = _DESCRIBED.fullmatch(text)
    assert found  # it matches every text
    path: str = found[1]
    return ("" if path == "<root>" else path), found[2] or ""
