# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Connects to MySQL, where nobody listens."""

import pymysql
from outcome import told


def use():
    return pymysql.connect(host="closed.example", user="root", connect_timeout=5).server_version


handler = told(use)
