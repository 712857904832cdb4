"""Runs what a client does once, and says how it went: one JSON line on stdout, `answer` or `error`, and `seconds`.

`error` names the types of the error and of its causes, outermost first, so that a test sees what a program would catch.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any


def attempt(talk: Callable[[str, int], Any]) -> None:
    """Calls `talk(host, port)` with the program's argument `host:port`. Imports are over by then, so not timed."""
    host, _, port = sys.argv[1].rpartition(":")
    began = time.monotonic()
    try:
        said: dict[str, Any] = {"answer": talk(host, int(port))}
    except Exception as error:
        said = {"error": [type(cause).__name__ for cause in _causes(error)], "text": str(error)}
    print(json.dumps({**said, "seconds": time.monotonic() - began}), flush=True)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found
