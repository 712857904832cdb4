# pyright: basic, reportMissingImports=false
"""Calls back from C: `qsort` with a comparison in Python."""

import ctypes

libc = ctypes.CDLL(None)
COMPARISON = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))


def handler(event: object, context: object) -> dict[str, object]:
    numbers = (ctypes.c_int * 3)(3, 1, 2)
    libc.qsort(numbers, 3, ctypes.sizeof(ctypes.c_int), COMPARISON(lambda left, right: left[0] - right[0]))
    return {"done": list(numbers)}
