# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Renders a text."""

import markdown
from outcome import told


def use():
    return markdown.markdown("# a", extensions=["tables"])


handler = told(use)
