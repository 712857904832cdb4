# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Keeps a database in /tmp."""

import duckdb
from outcome import told


def use():
    with duckdb.connect("/tmp/data.duckdb") as connection:
        connection.execute("create or replace table t as select * from range(1000)")
        return connection.execute("select count(*) from t").fetchone()[0]


handler = told(use)
