# pyright: basic, reportMissingImports=false
"""Calls back from C: `qsort` with a comparison in Python."""

import cffi

ffi = cffi.FFI()
ffi.cdef("void qsort(void *, size_t, size_t, int (*)(const void *, const void *));")
libc = ffi.dlopen(None)


@ffi.callback("int(const void *, const void *)")
def compare(left, right):
    return ffi.cast("int *", left)[0] - ffi.cast("int *", right)[0]


def handler(event: object, context: object) -> dict[str, object]:
    numbers = ffi.new("int[]", [3, 1, 2])
    libc.qsort(numbers, 3, ffi.sizeof("int"), compare)  # pyright: ignore[reportAttributeAccessIssue]
    return {"done": list(numbers)}
