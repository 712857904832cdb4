# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Reads and writes XML."""

import xmltodict
from outcome import told


def use():
    return xmltodict.unparse(xmltodict.parse("<a><b>1</b></a>"))


handler = told(use)
