# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Validates JSON."""

import jsonschema
from outcome import told


def use():
    jsonschema.validate({"a": 1}, {"properties": {"a": {"type": "integer"}}})
    return "valid"


handler = told(use)
