# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Runs a function in worker processes, with its memory-mapped files."""

import math

from joblib import Parallel, delayed
from outcome import told


def use():
    return Parallel(n_jobs=2)(delayed(math.sqrt)(each) for each in (1, 4, 9))


handler = told(use)
