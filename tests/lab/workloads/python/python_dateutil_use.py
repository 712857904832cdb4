# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Reads dates in time zones."""

from dateutil import parser, tz
from outcome import told


def use():
    return parser.parse("2026-07-01 12:00").replace(tzinfo=tz.gettz("Europe/Berlin")).isoformat()


handler = told(use)
