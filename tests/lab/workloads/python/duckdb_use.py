# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Sorts and joins by its threads, in memory."""

import duckdb
from outcome import told


def use():
    return duckdb.sql("select sum(a.range * b.range) from range(1000) a join range(1000) b using (range)").fetchall()[
        0
    ][0]


handler = told(use)
