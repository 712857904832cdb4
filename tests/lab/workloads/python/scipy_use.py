# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Solves for a minimum, and transforms."""

import numpy
import scipy.fft
import scipy.optimize
from outcome import told


def use():
    found = scipy.optimize.minimize(lambda x: (x[0] - 3) ** 2, [0.0])
    return round(float(found.x[0]), 3), float(abs(scipy.fft.fft(numpy.ones(8))[0]))


handler = told(use)
