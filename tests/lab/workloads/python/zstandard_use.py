# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Compresses by threads, and decompresses."""

import zstandard
from outcome import told


def use():
    data = zstandard.ZstdCompressor(threads=2).compress(b"text" * 100000)
    return len(zstandard.ZstdDecompressor().decompress(data))


handler = told(use)
