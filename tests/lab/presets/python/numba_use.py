# pyright: basic, reportMissingImports=false
"""Compiles a loop at the first invocation, and keeps it in numba's cache."""

import numpy
from compiled import total


def handler(event: object, context: object) -> dict[str, object]:
    return {"done": float(total(numpy.arange(10.0)))}
