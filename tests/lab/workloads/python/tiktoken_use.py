# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Counts tokens, for which it fetches a vocabulary from a host that nobody allowed."""

import tiktoken
from outcome import told


def use():
    return len(tiktoken.get_encoding("cl100k_base").encode("some text"))


handler = told(use)
