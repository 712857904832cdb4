# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Signs and verifies a token."""

import jwt
from outcome import told

KEY = "k" * 32


def use():
    return jwt.decode(jwt.encode({"sub": "me"}, KEY, algorithm="HS256"), KEY, algorithms=["HS256"])


handler = told(use)
