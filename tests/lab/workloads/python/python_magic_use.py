# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Tells what a file is, by libmagic, which is searched for when the module is imported."""

import magic
from outcome import told


def use():
    return magic.from_buffer(b"%PDF-1.7\n", mime=True)


handler = told(use)
