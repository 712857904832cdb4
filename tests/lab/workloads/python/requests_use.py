# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Asks an API for JSON."""

import requests
from outcome import told


def use():
    return requests.get("https://api.example/", timeout=5).json()


handler = told(use)
