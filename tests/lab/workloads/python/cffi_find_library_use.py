# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Has C's library sort by a callback; the library is searched for as ctypes does it."""

import ctypes.util

import cffi
from outcome import told

ffi = cffi.FFI()
ffi.cdef("void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *));")
libc = ffi.dlopen(ctypes.util.find_library("c"))


@ffi.callback("int(const void *, const void *)")
def compare(one, other):
    return ffi.cast("int *", one)[0] - ffi.cast("int *", other)[0]


def use():
    numbers = ffi.new("int[]", [3, 1, 2])
    libc.qsort(numbers, 3, 4, compare)
    return list(numbers)


handler = told(use)
