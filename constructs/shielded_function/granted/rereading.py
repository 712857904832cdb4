"""Detects changed inputs of a read of grants, without reading them again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

from aws_cdk import aws_iam as iam

from ..batching import call_all
from ..paths import path_of, request_paths
from .documents import IDENTITY_POLICIES, RESOURCE_POLICIES, as_json, mapping, statements_of
from .tokens import Place, resolve

__all__ = ["Looked"]

_TYPES: Final = (
    "AWS::IAM::Role",
    *IDENTITY_POLICIES,
    *RESOURCE_POLICIES,
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::EventInvokeConfig",
)


@dataclass
class Looked:
    """The inputs of one read.

    An aspect that grants later adds a statement to a document, a name to a list, or a construct, and each of these is
    seen. A document that is replaced (`policy.policy_document = ...`) is not seen: the shield then denies new
    grants, and reports it at the first call.

    Attributes:
        kinds: the number of resources of each type with grants.
        documents: policy documents, of the CDK, and as they were read.
        lists: lists, of the CDK, and resolved.
    """

    kinds: Counter[str]
    documents: list[tuple[Place, Any, Any]] = field(default_factory=list[tuple[Place, Any, Any]])
    lists: list[tuple[Place, Any, Any]] = field(default_factory=list[tuple[Place, Any, Any]])

    _learned: dict[int, tuple[Any, Any]] = field(default_factory=dict[int, "tuple[Any, Any]"])

    @staticmethod
    def at(constructs: Iterable[Any]) -> Looked:
        """The state before the first read."""
        return Looked(_count(constructs))

    def learn(self, documents: Iterable[Any]) -> None:
        """Requests many documents at once, for `read`."""
        asked = [document for document in documents if isinstance(document, iam.PolicyDocument)]
        self._learned.update(
            (id(d), (d, found or {})) for d, found in zip(asked, call_all(asked, "toJSON"), strict=True)
        )

    def read(self, document: Any, place: Place) -> Any:
        """Reads and records a policy document, with its tokens as texts."""
        _, found = self._learned.get(id(document)) or (None, as_json(document, place))
        self.documents.append((place, document, found))
        return found

    def resolve(self, lists: Sequence[tuple[Place, Any]]) -> list[Any]:
        """Resolves and records lists, with one request for each stack."""
        found = _resolve(lists)
        self.lists += ((place, value, f) for (place, value), f in zip(lists, found, strict=True))
        return found

    def is_same(self, constructs: Iterable[Any]) -> bool:
        """Whether all inputs are unchanged.

        Args:
            constructs: those of the stage now.
        """
        if _count(constructs) != self.kinds:
            return False
        if _resolve([(place, value) for place, value, _ in self.lists]) != [before for *_, before in self.lists]:
            return False
        now = iter(call_all([d for _, d, _ in self.documents if isinstance(d, iam.PolicyDocument)], "toJSON"))
        return all(
            _is_same((next(now) or {}) if isinstance(d, iam.PolicyDocument) else as_json(d, place), before, place)
            for place, d, before in self.documents
        )


def _count(constructs: Iterable[Any]) -> Counter[str]:
    constructs = list(constructs)
    request_paths(constructs)
    types = (path_of(construct)[1] for construct in constructs)
    return Counter(kind for kind in types if kind in _TYPES)


def _resolve(lists: Sequence[tuple[Place, Any]]) -> list[Any]:
    found: dict[int, Any] = {}
    for place in dict.fromkeys(place for place, _ in lists):
        mine = [i for i, (p, _) in enumerate(lists) if p is place]
        found.update(zip(mine, resolve(place.stack, [lists[i][1] for i in mine]), strict=True))
    return [found[i] for i in range(len(lists))]


def _is_same(document: Any, before: Any, place: Place) -> bool:
    return document == before or _grants(document, place) == _grants(before, place)


def _grants(document: Any, place: Place) -> set[str]:
    """Each combination that a document grants; it stays equal when the CDK merges statements at synthesis."""
    return {
        json.dumps(combination, default=str)
        for _, statement in statements_of(document, place)
        for combination in product(
            *(sorted(_choices(name, value), key=str) for name, value in sorted(statement.items()))
        )
    }


def _choices(name: str, value: Any) -> Iterator[Any]:
    if name == "Principal" and isinstance(value, dict):
        for kind, principals in mapping(value).items():
            yield from ((name, kind, choice) for _, choice in _choices("", principals))
    elif isinstance(value, list) and name != "Condition":
        yield from ((name, item) for item in value)
    else:
        yield name, value
