# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Asks an API for JSON."""

import urllib3
from outcome import told


def use():
    return urllib3.PoolManager(retries=False).request("GET", "https://api.example/", timeout=5).json()


handler = told(use)
