# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportOptionalSubscript=false
"""Asks PostgreSQL."""

import psycopg
from outcome import told


def use():
    with psycopg.connect("host=database.example user=postgres dbname=postgres connect_timeout=5") as connection:
        return connection.execute("select 6 * 7").fetchone()[0]


handler = told(use)
