# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportOptionalSubscript=false
"""Asks PostgreSQL."""

import psycopg2
from outcome import told


def use():
    connection = psycopg2.connect("host=database.example user=postgres dbname=postgres connect_timeout=5")
    with connection.cursor() as cursor:
        cursor.execute("select 6 * 7")
        return cursor.fetchone()[0]


handler = told(use)
