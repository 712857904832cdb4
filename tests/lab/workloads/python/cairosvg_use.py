# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Draws an SVG as a PNG, by libcairo, which is searched for when the module is imported."""

import cairosvg
from outcome import told

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="red"/></svg>'


def use():
    return cairosvg.svg2png(bytestring=SVG)[1:4].decode()


handler = told(use)
