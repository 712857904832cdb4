# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Reads a page."""

from bs4 import BeautifulSoup
from outcome import told


def use():
    return BeautifulSoup("<p>one<p><a href='x'>two</a>", "html.parser").a["href"]


handler = told(use)
