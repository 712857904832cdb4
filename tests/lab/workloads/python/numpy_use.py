# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Multiplies matrices, by BLAS and its threads."""

import numpy
from outcome import told


def use():
    matrix = numpy.arange(160000.0).reshape(400, 400) % 7
    return float(numpy.trace(matrix @ matrix.T)), float(numpy.linalg.norm(numpy.linalg.inv(numpy.eye(50) * 2)))


handler = told(use)
