# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Compiles a loop, and keeps it in numba's cache."""

import numpy
from compiled import total
from outcome import told


def use():
    return float(total(numpy.arange(10.0)))


handler = told(use)
