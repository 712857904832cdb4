# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Asks an API for JSON."""

import httpx
from outcome import told


def use():
    return httpx.get("https://api.example/", timeout=5).json()


handler = told(use)
