"""Which KMS keys a construct refers to: those that its service calls on behalf of whoever uses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import aws_cdk as cdk

from .arns import Target, words
from .tokens import Tokens

__all__ = ["Keys"]

_PROPERTIES: Final = "aws:cdk:cloudformation:props"


class Keys:
    """The keys of constructs, each read once."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._known: dict[str, frozenset[str]] = {}

    def of(self, target: Target) -> frozenset[str]:
        """The names of the keys that a construct's properties tell. What is a token is not seen: it names none."""
        if target.path not in self._known:
            self._known[target.path] = frozenset(self._read(target))
        return self._known[target.path]

    def _read(self, target: Target) -> Iterator[str]:
        place = self._tokens.place_of(target.path)
        if (
            place is None
            or not isinstance(target.construct, cdk.CfnResource)
            or not hasattr(target.construct, "inspect")
        ):
            return
        inspector = cdk.TreeInspector()
        target.construct.inspect(inspector)  # type: ignore[attr-defined]
        for text in _key_texts(inspector.attributes.get(_PROPERTIES)):
            yield words(self._tokens.pieces(place, text))


def _key_texts(value: Any, name: str = "") -> Iterator[str]:
    """Every text of a property that names a key: `kmsMasterKeyId`, `kmsKeyArn`, ..."""
    if isinstance(value, str):
        if "kms" in name.lower() or "key" in name.lower():
            yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _key_texts(item, key)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _key_texts(item, name)
    elif type(value).__name__.endswith("Property"):  # a structure of an L1, which is here by value
        for key in dir(type(value)):
            if isinstance(getattr(type(value), key), property):
                yield from _key_texts(getattr(value, key), key)
