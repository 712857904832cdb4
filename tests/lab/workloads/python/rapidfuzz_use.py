# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Compares texts."""

from outcome import told
from rapidfuzz import process


def use():
    return process.extractOne("hallo", ["hello", "world"])[0]


handler = told(use)
