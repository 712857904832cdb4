# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportOptionalOperand=false
"""Reads what /proc says of the process and the machine."""

import psutil
from outcome import told


def use():
    return psutil.Process().name() != "", psutil.virtual_memory().total > 0, psutil.cpu_count() > 0


handler = told(use)
