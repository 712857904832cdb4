# pyright: basic, reportMissingImports=false
"""What numba compiles: beside the handler, whose own source is locked when numba reads it for its messages."""

import numba


@numba.njit(cache=True)
def total(values):
    result = 0.0
    for value in values:
        result += value
    return result
