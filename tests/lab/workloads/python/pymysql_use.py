# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false, reportOptionalSubscript=false
"""Asks MySQL."""

import pymysql
from outcome import told


def use():
    with pymysql.connect(host="mysql.example", user="root", connect_timeout=5) as connection:
        cursor = connection.cursor()
        cursor.execute("select 6 * %s", (7,))
        return cursor.fetchone()[0]


handler = told(use)
