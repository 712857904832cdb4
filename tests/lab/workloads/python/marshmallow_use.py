# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Validates and serializes."""

from marshmallow import Schema, fields
from outcome import told


class Order(Schema):
    id = fields.Int(required=True)


def use():
    return Order().load({"id": "1"})


handler = told(use)
