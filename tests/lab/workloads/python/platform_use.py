# pyright: basic
"""Asks what machine this is, what is in /tmp, and for a command that is not there, as diagnostics do."""

import os
import platform
import subprocess

from outcome import told


def use():
    try:
        subprocess.run(["nvidia-smi"], check=False)
    except FileNotFoundError:
        found = "no GPU"
    else:
        found = "a GPU"
    return [platform.processor() is not None, isinstance(os.listdir("/tmp"), list), found]


handler = told(use)
