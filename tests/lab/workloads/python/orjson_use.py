# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Writes and reads JSON."""

import datetime

import orjson
from outcome import told


def use():
    return orjson.loads(orjson.dumps({"at": datetime.datetime(2026, 1, 1), "numbers": [1, 2.5]}))


handler = told(use)
