# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Computes an intersection, by GEOS."""

from outcome import told
from shapely import Point


def use():
    return round(Point(0, 0).buffer(1).intersection(Point(1, 0).buffer(1)).area, 2)


handler = told(use)
