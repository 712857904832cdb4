# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Connects by SSH, where nobody listens."""

import paramiko
from outcome import told


def use():
    client = paramiko.SSHClient()
    return client.connect("closed.example", username="u", password="p", timeout=5)


handler = told(use)
