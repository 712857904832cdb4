# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Hashes and checks a password."""

import bcrypt
from outcome import told


def use():
    return bcrypt.checkpw(b"secret", bcrypt.hashpw(b"secret", bcrypt.gensalt(4)))


handler = told(use)
