"""What a use of a library came to, as its handler says it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def told(use: Callable[[], Any]) -> Callable[[object, object], dict[str, Any]]:
    """A handler: `done` with what the use gave, or `error` with the types of the error and of its causes."""

    def handler(event: object, context: object) -> dict[str, Any]:
        try:
            return {"done": use()}
        except Exception as error:
            causes = _causes(error)
            return {"error": [type(each).__name__ for each in causes], "text": " | ".join(map(str, causes))[:2000]}

    return handler


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found
