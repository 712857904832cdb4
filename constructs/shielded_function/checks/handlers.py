"""Recognizes the CDK's own functions: handlers of its custom resources, which are left out by default.

It reads an assembly; `kinds` does the same in the app.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..cdk_handlers import GRANDPARENTS, MARK, PARENTS, SINGLETONS, USERS

Metadata = Mapping[str, Sequence[Mapping[str, Any]]]

_OWN_IDS: Final = {own for ids, _ in (*PARENTS.values(), *GRANDPARENTS.values()) for own in ids}


def is_cdk_handler(path: str, metadata: Metadata, type_of: Callable[[str], str]) -> str:
    """The name of the CDK's handler that a function is; empty for other functions.

    Args:
        path: the construct path of the function's resource, `Shop/Prov/framework-onEvent/Resource`.
        metadata: the metadata of each construct, by its path.
        type_of: the type of a construct, `aws-cdk-lib.aws_lambda.Function`, by its path; empty where unknown.
    """
    parts = path.split("/")
    for construct in (path, "/".join(parts[:-1])):
        if any(str(entry.get("type")).startswith(MARK) for entry in metadata.get(construct, ())):
            return "a custom resource of the CDK"
    for depth in range(max(len(parts) - 2, 0), len(parts)):  # the function, or its resource
        if parts[depth] in SINGLETONS and type_of("/".join(parts[: depth + 1])) not in USERS:
            return SINGLETONS[parts[depth]]
        if parts[depth] not in _OWN_IDS:
            continue  # the types of constructs are in the app's tree, which few apps need
        ids, handler = PARENTS.get(type_of("/".join(parts[:depth])), ((), ""))
        if parts[depth] in ids:
            return handler
        hook = type_of("/".join(parts[: depth - 1])), parts[depth - 1]
        ids, handler = GRANDPARENTS.get(hook, ((), ""))
        if parts[depth] in ids:
            return handler
    return ""
