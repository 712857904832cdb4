# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Takes callbacks from C."""

import cffi
from outcome import told

ffi = cffi.FFI()
ffi.cdef("void qsort(void *, size_t, size_t, int (*)(const void *, const void *));")


def use():
    @ffi.callback("int(const void *, const void *)")
    def compare(left, right):
        return ffi.cast("int *", left)[0] - ffi.cast("int *", right)[0]

    numbers = ffi.new("int[]", [3, 1, 2])
    ffi.dlopen(None).qsort(numbers, 3, ffi.sizeof("int"), compare)
    return list(numbers)


handler = told(use)
