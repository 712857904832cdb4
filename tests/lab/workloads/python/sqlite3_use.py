# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Keeps a database in /tmp, with its journal."""

import sqlite3

from outcome import told


def use():
    connection = sqlite3.connect("/tmp/data.db")
    connection.execute("pragma journal_mode = wal")
    connection.execute("create table if not exists t (n)")
    connection.execute("insert into t values (1)")
    connection.commit()
    connection.close()
    return "kept"


handler = told(use)
