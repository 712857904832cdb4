"""The KMS keys of a granted resource, which its service uses on behalf of the caller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

import aws_cdk as cdk
from constructs import IConstruct

from ..batching import holders_of
from ..paths import described
from .arns import Resource, Target, l2_path, words
from .tokens import Tokens

__all__ = ["Keys"]

_PROPERTIES: Final = "aws:cdk:cloudformation:props"
_KEYS: Final = ("encryptionKey.keyArn", "encryptionMasterKey.keyArn", "masterKey.keyArn")
_ARNS: Final = (
    "bucketArn",
    "parameterArn",
    "queueArn",
    "secretArn",
    "streamArn",
    "tableArn",
    "tableStreamArn",
    "topicArn",
)
"""Members of L2s, and of imports of them."""


class Keys:
    """The keys of resources in a stage or imported into it, each read once."""

    def __init__(self, tokens: Tokens, stage: IConstruct) -> None:
        self._tokens = tokens
        self._stage = stage
        self._known: dict[str, frozenset[str]] = {}

    def of(self, resource: Resource) -> Mapping[str, str]:
        """The names of a resource's keys -> the names of their holders."""
        found = {key: target.name for target in resource.targets for key in self._of_properties(target)}
        for arn, holder, key in self._holders:
            if resource.name == arn or resource.name.startswith(f"{arn}/"):
                found.setdefault(key, holder)
        return found

    @cached_property
    def _holders(self) -> list[tuple[str, str, str]]:
        """(ARN, construct path, ARN of its key) in words, of L2s and imports that have a key."""
        rows = [
            (place, path, [key, *filter(None, arns)])
            for text, key, arns in holders_of(self._stage, _KEYS, _ARNS)
            if (place := self._tokens.place_of(path := described(text)[0]))
        ]
        self._tokens.learn((place, text) for place, _, texts in rows for text in texts)
        named = [
            (l2_path(path), [words(self._tokens.pieces(place, text)) for text in texts]) for place, path, texts in rows
        ]
        return [(arn, path, key) for path, (key, *arns) in named for arn in arns]

    def _of_properties(self, target: Target) -> frozenset[str]:
        """The names of the keys in a construct's properties, without tokens."""
        if target.type.startswith(("AWS::KMS::", "AWS::IAM::")):
            return frozenset()
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
    elif type(value).__name__.endswith("Property"):  # a structure of an L1, passed by value
        for key in dir(type(value)):
            if isinstance(getattr(type(value), key), property):
                yield from _key_texts(getattr(value, key), key)
