"""IAM's policy documents as data (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .parts import choices
from .template import as_mapping


def statements(document: Any) -> Iterator[Mapping[str, Any]]:
    """The statements of a document, those of both branches of a condition too."""
    found = map(as_mapping, choices(as_mapping(document).get("Statement")))
    return (statement for statement in found if "Effect" in statement)


def principals(statement: Mapping[str, Any], kind: str) -> Iterator[Any]:
    """The principals of a kind, `AWS` or `Service`; `*` for everyone."""
    given = statement.get("Principal")
    yield from choices(given if given == "*" else as_mapping(given).get(kind))


def condition_keys(statement: Mapping[str, Any]) -> frozenset[str]:
    """The condition keys of a statement, in lower case, as IAM compares them."""
    operators = as_mapping(statement.get("Condition")).values()
    return frozenset(key.lower() for keys in operators for key in as_mapping(keys))
