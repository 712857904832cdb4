"""The command line `shielded-function`: try the shield, look at a sandbox, ask what a policy means.

Each command is one module here; `app` only wires them up. Results go to stdout, everything else to stderr. The exit
status 2 always means that the command could not do its work.
"""

from __future__ import annotations

from .app import app, main

__all__ = ["app", "main"]
